/** By EventBridge and a queue, for every call that concerns secrets, within seconds of its record. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onAccessEvent } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onAccessEvent(process.env, event),
);
