/** Secrets Manager's door: called by its own rotation, once for each of the four steps. */
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { onRotateSecret } from "../lib/app.ts";

/** No answer shortly before the time limit: the work would go on beside whoever took it for over. */
const LAMBDA_ENDS_IT = { timeoutEarlyInMillis: 0 };

export const handler = middy<unknown, void, Error, Context>(LAMBDA_ENDS_IT).handler(async (event, context) =>
  onRotateSecret(process.env, event, context),
);
