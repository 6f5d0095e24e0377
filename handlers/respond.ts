/** By slackAction, for everything that people ask for in Slack. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onRespond } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onRespond(process.env, event, context),
);
