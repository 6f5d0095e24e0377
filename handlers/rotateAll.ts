/** Quarterly by EventBridge, and by hand: `sls invoke -f rotateAll -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onRotateAll } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onRotateAll(process.env, event, context),
);
