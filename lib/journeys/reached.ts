/**
 * Who read the secret of a run, as a part of its post-mortem: the week before it began until it ended, by CloudTrail's clock.
 * What cannot be had is said in its place: a post-mortem without it is better than none.
 */
import type { BlastRadius } from "../detection/blastRadius.ts";
import { RekeyError } from "../errors.ts";
import { byTime, type Moment } from "../incident/incidentTimes.ts";
import type { Run } from "../incident/run.ts";
import type { AccessPorts } from "./accessPorts.ts";
import { blastRadius } from "./blastRadius.ts";
import type { Reached } from "./postMortem.ts";

const BEFORE_MS = 7 * 86_400_000;

export async function reached(ports: AccessPorts, run: Run, deadline: Date): Promise<Reached> {
  const { secret } = run.inputs;
  if (typeof secret !== "string") return { reach: { missing: "the run names no secret" }, moments: [] };
  const startMs = Date.parse(run.startedAt);
  const toMs = Math.min(
    run.ended ? Date.parse(run.ended.at) : Number.POSITIVE_INFINITY,
    ports.now().getTime(),
  );
  try {
    const radius = await blastRadius(ports, { secret, fromMs: startMs - BEFORE_MS, toMs }, deadline);
    return { reach: { page: radius.markdown }, ...radiusMoments(radius) };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return { reach: { missing: error.message }, moments: [] };
  }
}

/** What of it belongs on a timeline: the reads of those whom nobody expected, and what happened to the secret's versions. */
export function radiusMoments({ secret, observed, moves, versions }: BlastRadius): Omit<Reached, "reach"> {
  const strangers = observed.filter(({ knownAs, reads }) => knownAs === undefined && reads > 0);
  const firsts = strangers.flatMap(({ principal, first }): Moment[] =>
    first === undefined
      ? []
      : [
          {
            at: first,
            source: "CloudTrail",
            says: `first read of ${secret.name} by ${principal}, who was not expected`,
          },
        ],
  );
  const lasts = strangers.flatMap(({ principal, reads, first, last }): Moment[] =>
    last === undefined || last === first
      ? []
      : [
          {
            at: last,
            source: "CloudTrail",
            says: `last of ${reads} reads of ${secret.name} by ${principal}`,
          },
        ],
  );
  const moved = moves.map(
    ({ at, versionId }): Moment => ({
      at,
      source: "Secrets Manager",
      says: `version ${versionId} became current`,
    }),
  );
  const refused = versions.flatMap(({ versionId, revokedAt }): Moment[] =>
    revokedAt === undefined
      ? []
      : [{ at: revokedAt, source: "the target", says: `version ${versionId} was refused` }],
  );
  const [firstUse] = firsts.toSorted(byTime);
  return { moments: [...firsts, ...lasts, ...moved, ...refused], ...(firstUse && { firstUse }) };
}
