/** The way to people that does not lead through Slack: a topic that everybody on call is subscribed to. */
import type { Pager } from "../incident/channel.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

export function snsPager(topicArn: string): Pager {
  return {
    async page(subject, text) {
      const { PublishCommand, SNSClient } = await import("./snsClient.ts");
      const client = new SNSClient(CLIENT_OPTIONS);
      // A second page is better than none, so the SDK may send it again when nobody answered.
      const request = new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: text });
      await client.send(request).catch((error: unknown) => {
        throw awsError(error, `publish to ${topicArn}`);
      });
    },
  };
}
