/**
 * The rotation log in memory, made of the same conditional writes as the one in DynamoDB, each of them a call of its own:
 * a worker may die between any two.
 */
import { RekeyError } from "../../lib/errors.ts";
import type { Rotation, RotationLog, Run, SecretHistory } from "../../lib/rotation/intent.ts";

export type Ask = <T>(name: string, effect: () => T) => Promise<T>;

const POINTER_GRACE_MS = 60_000;

export class Records {
  readonly runs = new Map<string, Run>();
  /** `run id`, then secret ARN. */
  readonly rotations = new Map<string, Map<string, Rotation>>();
  readonly open = new Set<string>();
  /** Of rotations, so far. */
  writes = 0;
  /** The run that others must not start beside: one for all, and one for each set of secrets that leaked. */
  readonly active = new Map<string, { readonly runId: string; readonly since: string }>();
  readonly claims = new Map<string, string>();
  readonly histories = new Map<string, SecretHistory>();
  readonly leases = new Map<string, { holder: string | undefined; until: number; readonly token: number }>();
  /** Record -> the greatest token that ever wrote it. */
  readonly fences = new Map<string, number>();
  /** Told of each rotation that is stored, and of those that are read. */
  onRotation: ((next: Rotation, worker: string) => void) | undefined;
  onRead: ((rotations: readonly Rotation[], worker: string) => void) | undefined;

  openRotations(): Rotation[] {
    return [...this.open].flatMap((runId) =>
      [...(this.rotations.get(runId)?.values() ?? [])].filter(({ outcome }) => outcome === undefined),
    );
  }
}

const givesWay = ({ status }: Run) => ["done", "refused", "waiting"].includes(status);

const pointerOf = ({ request: { emergency, only, except } }: Run) =>
  emergency ? JSON.stringify([only, except]) : "";

export function logOn(records: Records, ask: Ask, worker: string, token = 0): RotationLog {
  const overtaken = (what: string) =>
    new RekeyError("LEASE_LOST", `another worker wrote ${what} first; this one stops`);
  const fence = (what: string) => {
    if ((records.fences.get(what) ?? 0) > token) throw overtaken(what);
    records.fences.set(what, token);
  };
  const saveRun = (run: Run) => {
    if ((records.runs.get(run.runId)?.rev ?? 0) !== run.rev) throw overtaken(`run ${run.runId}`);
    fence(`run ${run.runId}`);
    const next = { ...run, rev: run.rev + 1 };
    records.runs.set(run.runId, next);
    return next;
  };
  const log: RotationLog = {
    async begin(run) {
      if (await ask("log.begin", () => records.runs.has(run.runId)))
        return { begun: false, runId: run.runId };
      const pointer = pointerOf(run);
      const won = await ask("log.begin", () => {
        if (records.active.has(pointer)) return false;
        records.active.set(pointer, { runId: run.runId, since: run.createdAt });
        return true;
      });
      if (!won) {
        const active = await ask("log.begin", () => records.active.get(pointer));
        const record =
          active === undefined
            ? undefined
            : await ask("log.begin", () => ({ of: records.runs.get(active.runId) }));
        const isRecent =
          active !== undefined && Date.parse(run.createdAt) - Date.parse(active.since) < POINTER_GRACE_MS;
        const isHeld = record?.of ? !givesWay(record.of) : isRecent;
        if (active === undefined || isHeld) return { begun: false, runId: active?.runId ?? "" };
        if (!record?.of) {
          const ended = { ...run, runId: active.runId, createdAt: active.since, status: "refused" as const };
          const isWritten = await ask("log.begin", () => {
            if (records.runs.has(active.runId)) return true;
            saveRun(ended);
            return false;
          });
          if (isWritten) return { begun: false, runId: active.runId };
          await log.closeRun(active.runId);
        }
        await ask("log.begin", () => {
          if (records.active.get(pointer)?.runId === active.runId) records.active.delete(pointer);
        });
        return log.begin(run);
      }
      await log.open(run);
      return { begun: true };
    },
    async open(run) {
      await ask("log.open", () => records.open.add(run.runId));
      return ask("log.open", () => saveRun(run));
    },
    run: (runId) => ask("log.run", () => records.runs.get(runId)),
    openRuns: () => ask("log.openRuns", () => [...records.open]),
    rotations: (runId) =>
      ask("log.rotations", () => {
        const found = [...(records.rotations.get(runId)?.values() ?? [])];
        records.onRead?.(found, worker);
        return found;
      }),
    async saveRun(run) {
      const saved = await ask("log.saveRun", () => saveRun(run));
      if (givesWay(run)) {
        await ask("log.saveRun", () => {
          if (records.active.get(pointerOf(run))?.runId === run.runId) records.active.delete(pointerOf(run));
        });
      }
      return saved;
    },
    saveRotation: (rotation) =>
      ask("log.saveRotation", () => {
        const ofRun = records.rotations.get(rotation.runId) ?? new Map<string, Rotation>();
        if ((ofRun.get(rotation.secretArn)?.rev ?? 0) !== rotation.rev) throw overtaken(rotation.secretName);
        fence(`${rotation.runId} ${rotation.secretArn}`);
        const next = { ...rotation, rev: rotation.rev + 1 };
        records.rotations.set(rotation.runId, ofRun.set(rotation.secretArn, next));
        records.writes++;
        records.onRotation?.(next, worker);
        return next;
      }),
    async hurry(runId, secretArn) {
      await ask("log.hurry", () => {
        const one = records.rotations.get(runId)?.get(secretArn);
        if (one) records.rotations.get(runId)?.set(secretArn, { ...one, emergency: true, rev: one.rev + 1 });
      });
      await ask("log.hurry", () => {
        const run = records.runs.get(runId);
        if (run) records.runs.set(runId, { ...run, rev: run.rev + 1 });
      });
    },
    closedRuns: async () => [],
    closeRun: (runId) => ask("log.closeRun", () => void records.open.delete(runId)),
    claim: ({ secretArn, runId }) =>
      ask("log.claim", () => {
        const other = records.claims.get(secretArn);
        if (other !== undefined && other !== runId) return other;
        records.claims.set(secretArn, runId);
        return undefined;
      }),
    claims: () => ask("log.claims", () => new Map(records.claims)),
    release: ({ secretArn, runId }) =>
      ask("log.release", () => {
        if (records.claims.get(secretArn) === runId) records.claims.delete(secretArn);
      }),
    remember: (arn, history) => ask("log.remember", () => void records.histories.set(arn, history)),
    history: (arn) => ask("log.history", () => records.histories.get(arn) ?? { credentials: {} }),
    histories: () => ask("log.histories", () => new Map(records.histories)),
    lease: (runId, holder, now, seconds) =>
      ask("log.lease", () => {
        const before = records.leases.get(runId);
        const other = before?.holder;
        if (before && other !== undefined && other !== holder && before.until >= now.getTime())
          return undefined;
        const next = (before?.token ?? 0) + 1;
        records.leases.set(runId, { holder, until: now.getTime() + seconds * 1000, token: next });
        return { token: next, tookOver: other !== undefined && other !== holder };
      }),
    renew: (runId, holder, now, seconds) =>
      ask("log.renew", () => {
        const lease = records.leases.get(runId);
        if (lease?.holder !== holder) return false;
        lease.until = now.getTime() + seconds * 1000;
        return true;
      }),
    unlease: (runId, holder) =>
      ask("log.unlease", () => {
        const lease = records.leases.get(runId);
        if (lease?.holder === holder) lease.holder = undefined;
      }),
    fencedBy: (later) => logOn(records, ask, worker, later),
  };
  return log;
}
