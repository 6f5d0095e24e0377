/** Slack's door, a function URL: clicks, modals and the command `/rekey` are checked, handed on and acknowledged. */
import middy from "@middy/core";
import type { Context, LambdaFunctionURLEvent } from "aws-lambda";
import { LAMBDA_ENDS_IT, onSlackAction } from "../lib/app.ts";

export const handler = middy<LambdaFunctionURLEvent, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async ({ headers, body, isBase64Encoded }) =>
    onSlackAction(process.env, { headers, body: body ?? "", isBase64Encoded }),
);
