/** Every minute: sends what is to be said in Slack and was not, and pages if Slack does not answer. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onSendOutbox } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (_event, context) => onSendOutbox(process.env, context),
);
