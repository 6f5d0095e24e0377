/**
 * A process that has the built handlers loaded and waits for orders, as a warm Lambda does. Which bundles, and what else
 * they load on first use, are its arguments; events come over IPC.
 */
import { createRequire } from "node:module";
import { basename } from "node:path";

export interface Order {
  readonly name: string;
  readonly event: unknown;
  readonly timeoutMs: number;
  readonly requestId: string;
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

const require = createRequire(import.meta.url);
const loaded = new Map(process.argv.slice(2).map((file) => [basename(file, ".cjs"), require(file)]));

// Whoever started it is gone, perhaps killed: nobody else would end this process.
process.once("disconnect", () => process.exit(1));

process.on("message", async ({ name, event, timeoutMs, requestId }: Order) => {
  const startedAt = Date.now();
  const context = {
    functionName: name,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => Math.max(0, timeoutMs - (Date.now() - startedAt)),
  };
  try {
    const { handler } = loaded.get(name) as { handler: Handler };
    process.send?.({ payload: await handler(event, context) });
  } catch (error) {
    const { name: errorType, message, code } = error as { name: string; message: string; code?: string };
    process.send?.({ failure: { errorType, errorMessage: code ? `${code}: ${message}` : message } });
  }
});
process.send?.({ ready: true });
