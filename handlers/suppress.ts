/** By hand: `sls invoke -f suppress -d '{"list":true}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onSuppress } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onSuppress(process.env, event),
);
