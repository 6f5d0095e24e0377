/** Daily by EventBridge, and by hand: `sls invoke -f verify -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { onVerify } from "../lib/app.ts";

/** No answer shortly before the time limit: the work would go on beside whoever took it for over. */
const LAMBDA_ENDS_IT = { timeoutEarlyInMillis: 0 };

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onVerify(process.env, event),
);
