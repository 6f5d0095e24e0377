/**
 * rotateSecret: the engine behind Secrets Manager's own rotation. The four steps carry one version as far as AWSCURRENT, with
 * the same records as any other rotation, and `advance` does the rest: roll out, confirm, revoke, finish. Until finishSecret
 * nobody but Secrets Manager moves such a rotation on; `advance` only cleans up when it is abandoned.
 */
import { type ErrorCode, RekeyError } from "../errors.ts";
import { decide } from "../rotation/decide.ts";
import type { Facts } from "../rotation/decision.ts";
import type { Rotation, Run } from "../rotation/intent.ts";
import { readTags } from "../rotation/managed.ts";
import { isTooLate, stepsSeconds } from "../rotation/native.ts";
import { holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import { admits, answer } from "../rotation/steps.ts";
import { act, newWave } from "./act.ts";
import { askTarget, askTargets, gatherLabels, Workpiece } from "./gather.ts";
import { takeHold, underHold } from "./hold.ts";
import type { Ports } from "./ports.ts";
import { start } from "./start.ts";
import type { StepRequest } from "./stepRequest.ts";
import type { Invocation } from "./work.ts";

/** How long a staged value may take to become readable; Secrets Manager is eventually consistent after a put. */
const READABLE_MS = 5_000;

/** @throws RekeyError whatever keeps the step from being done; nothing has been changed then that a later try would not find */
export async function rotateSecret(free: Ports, request: StepRequest, invocation: Invocation): Promise<void> {
  const { step, token } = request;
  const facts = await free.store.describe(request.secretId);
  const about = { secret: facts.name, step, version: token };
  if (!admits(facts, token)) {
    free.tell({ event: "native.step", ...about, state: "current already" });
    return;
  }
  const runId = runIdOf(facts, token);
  await held(free, runId, invocation, async (ports) => {
    const rotation =
      step === "createSecret"
        ? await begin(ports, facts, token, runId, invocation)
        : (await ports.log.rotations(runId))[0];
    if (rotation) await take(ports, request, rotation);
    else if (step === "testSecret") await tryStaged(ports, facts, token);
    else {
      throw new RekeyError(
        "STEP_OUT_OF_ORDER",
        `${step}: createSecret has not been done for version ${token} of ${facts.name}`,
      );
    }
  });
  free.tell({ event: "native.step", ...about, state: "done" });
}

/** Two secrets may be rotated with the same token; an ARN ends in six characters of its own. */
const runIdOf = ({ arn }: SecretFacts, token: string) => `${token}-${arn.slice(-6)}`;

/**
 * What differs while Secrets Manager sets the pace: a new value is made to last through the steps and a whole rollout, and is
 * handed over with the rotation token, which Secrets Manager wants back from a function with another identity.
 */
function forSteps(ports: Ports, { rotationToken }: StepRequest): Ports {
  const { store, settings } = ports;
  const rolloutSeconds = settings.rolloutSeconds + stepsSeconds(settings.rolloutSeconds);
  return {
    ...ports,
    settings: { ...settings, rolloutSeconds },
    store: {
      ...store,
      stage: (arn, id, text) => store.stage(arn, id, text, rotationToken ? { rotationToken } : {}),
    },
  };
}

/** Waits for whoever has the run: `advance` for a moment, or a step that was killed until its lease runs out. */
async function held(
  free: Ports,
  runId: string,
  { holder, deadline }: Invocation,
  work: (ports: Ports) => Promise<void>,
): Promise<void> {
  for (;;) {
    const hold = await takeHold(free, runId, holder);
    if (hold) return work(underHold(free, hold)).finally(hold.letGo);
    if (free.now() >= deadline)
      throw new RekeyError("LEASE_LOST", `run ${runId} is driven by another worker; try this step again`);
    await free.sleep(free.settings.pollMs);
  }
}

/** The rotation's records: those of an earlier try, or new ones if preflight has nothing against it. */
async function begin(
  ports: Ports,
  facts: SecretFacts,
  token: string,
  runId: string,
  invocation: Invocation,
): Promise<Rotation> {
  const known = await ports.log.run(runId);
  const [already] = await ports.log.rotations(runId);
  if (already) return already;
  const only = [facts.arn];
  const request = {
    only,
    dryRun: false,
    force: true,
    emergency: false,
    scheduled: false,
    native: token,
  } as const;
  const fresh: Run = {
    runId,
    createdAt: ports.now().toISOString(),
    request: { ...request, only: [...only], reason: "Secrets Manager's own rotation" },
    status: "preflight",
    refused: [],
    notDue: [],
    deployments: [],
    rev: 0,
  };
  // A try that was refused is no last word: services may be steady by now.
  const { finishedAt: _, ...rest } = known ?? fresh;
  const run = await start(
    ports,
    await ports.log.open({ ...rest, status: "preflight", refused: [] }),
    invocation,
  );
  const [made] = await ports.log.rotations(runId);
  if (made) return made;
  const objections = run.refused.flatMap(({ objections }) => objections);
  throw new RekeyError(
    (objections[0]?.code ?? "RECORD_INVALID") as ErrorCode,
    objections.map(({ message }) => message).join("; ") || `run ${runId} has no rotation`,
  );
}

/** Carries out this step's share of what the engine would do, and no more. */
async function take(ports: Ports, request: StepRequest, begun: Rotation): Promise<void> {
  const { step, token } = request;
  const late = begun.native && isTooLate(begun.native, ports.now()) ? "it came too late" : undefined;
  const because = begun.outcome === undefined ? late : (begun.because ?? begun.outcome);
  if (because !== undefined) {
    throw new RekeyError(
      "ROTATION_ABANDONED",
      `${step}: the rotation to version ${token} is over (${because}); start a new one with aws secretsmanager rotate-secret`,
    );
  }
  let rotation = await ports.log.saveRotation(asked(ports.now(), step, begun));
  const piece = await Workpiece.open(ports, rotation);
  for (;;) {
    const wave = rotation.history.at(-1);
    let facts: Facts = { ...(await gatherReadable(ports, step, rotation, piece)), asked: true };
    if (wave?.promotedAt !== undefined && facts.labels.current === token) {
      // As AWS's own functions leave it. The engine takes the label off as well, should we die before this.
      if (step === "finishSecret") await ports.store.dropPending(rotation.secretArn, token);
      return;
    }
    let next = answer(step, decide(rotation, facts, ports.now()));
    if (next.go === "look" && wave) {
      facts = { ...facts, target: await askTargets(await piece.parts(rotation, wave)) };
      next = answer(step, decide(rotation, facts, ports.now()));
    }
    if (next.go !== "act") return;
    rotation = await act(forSteps(ports, request), rotation, piece, next.act);
  }
}

/** Notes that Secrets Manager is at it. Each setSecret may try once more what an earlier one could not bring about. */
function asked(now: Date, step: StepRequest["step"], rotation: Rotation): Rotation {
  const wave = rotation.history.at(-1);
  const history =
    step === "setSecret" && wave
      ? [...rotation.history.slice(0, -1), { ...wave, setAttempts: Math.min(wave.setAttempts, 1) }]
      : rotation.history;
  const until = rotation.native?.until ?? now.toISOString();
  return { ...rotation, history, native: { askedAt: now.toISOString(), until } };
}

async function gatherReadable(
  ports: Ports,
  step: StepRequest["step"],
  rotation: Rotation,
  piece: Workpiece,
): Promise<Facts> {
  const wave = rotation.history.at(-1);
  const deadline = ports.now().getTime() + READABLE_MS;
  for (;;) {
    const facts = await gatherLabels(ports, rotation, piece, wave?.wave ?? "rotate");
    const isDue = step !== "createSecret" && wave?.stagedAt !== undefined;
    if (facts.labels.staged || !isDue || ports.now().getTime() > deadline) return facts;
    await ports.sleep(ports.settings.pollMs);
  }
}

/**
 * testSecret by itself: how Secrets Manager tries a function out that is attached without rotating at once, with a version
 * that no createSecret of ours made.
 */
async function tryStaged(ports: Ports, facts: SecretFacts, token: string): Promise<void> {
  const managed = readTags(facts.arn, facts.name, facts.tags);
  const credentials = managed.credentials.map(({ label }) => ({ label, waves: ["rotate" as const] }));
  const piece = await Workpiece.open(ports, { secretArn: facts.arn });
  const fromVersionId = holderOf(facts, "AWSCURRENT")?.versionId ?? "";
  const wave = newWave({ rotationId: token }, "rotate", fromVersionId, ports.now());
  for (const part of await piece.parts({ credentials, emergency: false }, wave)) {
    const target = await askTarget(part);
    if ("unreachable" in target) throw new RekeyError("TARGET_UNREACHABLE", target.unreachable);
    for (const [which, verdict] of [
      ["new", target.to],
      ["present", target.from],
    ] as const) {
      if (verdict === "accepted") continue;
      const code = which === "new" ? "PENDING_REFUSED" : "TARGET_REFUSES_CURRENT";
      throw new RekeyError(code, `testSecret: ${part.label}: the target refuses the ${which} value`);
    }
  }
}
