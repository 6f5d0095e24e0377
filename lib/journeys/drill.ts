/**
 * The monthly drill: what would be done if the canary's value leaked, done end to end, and timed. It begins a run like any
 * other, so that people approve it and proofs are waited for as on the night that it is for; a later call sees how it went,
 * holds it against the last ones and tells it. Only a secret that is tagged as a canary, and that Rekey rotates, is touched.
 */
import { RekeyError } from "../errors.ts";
import { compareDrills, type Drill, drillMessage, drillResult, noCanaryMessage } from "../incident/drill.ts";
import type { Drills } from "../incident/drills.ts";
import { runIdOf } from "../incident/happening.ts";
import type { PostMortems } from "../incident/postMortems.ts";
import type { Run } from "../incident/run.ts";
import type { Voice } from "../incident/voice.ts";
import type { Message } from "../message.ts";
import type { SecretFacts, SecretStore } from "../rotation/secretStore.ts";
import type { Beginning } from "./openIncident.ts";
import type { Ports } from "./ports.ts";
import type { KeptIncident } from "./postMortem.ts";

const DRILL_RUNBOOK = "secret-compromised";
const REASON = "This is a drill with a canary secret; do what you would do.";
const CANARY_TAG = "rekey:canary";
const STRATEGY_TAG = "rekey:strategy";
/** A person's steps may take a day; after two it is told as it stands. */
const LONGEST_MS = 2 * 86_400_000;

export interface DrillPorts extends Pick<Ports, "tell" | "now"> {
  /** Undefined when no channel is configured. What is said twice under one name is one message. */
  readonly voice?: Pick<Voice, "say">;
  readonly store: Pick<SecretStore, "list">;
  readonly drills: Drills;
  readonly runs: {
    /** Safe to repeat: about the same, it is the same run. @returns its id */
    begin(asked: Omit<Beginning, "firstUseAt">): Promise<string>;
    read(id: string): Promise<KeptIncident | undefined>;
  };
  readonly postMortems?: PostMortems;
}

export interface DrillAnswer {
  readonly began?: string;
  /** Why none began, if one was to. */
  readonly notBegun?: string;
  readonly settled: readonly Drill[];
  readonly open: readonly string[];
}

/**
 * @param name of the drill that is to begin, as `2026-11`; the same name again is the same drill. Absent: only to see how those
 * went that did
 * @throws RekeyError AWS_*, RECORD_INVALID
 */
export async function drill(ports: DrillPorts, name?: string): Promise<DrillAnswer> {
  const all = await ports.drills.all();
  const settled: Drill[] = [];
  const open: string[] = [];
  for (const one of all.filter(({ result }) => result === undefined)) {
    const done = await settle(ports, one, all);
    if (done) settled.push(done);
    else open.push(one.run);
  }
  if (name === undefined || all.some(({ run }) => run === runOf(name))) return { settled, open };
  return { settled, ...(await begin(ports, name, all, open)) };
}

async function begin(ports: DrillPorts, name: string, all: readonly Drill[], open: readonly string[]) {
  const canary = open.length > 0 ? undefined : canaryIn(await ports.store.list(), all);
  if (canary === undefined) {
    const why =
      open.length > 0
        ? `the last one, ${open[0]}, has not ended`
        : `no secret has both the tag ${CANARY_TAG}=true and ${STRATEGY_TAG}`;
    ports.tell({ event: "drill.notBegun", because: why });
    await say(ports, `drill-${name}`, noCanaryMessage(why));
    return { notBegun: why, open };
  }
  const run = runOf(name);
  // Kept first: a run without its drill would be told by nobody, a drill without its run begins when it is looked at.
  await ports.drills.begin({ run, name, secret: canary.name, startedAt: ports.now().toISOString() });
  await ports.runs.begin(askedFor(name, canary.name));
  ports.tell({ event: "drill.began", run, secret: canary.name });
  return { began: run, open: [...open, run] };
}

const aboutOf = (name: string) => ["drill", name];
const runOf = (name: string) => runIdOf(DRILL_RUNBOOK, ...aboutOf(name));

const askedFor = (name: string, secret: string) => ({
  runbook: DRILL_RUNBOOK,
  inputs: { secret, reason: REASON },
  reason: REASON,
  requestedBy: { rekey: "schedule" } as const,
  about: aboutOf(name),
});

/** The one that was not drilled for the longest, so that with several each has its turn. */
function canaryIn(secrets: readonly SecretFacts[], all: readonly Drill[]): SecretFacts | undefined {
  const lastOf = (name: string) =>
    all
      .filter(({ secret }) => secret === name)
      .map(({ startedAt }) => startedAt)
      .toSorted()
      .at(-1) ?? "";
  const [first] = secrets
    .filter(({ tags, deletedAt }) => tags.get(CANARY_TAG) === "true" && tags.has(STRATEGY_TAG) && !deletedAt)
    .toSorted((a, b) => lastOf(a.name).localeCompare(lastOf(b.name)) || a.name.localeCompare(b.name));
  return first;
}

/** @returns undefined while it is under way */
async function settle(ports: DrillPorts, one: Drill, all: readonly Drill[]): Promise<Drill | undefined> {
  const kept = await ports.runs.read(one.run);
  if (!kept) {
    // Whoever kept it died before the run began.
    await ports.runs.begin(askedFor(one.name, one.secret));
    return undefined;
  }
  const { run, runbook, noticed } = kept;
  const isOver = ports.now().getTime() - Date.parse(one.startedAt) >= LONGEST_MS;
  if (!run.ended && !isOver) return undefined;
  const drilled = { ...one, result: drillResult(run, runbook, noticed ? { noticed } : {}) };
  const comparison = compareDrills(drilled, all);
  // Told first: whoever comes after one that died in between says the same, which is one message.
  const link = await linkTo(ports, run);
  await say(ports, one.run, drillMessage(drilled, comparison, link));
  await ports.drills.settle(one.run, drilled.result);
  const { containSeconds, as, failed } = drilled.result;
  ports.tell({
    event: "drill.settled",
    run: one.run,
    containSeconds,
    as,
    failed: failed.length,
    verdict: comparison.verdict,
  });
  return drilled;
}

async function linkTo({ postMortems, tell }: DrillPorts, run: Run): Promise<string | undefined> {
  if (!postMortems) return undefined;
  try {
    return (await postMortems.open(run)).link;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    tell({ event: "postMortem.failed", run: run.id, code: error.code, message: error.message });
    return undefined;
  }
}

const say = async ({ voice }: DrillPorts, threadId: string, message: Message): Promise<void> =>
  voice?.say({ threadId, key: "drill", message, priority: "P3" });
