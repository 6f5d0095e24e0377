/** Daily by EventBridge, and by hand: `sls invoke -f verify -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { buildApp } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>().handler(async (event) =>
  buildApp(process.env).verify(event),
);
