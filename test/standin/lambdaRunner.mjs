/**
 * One Lambda invocation in a process of its own: the event comes over IPC, never as an argument, and so does the result. In
 * plain JavaScript, as Lambda's runtime is: to read this as TypeScript would take a tenth of a second of each cold start.
 */
import { createRequire } from "node:module";

// Whoever started it is gone, perhaps killed: nobody else would end this process.
process.once("disconnect", () => process.exit(1));

process.once("message", async (order) => {
  const startedAt = Date.now();
  const context = {
    functionName: order.name,
    awsRequestId: order.requestId,
    getRemainingTimeInMillis: () => Math.max(0, order.timeoutMs - (Date.now() - startedAt)),
  };
  const answer = (message) => process.send?.(message, () => process.exit(0));
  try {
    const { handler } = createRequire(import.meta.url)(order.bundle);
    answer({ payload: await handler(order.event, context) });
  } catch (error) {
    const { name, message, code } = error;
    answer({ failure: { errorType: name, errorMessage: code ? `${code}: ${message}` : message } });
  }
});
