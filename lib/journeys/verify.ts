/**
 * verify: every day, looks whether what Rekey promises still holds, and says what does not with the line that mends it.
 * Reads only. A rotation that is under way has its own eyes, so what it leaves alive on purpose is not reported.
 */
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import { findConsumers } from "../rotation/consumers.ts";
import { type Judged, judgeDrift } from "../rotation/drift.ts";
import { type DriftReport, makeDriftReport, renderDrift } from "../rotation/driftReport.ts";
import type { FleetFacts } from "../rotation/fleet.ts";
import type { SecretHistory } from "../rotation/intent.ts";
import { isManaged, readTags } from "../rotation/managed.ts";
import type { SecretFacts } from "../rotation/secretStore.ts";
import { select } from "../rotation/selection.ts";
import { gatherDrift, type Surroundings } from "./gatherDrift.ts";
import type { Ports } from "./ports.ts";
import type { Verification } from "./request.ts";

/** @throws RekeyError PAYLOAD_INVALID, NOT_MANAGED, and whatever keeps the secrets from being listed at all */
export async function verify(ports: Ports, request: Verification): Promise<DriftReport> {
  const all = await ports.store.list();
  const tagged = all.filter(({ tags }) => isManaged(tags));
  const others = all.filter(({ tags }) => !isManaged(tags));
  const { selected, unmanaged } = select(request, tagged, others);
  const [stranger] = unmanaged;
  if (stranger) {
    const message = `${stranger.name}: carries no rekey:* tag, so there is nothing to verify; leave it out of only`;
    throw new RekeyError("NOT_MANAGED", message);
  }
  const report = makeDriftReport(await judgeAll(ports, tagged, selected), ports.now());
  for (const finding of report.findings) ports.tell({ event: "drift.found", ...finding });
  const { secrets, checks, holds, couldNotAsk, summary } = report;
  ports.tell({ event: "drift.checked", secrets, checks, holds, couldNotAsk, summary });
  await post(ports, report);
  return report;
}

async function judgeAll(
  ports: Ports,
  tagged: readonly SecretFacts[],
  selected: readonly SecretFacts[],
): Promise<Judged[]> {
  const before = await recordsOf(ports);
  const fleet = await surveyOrReason(ports);
  // Of all that are managed, so that a reference is not taken for a shorter name that it begins with.
  const managed = tagged.map(({ arn, name, tags }) => readTags(arn, name, tags));
  const consumersOf = typeof fleet === "string" ? undefined : findConsumers(managed, fleet);
  const around = (arn: string, { claims, histories }: Records): Surroundings => ({
    history: histories.get(arn),
    openRun: claims.get(arn),
    fleet,
    consumers: consumersOf?.get(arn) ?? { services: [], tasks: [], missing: [] },
  });
  const clock = { now: ports.now(), rolloutSeconds: ports.settings.rolloutSeconds };
  const limit = pLimit(ports.settings.concurrency);
  const each = <T>(work: (arn: string, position: number) => Promise<T>) =>
    Promise.all(selected.map(({ arn }, position) => limit(() => work(arn, position))));

  const gathered = await each((arn) => gatherDrift(ports, arn, around(arn, before)));
  const after = await recordsOf(ports);
  return each(async (arn, position) => {
    const facts = gathered[position];
    const isStill = claimOf(before, arn) === claimOf(after, arn) && isSame(before, after, arn);
    // A rotation began or ended while we asked: what we compared may belong to two times.
    const fresh = facts && isStill ? facts : await gatherDrift(ports, arn, around(arn, after));
    return judgeDrift(fresh, clock);
  });
}

interface Records {
  readonly claims: ReadonlyMap<string, string>;
  readonly histories: ReadonlyMap<string, SecretHistory>;
}

async function recordsOf({ log }: Ports): Promise<Records> {
  const [claims, histories] = await Promise.all([log.claims(), log.histories()]);
  return { claims, histories };
}

const claimOf = ({ claims }: Records, arn: string) => claims.get(arn);
const isSame = (before: Records, after: Records, arn: string) =>
  JSON.stringify(before.histories.get(arn)) === JSON.stringify(after.histories.get(arn));

/** Without ECS everything else can still be asked. */
async function surveyOrReason(ports: Ports): Promise<FleetFacts | string> {
  try {
    return await ports.fleet.survey();
  } catch (error) {
    if (error instanceof RekeyError) return error.message;
    throw error;
  }
}

/** Quiet while everything holds. A channel that is down must not turn a report into a failure. */
async function post(ports: Ports, report: DriftReport): Promise<void> {
  if (!ports.announcer || report.findings.length === 0) return;
  try {
    await ports.announcer.post(renderDrift(report));
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    ports.tell({ event: "slack.failed", code: error.code, message: error.message });
  }
}
