/** Every minute. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onAdvanceIncidents } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (_event, context) => onAdvanceIncidents(process.env, context),
);
