/** Reads what Secrets Manager sends its rotation function. Every field that is wrong is named in one error. */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { STEPS, type Step } from "../rotation/steps.ts";
import { SecretText } from "../secret.ts";

export interface StepRequest {
  readonly step: Step;
  /** ARN or name. */
  readonly secretId: string;
  /** The id of the version that the rotation makes. */
  readonly token: string;
  readonly rotationToken?: SecretText;
}

const text = (most: number) =>
  z.string("must be text").check(z.minLength(1, "is empty"), z.maxLength(most, `is longer than ${most}`));

/** Not strict: what Secrets Manager may come to add must not stop a rotation. */
const payload = z.object(
  {
    Step: z.enum(STEPS, `must be one of ${STEPS.join(", ")}`),
    SecretId: text(2048),
    ClientRequestToken: text(64),
    RotationToken: z.optional(text(256)),
  },
  "must be a JSON object, as Secrets Manager sends it",
);

/** @throws RekeyError PAYLOAD_INVALID */
export function readStepRequest(event: unknown): StepRequest {
  const parsed = payload.safeParse(event);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? "the payload" : path.join(".")} ${message}`,
    );
    throw new RekeyError("PAYLOAD_INVALID", problems.join("; "));
  }
  const { Step: step, SecretId: secretId, ClientRequestToken: token, RotationToken } = parsed.data;
  return {
    step,
    secretId,
    token,
    ...(RotationToken === undefined ? {} : { rotationToken: new SecretText(RotationToken) }),
  };
}
