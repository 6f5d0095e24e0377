/**
 * A process that has the built handlers loaded and waits for orders, as a warm Lambda does. Which bundles are its
 * arguments; events come over IPC.
 */
import { createRequire, enableCompileCache, flushCompileCache } from "node:module";
import { basename } from "node:path";

export interface Order {
  readonly name: string;
  readonly event: unknown;
  readonly timeoutMs: number;
  readonly requestId: string;
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

// Hundreds of these are killed, and compiling is half of what it takes to begin.
enableCompileCache();
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
// Whoever is killed cannot do it at its end.
flushCompileCache();
process.send?.({ ready: true });
