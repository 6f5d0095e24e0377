/**
 * The smallest durable record of what a rotation means to do: what cannot be read back from Secrets Manager, ECS or the
 * target. Written before the act it speaks of. Everything else is looked up afresh in every round.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { WAVES } from "./strategy.ts";

const time = z.iso.datetime();
const wave = z.enum(WAVES);
const objection = z.object({ code: z.string(), message: z.string() });
export type RecordedObjection = z.infer<typeof objection>;

/** Why a wave is given up, and how far it had come. */
const retreat = z.object({
  code: z.string(),
  because: z.string(),
  at: time,
  /** The service whose deployment failed, if that was it. */
  service: z.optional(z.string()),
  /** When AWSCURRENT was back on the old version. */
  demotedAt: z.optional(time),
  withdrawnAt: z.optional(time),
});

const session = z.object({ login: z.string(), from: z.string(), program: z.optional(z.string()) });

/** When each phase of the wave ended. */
const waveRecord = z.object({
  wave,
  fromVersionId: z.string(),
  toVersionId: z.string(),
  startedAt: time,
  stagedAt: z.optional(time),
  setAttempts: z._default(z.number(), 0),
  /** The last attempt ran to its end; only then is it saved at the target. */
  setAt: z.optional(time),
  testedAt: z.optional(time),
  /** After AWSCURRENT moved; a task created earlier may hold the old value. */
  promotedAt: z.optional(time),
  /** When AWSCURRENT was seen elsewhere after the promotion; tasks that start meanwhile hold something else. */
  displacedAt: z.optional(time),
  rolledOutAt: z.optional(time),
  confirmedAt: z.optional(time),
  /** Label of a credential -> the sessions on its old value that an emergency is about to end. */
  cut: z._default(z.record(z.string(), z.array(session)), {}),
  /** Labels of the credentials whose revocation ran to its end; only then is it saved at the target. */
  switchedOff: z._default(z.array(z.string()), []),
  /** Label of a credential -> when its old value was then tried and refused. */
  revoked: z._default(z.record(z.string(), time), {}),
  revokedAt: z.optional(time),
  finishedAt: z.optional(time),
  retreat: z.optional(retreat),
});
export type WaveRecord = z.infer<typeof waveRecord>;

export const OUTCOMES = ["rotated", "dropped", "rolledBack"] as const;
export type Outcome = (typeof OUTCOMES)[number];

const rotation = z.object({
  runId: z.string(),
  rotationId: z.string(),
  secretArn: z.string(),
  secretName: z.string(),
  /** The credentials that this rotation changes, and the waves that each takes part in. */
  credentials: z.array(z.object({ label: z.string(), waves: z.array(wave) })),
  briefCut: z.boolean(),
  /** The value in use has leaked. May be set on a rotation that is under way. */
  emergency: z._default(z.boolean(), false),
  waves: z.array(wave),
  /** Records of the waves begun so far; the last one is under way. */
  history: z.array(waveRecord),
  /** `cluster/service` names found in preflight; re-read in every round. */
  consumers: z.array(z.string()),
  notes: z.array(z.string()),
  /** Begun by Secrets Manager, which asks for each step up to finishSecret. */
  native: z.optional(
    z.object({
      askedAt: time,
      /** Not finished by then: given up. */
      until: time,
    }),
  ),
  /** Why it waits, for people. */
  because: z.optional(z.string()),
  /** Set while only a far time or a person can move it on. */
  parkedSince: z.optional(time),
  failures: z._default(z.number(), 0),
  outcome: z.optional(z.enum(OUTCOMES)),
  error: z.optional(objection),
  /** Optimistic lock: the number of the write that made this record. */
  rev: z.number(),
});
export type Rotation = z.infer<typeof rotation>;

const deployment = z.object({
  service: z.string(),
  wave,
  back: z._default(z.boolean(), false),
  requestedAt: time,
  deploymentId: z.optional(z.string()),
  status: z.enum(["requested", "running", "succeeded", "failed", "superseded"]),
  reason: z.optional(z.string()),
  finishedAt: z.optional(time),
  tasksReplaced: z._default(z.number(), 0),
});
export type DeploymentRecord = z.infer<typeof deployment>;

export const requestSchema = z.object({
  only: z.optional(z.array(z.string())),
  except: z.optional(z.array(z.string())),
  dryRun: z._default(z.boolean(), false),
  force: z._default(z.boolean(), false),
  emergency: z._default(z.boolean(), false),
  reason: z.optional(z.string()),
  scheduled: z._default(z.boolean(), false),
  /** ClientRequestToken of Secrets Manager's own rotation: the id of the rotation and of its new version. */
  native: z.optional(z.string()),
});
export type RotationRequest = z.infer<typeof requestSchema>;

const run = z.object({
  runId: z.string(),
  createdAt: time,
  request: requestSchema,
  /** `waiting`: nothing moves before a far time or a person; other runs may start. */
  status: z.enum(["preflight", "rotating", "waiting", "done", "refused"]),
  refused: z.array(
    z.object({ secretName: z.string(), secretArn: z.string(), objections: z.array(objection) }),
  ),
  notDue: z.array(z.string()),
  deployments: z.array(deployment),
  finishedAt: z.optional(time),
  /** The run's one message in the security channel. */
  board: z.optional(
    z.object({
      messageId: z.optional(z.string()),
      /** Digest of what stands there; differs from what should stand there while Slack is down. */
      shown: z.optional(z.string()),
      /** Secrets whose details stand in the thread. */
      told: z._default(z.array(z.string()), []),
      notBefore: z.optional(time),
    }),
  ),
  rev: z.number(),
});
export type Run = z.infer<typeof run>;

export const isOver = ({ status }: Pick<Run, "status">): boolean => status === "done" || status === "refused";

/** What is remembered of a secret between runs. */
const history = z.object({
  /** The version that a rotation of ours made AWSCURRENT last, and when; a person may have moved the label since. */
  current: z.optional(z.object({ versionId: z.string(), since: time })),
  /** Credential label -> when it was last rotated, since when its `next` key is published, which value was revoked last. */
  credentials: z.record(
    z.string(),
    z.object({
      rotatedAt: z.optional(time),
      nextKid: z.optional(z.string()),
      nextPublishedAt: z.optional(time),
      /** The version that holds the value which was tried and refused. */
      revoked: z.optional(z.object({ versionId: z.string(), at: time })),
    }),
  ),
});
export type SecretHistory = z.infer<typeof history>;

const schemas = { run, rotation, history } as const;
interface Records {
  run: Run;
  rotation: Rotation;
  history: SecretHistory;
}

/** @throws RekeyError RECORD_INVALID: a record that does not read back whole is never acted upon. */
export function readRecord<Kind extends keyof Records>(kind: Kind, value: unknown): Records[Kind] {
  const parsed = schemas[kind].safeParse(value);
  if (parsed.success) return parsed.data as Records[Kind];
  const where = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new RekeyError("RECORD_INVALID", `stored ${kind} record is not readable at: ${where}`);
}

export interface Lease {
  /** Fencing token: greater than that of every worker before. */
  readonly token: number;
  /** Whether the worker before never gave its lease back. */
  readonly tookOver: boolean;
}

/** Where intents, leases and histories live. Every write is conditional: a writer who was overtaken gets LEASE_LOST. */
export interface RotationLog {
  /**
   * Makes this run the one that is under way. An emergency waits for no other run, only for one that was asked for the
   * same secrets.
   * @returns the run that was created, or the id of the one that is already under way (or was made from the same event)
   */
  begin(run: Run): Promise<{ readonly begun: true } | { readonly begun: false; readonly runId: string }>;
  /** Opens a run beside others. Opens one again that was refused. */
  open(run: Run): Promise<Run>;
  run(runId: string): Promise<Run | undefined>;
  openRuns(): Promise<readonly string[]>;
  rotations(runId: string): Promise<readonly Rotation[]>;
  /** Stores the run with the next `rev`. A run that waits or has ended no longer stands in the way of others. */
  saveRun(run: Run): Promise<Run>;
  saveRotation(rotation: Rotation): Promise<Rotation>;
  /**
   * Makes an emergency of a rotation that another run has open. Whoever drives that run sees that its records have changed
   * and stops. Safe to repeat.
   */
  hurry(runId: string, secretArn: string): Promise<void>;
  /** Takes a run that is done, and told, off the list of what `advance` looks at. */
  closeRun(runId: string): Promise<void>;
  /** Ids of runs that were taken off the list within the last days: what they did may still arrive in CloudTrail. */
  closedRuns(): Promise<readonly string[]>;
  /** Claims the secret for this rotation. @returns undefined, or the run that still has it open. */
  claim(rotation: Rotation): Promise<string | undefined>;
  /** Run ids by secret ARN for secrets whose rotation is not finished. */
  claims(): Promise<ReadonlyMap<string, string>>;
  /** Gives the secret free for the next rotation. Safe to repeat. */
  release(rotation: Pick<Rotation, "runId" | "secretArn">): Promise<void>;
  remember(secretArn: string, history: SecretHistory): Promise<void>;
  history(secretArn: string): Promise<SecretHistory>;
  histories(): Promise<ReadonlyMap<string, SecretHistory>>;
  /** Takes the run for this worker, also from one whose lease has run out. @returns undefined while another holds it */
  lease(runId: string, holder: string, now: Date, seconds: number): Promise<Lease | undefined>;
  /** @returns false when another worker has taken the run meanwhile */
  renew(runId: string, holder: string, now: Date, seconds: number): Promise<boolean>;
  unlease(runId: string, holder: string): Promise<void>;
  /** The same log for one worker: where a later worker has saved, this one's saves fail with LEASE_LOST. */
  fencedBy(token: number): RotationLog;
}
