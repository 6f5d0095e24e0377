/** Every minute, and woken by ECS deployment events: moves on whatever run is open. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onAdvance } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(
  async (_event, context) => onAdvance(process.env, context),
);
