/** What a caller of blastRadius or reviewAccess may send. Times are ISO 8601, or before now: `-24h`, `-7d`, `-90m`. */
import * as z from "zod/mini";
import type { Period } from "../detection/accessLog.ts";
import { HISTORY_DAYS } from "../detection/trailCoverage.ts";
import { RekeyError } from "../errors.ts";
import { isSchedule, read } from "./request.ts";

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS };
const RELATIVE = /^-(\d{1,5})([mhd])$/;
const ABSOLUTE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const SHAPE = "must be a time as in 2026-11-24T12:00:00Z, or before now as in -24h, -7d, -90m";

const time = z
  .string(SHAPE)
  .check(
    z.refine(
      (text) => RELATIVE.test(text) || (ABSOLUTE.test(text) && !Number.isNaN(Date.parse(text))),
      SHAPE,
    ),
  );

const radius = z.strictObject({
  secret: z
    .string("must be the name or the ARN of a secret")
    .check(z.trim(), z.minLength(1, "must not be empty"), z.maxLength(2048, "is too long")),
  from: z.optional(time),
  to: z.optional(time),
});
const review = z.strictObject({ from: z.optional(time), to: z.optional(time) });

export interface RadiusRequest extends Period {
  readonly secret: string;
}

/** @throws RekeyError PAYLOAD_INVALID */
export function readRadiusRequest(event: unknown, now: Date): RadiusRequest {
  const { secret, ...times } = read(radius, event);
  return { secret, ...periodOf(times, HISTORY_DAYS, now) };
}

/** The last seven days unless told otherwise. @throws RekeyError PAYLOAD_INVALID */
export function readReviewRequest(event: unknown, now: Date): Period {
  return periodOf(isSchedule(event) ? {} : read(review, event), 7, now);
}

function periodOf(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  days: number,
  now: Date,
): Period {
  const toMs = to === undefined ? now.getTime() : timeOf(to, now);
  const fromMs = from === undefined ? toMs - days * DAY_MS : timeOf(from, now);
  const problems = [
    toMs > now.getTime() ? "to lies in the future; leave it out to mean now" : "",
    fromMs >= toMs ? "from must lie before to" : "",
    toMs <= now.getTime() - HISTORY_DAYS * DAY_MS
      ? `to lies more than ${HISTORY_DAYS} days ago, where the event history has ended; look into the files of a trail`
      : "",
  ].filter((problem) => problem !== "");
  if (problems.length > 0) throw new RekeyError("PAYLOAD_INVALID", problems.join("; "));
  return { fromMs, toMs };
}

function timeOf(text: string, now: Date): number {
  const [, count, unit = ""] = RELATIVE.exec(text) ?? [];
  return count === undefined ? Date.parse(text) : now.getTime() - Number(count) * (UNITS_MS[unit] ?? 0);
}
