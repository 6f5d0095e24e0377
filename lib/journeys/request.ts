/**
 * What a caller of rotateAll or verify may send: nothing, a request by hand, or an EventBridge schedule's event. Anything
 * else gets one error that names each wrong field, before anything is read or changed.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import type { RotationRequest } from "../rotation/intent.ts";

const pattern = z
  .string("must be a string")
  .check(z.trim(), z.minLength(1, "must not be empty"), z.maxLength(2048));
const patterns = z
  .array(pattern, "must be a list of names, ARNs or globs")
  .check(z.minLength(1, "must not be empty; leave it out to mean every managed secret"));
const flag = z._default(z.boolean("must be true or false"), false);

const payload = z.strictObject({
  only: z.optional(patterns),
  except: z.optional(patterns),
  dryRun: flag,
  force: flag,
  emergency: flag,
  reason: z.optional(
    z.string("must be text").check(z.trim(), z.minLength(1, "must not be empty"), z.maxLength(500)),
  ),
  scheduled: flag,
  /** The same id again is the same run: for whoever may have to ask twice. */
  id: z.optional(z.uuid("must be a UUID")),
});

const verification = z.strictObject({ only: z.optional(patterns) });
export type Verification = z.infer<typeof verification>;

/** @throws RekeyError PAYLOAD_INVALID */
export function readRequest(event: unknown): RotationRequest {
  if (isSchedule(event))
    return { dryRun: false, force: false, emergency: false, scheduled: true, reason: "scheduled" };
  const { id: _, ...request } = read(payload, event);
  return checkEmergency(request);
}

/** @throws RekeyError PAYLOAD_INVALID */
export function readVerification(event: unknown): Verification {
  return isSchedule(event) ? {} : read(verification, event);
}

/** @throws RekeyError PAYLOAD_INVALID, naming every field that is wrong */
export function read<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape, z.core.$strict>,
  event: unknown,
): z.infer<typeof schema> {
  const parsed = schema.safeParse(event ?? {});
  if (parsed.success) return parsed.data;
  const fields = Object.keys(schema.shape).filter((field) => field !== "scheduled" && field !== "id");
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${key} is not a field; known are ${fields.join(", ")}`)
      : [
          `${path(issue.path)} ${issue.code === "invalid_type" && issue.path.length === 0 ? "must be a JSON object" : issue.message}`,
        ],
  );
  throw new RekeyError("PAYLOAD_INVALID", problems.join("; "));
}

/** Cutting off whoever uses a value is asked for by name, and somebody will be asked why. */
function checkEmergency(request: RotationRequest): RotationRequest {
  if (!request.emergency) return request;
  const problems = [
    request.only === undefined ? "only is required with emergency: name the secrets that leaked" : "",
    request.reason === undefined ? "reason is required with emergency: it stands in the report" : "",
    request.scheduled ? "scheduled cannot be an emergency" : "",
  ].filter((problem) => problem !== "");
  if (problems.length > 0) throw new RekeyError("PAYLOAD_INVALID", problems.join("; "));
  return request;
}

/** EventBridge's own event, as a schedule rule without an input sends it. */
export function isSchedule(event: unknown): boolean {
  return (
    typeof event === "object" &&
    event !== null &&
    "detail-type" in event &&
    event["detail-type"] === "Scheduled Event"
  );
}

function path(parts: readonly PropertyKey[]): string {
  if (parts.length === 0) return "the payload";
  return parts
    .map((part, at) => (typeof part === "number" ? `[${part}]` : `${at > 0 ? "." : ""}${String(part)}`))
    .join("");
}
