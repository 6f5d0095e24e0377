/** Secrets Manager's door: called by its own rotation, once for each of the four steps. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onRotateSecret } from "../lib/app.ts";

export const handler = middy<unknown, void, Error, Context>(LAMBDA_ENDS_IT).handler(async (event, context) =>
  onRotateSecret(process.env, event, context),
);
