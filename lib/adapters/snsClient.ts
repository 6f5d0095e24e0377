/** In a file of its own, because it is loaded on first use and bundled apart: it is needed only when Slack is down. */
export { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
