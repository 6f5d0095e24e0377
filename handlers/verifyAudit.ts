/** By hand and every day: `sls invoke -f verifyAudit -d '{}'`. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { LAMBDA_ENDS_IT, onVerifyAudit } from "../lib/app.ts";

export const handler = middy<unknown, unknown, Error, Context>(LAMBDA_ENDS_IT).handler(async (event) =>
  onVerifyAudit(process.env, event),
);
