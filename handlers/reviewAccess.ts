/** Weekly by EventBridge, and by hand: `sls invoke -f reviewAccess -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onReviewAccess } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onReviewAccess(process.env, event, context),
);
