/** By S3, through EventBridge or by itself, for every file that a trail has written. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onTrailFile } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onTrailFile(process.env, event),
);
