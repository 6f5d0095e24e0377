/** Every minute, and woken by ECS deployment events: moves on whatever run is open. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { buildApp } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>().handler(async (_event, context) =>
  buildApp(process.env).advance(context),
);
