/** In a file of its own, because it is bundled apart: of all functions only two call another. */
export { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
