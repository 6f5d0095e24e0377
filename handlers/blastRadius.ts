/** By hand: `sls invoke -f blastRadius -d '{"secret":"shop/database","from":"-24h"}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onBlastRadius } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onBlastRadius(process.env, event, context),
);
