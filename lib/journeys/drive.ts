/**
 * The loop that moves a run on: gather, decide, act, again, until it is done, has nothing to do before a far time, or is
 * out of time. rotateAll and advance both end here, so a crash anywhere is healed by whoever comes next.
 */
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import { decide, MAX_UNREACHABLE } from "../rotation/decide.ts";
import type { Decision, Facts, Wait } from "../rotation/decision.ts";
import type { Rotation, Run, WaveRecord } from "../rotation/intent.ts";
import { makeReport, type Report } from "../rotation/report.ts";
import { WAVES, type Wave } from "../rotation/strategy.ts";
import { act } from "./act.ts";
import { deployWhatIsDue, FleetView, noteDeployments, untilNextSettled } from "./deploy.ts";
import {
  askTarget,
  askTargets,
  credentialFacts,
  type FleetLook,
  gatherLabels,
  type Part,
  promotable,
  rolloutFacts,
  Workpiece,
} from "./gather.ts";
import type { Ports } from "./ports.ts";
import { showBoard } from "./showBoard.ts";

/** How long a person is waited for before the worker goes home; `advance` looks again every minute. */
const PERSON_PATIENCE_MS = 30_000;

interface Budget {
  /** Stop acting here: 60 s before the platform would kill us. */
  readonly deadline: Date;
  /** Not worth staying for anything that comes later than this. */
  readonly patience: Date;
}

interface Step {
  readonly rotation: Rotation;
  readonly wait?: Wait;
  /** What it waits for is a look at ECS: at the services known, or at everything. */
  readonly wants?: "look" | "survey";
}

/** @throws RekeyError LEASE_LOST when another worker has taken the run over; it then belongs to that one */
export async function drive(ports: Ports, begun: Run, budget: Budget): Promise<Report> {
  let run = begun;
  let rotations = await ports.log.rotations(run.runId);
  const pieces = new Map<string, Workpiece>();
  const fleet = new FleetView(ports, pieces);
  const limit = pLimit(ports.settings.concurrency);

  for (;;) {
    ports.mayWrite();
    // Nobody else drives this run; but an emergency may have marked one of its rotations, and is waiting for us to stop.
    if ((await ports.log.run(run.runId))?.rev !== run.rev)
      throw new RekeyError(
        "LEASE_LOST",
        `run ${run.runId} was changed by an emergency; its next worker goes on`,
      );
    const view = await fleet.read(rotations);
    run = view ? await noteDeployments(ports, run, view.facts) : run;
    const runWave = waveOf(rotations);
    const current = run;
    const unbegun = notYetBegun(rotations, runWave);
    const later = new Set(unbegun.slice(ports.settings.mostBegun));
    const steps = await Promise.all(
      rotations.map((rotation): Step | Promise<Step> =>
        later.has(rotation)
          ? { rotation }
          : limit(() => advanceRotation(ports, current, rotation, pieces, runWave, view)),
      ),
    );
    rotations = steps.map(({ rotation }) => rotation);
    const makesRoom = later.size > 0 && notYetBegun(rotations, runWave).length < unbegun.length;
    for (const { outcome, secretArn } of rotations) if (outcome !== undefined) pieces.delete(secretArn);
    if (view) run = await deployWhatIsDue(ports, run, rotations, view, runWave);
    const open = steps.filter(({ rotation }) => rotation.outcome === undefined);
    const parked = open.every((step) => isParked(ports, step, budget));
    run = await settle(ports, run, rotations, open.length === 0, parked);
    run = await showBoard(ports, run, rotations, open.length === 0 || parked);
    if (open.length === 0 || parked || ports.now() >= budget.deadline) break;
    if (steps.some(({ wants }) => wants === "survey")) fleet.surveyNext();
    const mayGoOn = makesRoom || steps.some(({ wants }) => wants !== undefined);
    if (!mayGoOn) await ports.sleep(Math.min(ports.settings.pollMs, untilNextSettled(ports, rotations)));
  }
  return makeReport(run, rotations);
}

/**
 * Those that could begin now. Not those that wait, for the wave of others or for Secrets Manager: they would take the turn
 * of the very ones that they wait for. An emergency waits for no turn.
 */
function notYetBegun(rotations: readonly Rotation[], runWave: Wave): readonly Rotation[] {
  return rotations.filter(({ outcome, parkedSince, native, emergency, history }) => {
    const wave = history.at(-1);
    const mayBegin = outcome === undefined && parkedSince === undefined && native === undefined && !emergency;
    return mayBegin && wave?.wave === runWave && !hasBegun(wave);
  });
}

/** Not told by `stagedAt` alone: a process may have died before it noted that. */
const hasBegun = ({ stagedAt, setAttempts, testedAt, promotedAt, retreat }: WaveRecord) =>
  setAttempts > 0 || [stagedAt, testedAt, promotedAt, retreat].some((sign) => sign !== undefined);

/**
 * Waves are gone through together, so that services are deployed once for all secrets of a wave. A rotation that waits
 * for a far time or a person holds nobody back.
 */
function waveOf(rotations: readonly Rotation[]): Wave {
  const waves = rotations
    .filter(({ outcome, parkedSince }) => outcome === undefined && parkedSince === undefined)
    .map(({ history }) => history.at(-1))
    .filter((wave) => wave?.rolledOutAt === undefined)
    .map((wave) => wave?.wave);
  return WAVES.find((wave) => waves.includes(wave)) ?? "rotate";
}

async function advanceRotation(
  ports: Ports,
  run: Run,
  begun: Rotation,
  pieces: Map<string, Workpiece>,
  runWave: Wave,
  view: FleetLook | undefined,
): Promise<Step> {
  let rotation = begun;
  if (rotation.outcome !== undefined) return { rotation };
  try {
    const piece = pieces.get(rotation.secretArn) ?? (await Workpiece.open(ports, rotation));
    pieces.set(rotation.secretArn, piece);
    const lately = piece.lately();
    let read: Read = lately ? "lately" : "now";
    let facts = lately ?? (await gatherLabels(ports, rotation, piece, runWave));
    let parts: Part[] | undefined;
    for (;;) {
      const decision = decide(rotation, facts, ports.now());
      // A new consumer may have appeared since the fleet was last surveyed whole.
      if (decision.do === "note" && decision.that === "rolledOut" && !view?.complete) {
        return { rotation, wants: "survey" };
      }
      if (!bears(read, decision, facts)) {
        read = "now";
        parts = undefined;
        facts = await gatherLabels(ports, rotation, piece, runWave);
        continue;
      }
      if (decision.do === "nothing") return { rotation };
      if (decision.do === "wait") {
        piece.waits(facts, decision);
        return { rotation: await noteWait(ports, rotation, piece, decision), wait: decision };
      }
      if (decision.do === "look") {
        if (decision.at === "rollout" && !view) return { rotation, wants: "look" };
        const wave = rotation.history.at(-1);
        if (decision.at !== "rollout" && wave) parts ??= await piece.parts(rotation, wave);
        facts = await look(ports, run, rotation, decision, facts, parts ?? [], view);
        continue;
      }
      const before = rotation.history.length;
      rotation = await act(ports, rotation, piece, decision);
      tellOf(ports, rotation, decision);
      if (rotation.outcome !== undefined) return { rotation };
      // The next wave begins in the next round, when it is known which wave the others have come to.
      if (rotation.history.length > before) return { rotation, wants: "look" };
      // Our own note changes nothing outside, so what was just looked at stands; but before a revocation it is looked at again.
      if (decision.do === "note" && NOTES.includes(decision.that) && !mayRevoke(rotation, facts)) continue;
      // Nothing can be done until it has settled, except in an emergency.
      if (decision.do === "promote" && !rotation.emergency) return { rotation };
      if (decision.do === "revoke") {
        read = "beforeOurs";
        facts = unasked(facts, decision.label);
        continue;
      }
      read = "now";
      parts = undefined;
      facts = await gatherLabels(ports, rotation, piece, runWave);
    }
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code === "LEASE_LOST") throw error;
    ports.tell({
      event: "rotation.stumbled",
      secret: rotation.secretName,
      code: error.code,
      message: error.message,
    });
    return { rotation: await stumble(ports, rotation, error), wait: { do: "wait", because: error.message } };
  }
}

const NOTES = ["tested", "rolledOut", "confirmed", "revoked"];

/** Whether a server is still to be told that an old value is over. */
function mayRevoke({ history }: Rotation, { credentials = [] }: Facts): boolean {
  const revoked = history.at(-1)?.revoked ?? {};
  return credentials.some(
    ({ label, takenBy, revokes }) => revokes && takenBy === "server" && !(label in revoked),
  );
}

/** The same facts, but the target has yet to be asked what it makes of the old value now. */
function unasked(facts: Facts, label: string): Facts {
  const credentials = (facts.credentials ?? []).map(({ target, ...one }) =>
    one.label === label || target === undefined ? one : { ...one, target },
  );
  return { ...facts, credentials };
}

/** When the facts were read: now, before something that we did in this round, or in an earlier round. */
type Read = "now" | "beforeOurs" | "lately";

/** Whatever changes something outside rests on facts read now; older ones are good for notes, or for waiting on for ECS or for a time. */
function bears(read: Read, decision: Decision, { rollout }: Facts): boolean {
  if (read === "now") return true;
  const isWait = decision.do === "wait" && (rollout === undefined || rollout.state === "running");
  if (read === "lately") return isWait || (decision.do === "look" && decision.at === "rollout");
  return ["look", "note", "wait"].includes(decision.do);
}

async function look(
  ports: Ports,
  run: Run,
  rotation: Rotation,
  decision: Extract<Decision, { do: "look" }>,
  facts: Facts,
  parts: readonly Part[],
  view: FleetLook | undefined,
): Promise<Facts> {
  const wave = rotation.history.at(-1);
  if (!wave) return facts;
  const about = (label: string, changes: object) => ({
    ...facts,
    credentials: (facts.credentials ?? []).map((one) => (one.label === label ? { ...one, ...changes } : one)),
  });
  switch (decision.at) {
    case "target":
      return { ...facts, target: await askTargets(parts), ...promotable(parts) };
    case "rollout": {
      const consumers = view?.consumersOf(rotation.secretArn);
      if (!view || !consumers) return facts;
      return { ...facts, rollout: rolloutFacts(ports, run, rotation, view.facts, consumers) };
    }
    case "credentials":
      return { ...facts, credentials: credentialFacts(parts, wave) };
    case "stragglers": {
      const part = parts.find(({ label }) => label === decision.label);
      return about(decision.label, {
        stragglers: (await part?.strategy.stragglers(part.change, part.at)) ?? [],
      });
    }
    case "revocation": {
      const part = parts.find(({ label }) => label === decision.label);
      return part ? about(decision.label, { target: await askTarget(part) }) : facts;
    }
  }
}

/** A failed act. Before the promotion the secret leaves the run after a few; afterwards both values are kept alive. */
async function stumble(ports: Ports, rotation: Rotation, error: RekeyError): Promise<Rotation> {
  const failures = rotation.failures + 1;
  const wave = rotation.history.at(-1);
  const isSafe = wave !== undefined && wave.promotedAt === undefined && wave.retreat === undefined;
  const isFinal = error.code === "AWS_DENIED" || failures > MAX_UNREACHABLE;
  const problem = { code: error.code, message: error.message };
  if (!isSafe || !isFinal || !wave) {
    return ports.log.saveRotation({ ...rotation, failures, because: error.message, error: problem });
  }
  const at = ports.now().toISOString();
  const given = { ...wave, retreat: { code: error.code, because: error.message, at } };
  const history = [...rotation.history.slice(0, -1), given];
  return ports.log.saveRotation({
    ...rotation,
    failures: 0,
    because: error.message,
    error: problem,
    history,
  });
}

/** A reason that is gone again in a moment is not worth a write for each of many secrets. */
const REASON_LASTS_MS = 2_000;

async function noteWait(
  ports: Ports,
  rotation: Rotation,
  piece: Workpiece,
  { because, until, forPerson }: Wait,
): Promise<Rotation> {
  const parks = forPerson === true || until !== undefined;
  if (parks === (rotation.parkedSince !== undefined)) {
    if (rotation.because === because) return rotation;
    if (!parks && piece.hasWaitedMs(because) < REASON_LASTS_MS) return rotation;
  }
  const { parkedSince, ...rest } = rotation;
  return ports.log.saveRotation({
    ...rest,
    because,
    ...(parks ? { parkedSince: parkedSince ?? ports.now().toISOString() } : {}),
  });
}

function isParked(ports: Ports, { rotation, wait }: Step, budget: Budget): boolean {
  if (!wait) return false;
  if (wait.until) return wait.until > budget.patience;
  const since = rotation.parkedSince;
  return (
    wait.forPerson === true &&
    since !== undefined &&
    ports.now().getTime() - Date.parse(since) > PERSON_PATIENCE_MS
  );
}

async function settle(
  ports: Ports,
  run: Run,
  rotations: readonly Rotation[],
  over: boolean,
  parked: boolean,
): Promise<Run> {
  const status = over ? "done" : parked ? "waiting" : "rotating";
  if (status === run.status) return run;
  if (over) await releaseLeft(ports, run.runId, rotations);
  ports.tell({ event: over ? "run.done" : `run.${status}`, runId: run.runId });
  return ports.log.saveRun({ ...run, status, ...(over ? { finishedAt: ports.now().toISOString() } : {}) });
}

/** A crash between an outcome and its release would leave the secret claimed for ever. */
async function releaseLeft(ports: Ports, runId: string, rotations: readonly Rotation[]): Promise<void> {
  const claims = await ports.log.claims();
  const left = rotations.filter(({ secretArn }) => claims.get(secretArn) === runId);
  await Promise.all(left.map((rotation) => ports.log.release(rotation)));
}

const PHASE_OF: Readonly<Partial<Record<string, string>>> = {
  stage: "stage",
  set: "set",
  tested: "test",
  promote: "promote",
  promoted: "promote",
  rolledOut: "rollOut",
  confirmed: "confirm",
  revoked: "revoke",
  finish: "finish",
};

function tellOf(
  ports: Ports,
  rotation: Rotation,
  decision: Exclude<Decision, { do: "look" | "wait" | "nothing" }>,
): void {
  const wave = rotation.history.findLast(({ finishedAt }) => decision.do !== "finish" || finishedAt)?.wave;
  const phase = PHASE_OF[decision.do === "note" ? decision.that : decision.do];
  const about = { secret: rotation.secretName, wave, rotationId: rotation.rotationId };
  if (phase) ports.tell({ event: "rotation.phase", ...about, phase, state: "done" });
  else
    ports.tell({
      event: `rotation.${decision.do}`,
      ...about,
      because: "because" in decision ? decision.because : "",
    });
}
