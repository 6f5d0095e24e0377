/** Quarterly by EventBridge, and by hand: `sls invoke -f rotateAll -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { buildApp } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>().handler(async (event, context) =>
  buildApp(process.env).rotateAll(event, context),
);
