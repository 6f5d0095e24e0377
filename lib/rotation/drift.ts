/**
 * What should hold on any quiet day, and does not: judged from facts that were read and from nothing else. "Refused" and
 * "could not be asked" are kept apart: the second is a finding of its own and says nothing about the value.
 */
import { byGravity, type Evidence, type Finding, type Severity } from "../finding.ts";
import { type Consumer, type Consumers, findTraps, type StandaloneConsumer } from "./consumers.ts";
import type { FleetFacts, TaskFacts } from "./fleet.ts";
import * as mend from "./mend.ts";
import type { Answer } from "./strategy.ts";

export const DRIFT = {
  "secret-deleted": "critical",
  "current-missing": "critical",
  "current-malformed": "critical",
  "current-refused": "critical",
  "node-reverted": "critical",
  "revoked-accepted": "high",
  "consumer-behind": "high",
  "version-pinned": "high",
  "key-shadowed": "high",
  "pending-left": "medium",
  "rotation-stuck": "medium",
  "could-not-ask": "low",
} as const satisfies Readonly<Record<string, Severity>>;
export type DriftId = keyof typeof DRIFT;
export type DriftFinding = Finding<DriftId>;

/** What a node said, and the line that mends it where a rotation would not. */
export interface NodeFacts extends Answer {
  readonly byHand?: string;
}

export interface CredentialDrift {
  readonly label: string;
  /** Why it could not be asked at all, or why its fields are no credential. */
  readonly unasked?: string;
  readonly malformed?: string;
  readonly current: readonly NodeFacts[];
  readonly revoked: readonly NodeFacts[];
  readonly revokedAt?: string;
}

export interface SecretDrift {
  readonly name: string;
  readonly deletedAt?: Date;
  readonly current?: {
    readonly versionId: string;
    /** A task created earlier holds something else. Undefined if nobody knows. */
    readonly since: Date | undefined;
  };
  readonly previousVersionId?: string;
  readonly pendingVersionId?: string;
  /** The rotation of ours that is open, and how long it may be: a day beyond its longest grace. */
  readonly open?: {
    readonly runId: string;
    readonly since: Date;
    readonly because?: string;
    readonly allowedSeconds: number;
  };
  readonly credentials: readonly CredentialDrift[];
  /** Undefined if ECS could not be asked; `unasked` says why. */
  readonly fleet?: FleetFacts;
  readonly consumers: Consumers;
  readonly rotatingFields: readonly string[];
  /** Questions that could not be put, each in a sentence. */
  readonly unasked: readonly string[];
}

export interface Judged {
  readonly secret: string;
  /** How many things were looked at; each is at most one finding. */
  readonly checks: number;
  readonly findings: readonly DriftFinding[];
}

interface Clock {
  readonly now: Date;
  /** A deployment that is younger may still be replacing tasks. */
  readonly rolloutSeconds: number;
}

type Say = (id: DriftId, says: string, mend: string, evidence?: Readonly<Record<string, string>>) => void;

export function judgeDrift(facts: SecretDrift, clock: Clock): Judged {
  const findings: DriftFinding[] = [];
  const secret = facts.name;
  const say: Say = (id, says, mend, evidence = {}) => {
    const shown = Object.entries(evidence).map(([what, is]): Evidence => ({ what, is }));
    findings.push({ id, severity: DRIFT[id], secret, says: `${secret}: ${says}`, evidence: shown, mend });
  };
  for (const message of facts.unasked) say("could-not-ask", message, mend.verifyAgain(secret));
  const checks =
    facts.unasked.length +
    judgeLabels(facts, clock, say) +
    facts.credentials.reduce((sum, one) => sum + judgeCredential(facts, one, say), 0) +
    (facts.fleet ? judgeConsumers(facts, facts.fleet, clock, say) : 0);
  return { secret, checks, findings: findings.toSorted(byGravity) };
}

function judgeLabels(facts: SecretDrift, { now }: Clock, say: Say): number {
  const { name, current, pendingVersionId: pending, open, deletedAt } = facts;
  if (deletedAt) {
    const when = deletedAt.toISOString();
    say("secret-deleted", "is to be deleted, and no task can read it", mend.restore(name), { deleted: when });
    return 1;
  }
  // Not even its labels could be read; that has been said.
  if (current === undefined && facts.unasked.length > 0) return 0;
  if (current === undefined) {
    const line = mend.currentTo(name, facts.previousVersionId, undefined);
    say("current-missing", "no version carries AWSCURRENT, so no task can start", line);
  }
  if (pending !== undefined && pending !== current?.versionId && open === undefined) {
    say(
      "pending-left",
      "AWSPENDING was left on a version, and no rotation is open",
      mend.dropPending(name, pending),
      {
        version: pending,
      },
    );
  }
  if (open && now.getTime() - open.since.getTime() > open.allowedSeconds * 1000) {
    const why = open.because === undefined ? "" : `; it waits: ${open.because}`;
    say("rotation-stuck", `its rotation has been open for too long${why}`, mend.advance(), {
      run: open.runId,
      since: open.since.toISOString(),
    });
  }
  return open ? 3 : 2;
}

function judgeCredential(facts: SecretDrift, credential: CredentialDrift, say: Say): number {
  const { label, unasked, malformed, revokedAt } = credential;
  const [secret, version] = [facts.name, facts.current?.versionId ?? ""];
  if (unasked !== undefined) {
    say("could-not-ask", unasked, mend.verifyAgain(secret), { credential: label });
    return 1;
  }
  if (malformed !== undefined) {
    const line = mend.currentTo(secret, facts.previousVersionId, version);
    say("current-malformed", `AWSCURRENT does not read as a credential: ${malformed}`, line, { version });
    return 1;
  }
  // While a rotation is open both values live, and are meant to.
  const revoked = facts.open ? [] : credential.revoked;
  const since: Record<string, string> = revokedAt === undefined ? {} : { revoked: revokedAt };
  const alive = new Map(
    revoked.filter(({ verdict }) => verdict === "accepted").map((one) => [one.where, one]),
  );
  const unanswered = new Set<string>();
  // A second answer that is told in the same finding as the first.
  let folded = 0;
  for (const { where, verdict, because, byHand } of credential.current) {
    const about = { credential: label, node: where, version };
    if (verdict === "silent") {
      unanswered.add(where);
      say("could-not-ask", because ?? `${where} could not be asked`, mend.verifyAgain(secret), about);
    } else if (verdict === "refused" && alive.has(where)) {
      alive.delete(where);
      folded += 1;
      const line = byHand ?? mend.rotate(secret);
      say("node-reverted", `${where} refuses AWSCURRENT and accepts the revoked value again`, line, {
        ...about,
        ...since,
      });
    } else if (verdict === "refused") {
      say(
        "current-refused",
        `${where} refuses the value of AWSCURRENT`,
        byHand ?? mend.rotate(secret),
        about,
      );
    }
  }
  for (const { where, byHand } of alive.values()) {
    say("revoked-accepted", `${where} accepts a value that was revoked`, byHand ?? mend.rotate(secret), {
      ...{ credential: label, node: where },
      ...since,
    });
  }
  for (const { where, verdict, because } of revoked) {
    if (verdict !== "silent") continue;
    if (unanswered.has(where)) {
      folded += 1;
      continue;
    }
    const why = because === undefined ? "" : ` (${because})`;
    say(
      "could-not-ask",
      `${where} could not be asked about the revoked value${why}`,
      mend.verifyAgain(secret),
      {
        ...{ credential: label, node: where },
      },
    );
  }
  return credential.current.length + revoked.length - folded;
}

function judgeConsumers(facts: SecretDrift, fleet: FleetFacts, clock: Clock, say: Say): number {
  const { consumers, current, open, name } = facts;
  const traps = findTraps(consumers, fleet, facts.rotatingFields);
  for (const trap of traps) {
    const id = trap.code === "PINNED_VERSION" ? "version-pinned" : "key-shadowed";
    say(id, trap.message, mend.disarm(trap), { container: trap.container, variable: trap.variable });
  }
  for (const declared of consumers.missing) {
    const says = `its tag rekey:consumers names ${declared}, and no such service was found`;
    say("could-not-ask", says, mend.verifyAgain(name), { service: declared });
  }
  const users = consumers.services.length + consumers.tasks.length;
  const trapped = new Set(traps.map(({ holder }) => ("task" in holder ? holder.task : holder.service)));
  const looked = users - trapped.size + traps.length + consumers.missing.length;
  // A rollout is what an open rotation is busy with.
  if (current?.since === undefined || open) return looked;
  const holding = { version: current.versionId, since: current.since.toISOString() };
  for (const one of consumers.services) judgeService(one, fleet, current.since, clock, holding, say);
  for (const { task } of consumers.tasks.filter((one) => isOlder(one, current.since))) {
    const id = shortId(task.taskArn);
    say(
      "consumer-behind",
      `task ${id} runs outside any service and is older than AWSCURRENT`,
      mend.stopTask(task),
      {
        ...holding,
        ...{ task: id, created: task.createdAt.toISOString() },
      },
    );
  }
  return looked + users;
}

const isOlder = ({ task }: StandaloneConsumer, since: Date | undefined) =>
  since !== undefined && task.createdAt < since;

function judgeService(
  { service }: Consumer,
  fleet: FleetFacts,
  since: Date,
  { now, rolloutSeconds }: Clock,
  holding: Readonly<Record<string, string>>,
  say: Say,
): void {
  const old = fleet.tasks.filter((task) => task.service === service.name && task.createdAt < since);
  const [newest] = service.deployments;
  const youngMs = rolloutSeconds * 1000;
  const isOnItsWay =
    newest !== undefined &&
    newest.createdAt >= since &&
    newest.status !== "failed" &&
    now.getTime() - newest.createdAt.getTime() < youngMs;
  if (old.length === 0 || isOnItsWay) return;
  say(
    "consumer-behind",
    `${old.length} task(s) of service ${service.name} are older than AWSCURRENT and do not run on it`,
    mend.redeploy(service),
    {
      ...holding,
      tasks: old.map(({ taskArn }) => shortId(taskArn)).join(" "),
      oldest: oldestOf(old).toISOString(),
      running: `${service.runningCount} of ${service.desiredCount}`,
      ...(newest ? { deployment: `${newest.deploymentId} ${newest.status}` } : {}),
    },
  );
}

const oldestOf = (tasks: readonly TaskFacts[]) =>
  new Date(Math.min(...tasks.map(({ createdAt }) => createdAt.getTime())));
const shortId = (arn: string) => arn.split("/").at(-1) ?? arn;
