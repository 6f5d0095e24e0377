/** Every five minutes by EventBridge, and by hand: `sls invoke -f scanAccess -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onScanAccess } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (_event, context) => onScanAccess(process.env, context),
);
