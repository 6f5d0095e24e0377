/** Monthly and hourly by EventBridge, and by hand: `sls invoke -f drill -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onDrill } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onDrill(process.env, event),
);
