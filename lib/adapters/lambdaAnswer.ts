/** Another function's answer: invoked, waited for, and read. Its failure is its own words, with its code in front. */
import { RekeyError } from "../errors.ts";
import { awsError, ONCE } from "./awsCalls.ts";

const PATIENCE = { ...ONCE, requestHandler: { ...ONCE.requestHandler, requestTimeout: 28_000 } } as const;

/** @throws RekeyError AWS_UNANSWERED if it did not answer in time, AWS_FAILED if it failed */
export async function lambdaAnswer(functionName: string, payload: unknown): Promise<unknown> {
  const { InvokeCommand, LambdaClient } = await import("./lambdaClient.ts");
  const client = new LambdaClient(PATIENCE);
  try {
    const request = { FunctionName: functionName, Payload: JSON.stringify(payload) };
    const { FunctionError, Payload } = await client.send(new InvokeCommand(request));
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString("utf8") || "null");
    if (FunctionError === undefined) return answer;
    const { errorMessage = FunctionError } = (answer ?? {}) as { readonly errorMessage?: string };
    throw new RekeyError("AWS_FAILED", `${functionName}: ${errorMessage}`);
  } catch (error) {
    throw awsError(error, `ask ${functionName}`);
  } finally {
    client.destroy();
  }
}
