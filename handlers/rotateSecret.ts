/** Secrets Manager's door: called by its own rotation, once for each of the four steps. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { buildApp } from "../lib/app.ts";

export const handler = middy<unknown, void, Error, Context>().handler(async (event, context) =>
  buildApp(process.env).rotateSecret(event, context),
);
