/**
 * Work for another function, through Lambda's own queue of asynchronous invocations: it holds what the function cannot take
 * yet, tries twice more, and hands what fails to the function's dead letters. A queue of ours would add only a second one.
 */
import type { Starter } from "../incident/answers.ts";
import { awsError, HURRIED } from "./awsCalls.ts";

/** @param functionName name or ARN */
export function lambdaWorkQueue(functionName: string): Starter {
  let loaded: Promise<typeof import("./lambdaClient.ts")> | undefined;
  let client: import("@aws-sdk/client-lambda").LambdaClient | undefined;
  return {
    async enqueue(work) {
      loaded ??= import("./lambdaClient.ts");
      const { InvokeCommand, LambdaClient } = await loaded;
      client ??= new LambdaClient(HURRIED);
      const request = {
        FunctionName: functionName,
        InvocationType: "Event",
        Payload: JSON.stringify(work),
      } as const;
      await client.send(new InvokeCommand(request)).catch((error: unknown) => {
        throw awsError(error, `hand work to ${functionName}`);
      });
    },
  };
}
