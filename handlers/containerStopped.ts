/** Woken by EventBridge with what ECS says of its tasks and services; judges each stop, and tells the channel of those that matter. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onContainerStopped } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (event, context) => onContainerStopped(process.env, event, context),
);
