/** By hand: `sls invoke -f postMortem -d '{"run":"inc-..."}'`, or with `"names":false` for a page that names nobody. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onPostMortem } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onPostMortem(process.env, event, context),
);
