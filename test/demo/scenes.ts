/** What the demo can show while the traffic runs, each as one act of the real handler, and what is told meanwhile. */
import type { Report } from "../../lib/rotation/report.ts";
import { rotateInAwsOrder } from "./awsOrder.ts";
import type { Scene } from "./options.ts";
import type { Progress } from "./progress.ts";
import { BUNDLE, type World } from "./world.ts";

/** What came of it, by the names of the secrets. */
export interface Played {
  readonly rotated: readonly string[];
  readonly rolledBack: readonly string[];
  /** Secret -> id of the version that was taken back. */
  readonly withdrawn: Readonly<Record<string, string>>;
  /** Secret -> what the report says of it. */
  readonly sentences: Readonly<Record<string, string>>;
  /** Credential -> seconds from the call until its leaked value was tried and refused. */
  readonly diedAfterSeconds: Readonly<Record<string, number>>;
  /** Sessions on leaked values that were ended. */
  readonly cut: number;
}

/** Longer than any rollout here, so that tasks that hang are ended by Rekey's own patience and not by ECS's. */
const HANGING_MS = 300_000;

/** A failure for the deployment that comes next, as a bad image or a full cluster would have it. */
export function prepare({ cloud }: World, scene: Scene): void {
  if (scene.kind !== "break") return;
  if (scene.fault === "unhealthy") cloud.ecs.pace.healthTimeoutMs = HANGING_MS;
  cloud.ecs.failNext(scene.service, scene.fault);
}

/** The JWT key's death waits for as long as a rollout may take; where the bundle goes back, nobody waits for it. */
export function settingsFor(scene: Scene): Readonly<Record<string, string>> {
  return scene.kind === "break" && scene.fault === "crash" ? { REKEY_ROLLOUT_SECONDS: "90" } : {};
}

export async function play(world: World, scene: Scene, progress: Progress): Promise<Played> {
  if (scene.kind === "awsOrder") {
    const rotated = await rotateInAwsOrder(world, progress);
    const sentences = Object.fromEntries(
      rotated.map((name) => [name, "changed in place, made current, and then its services were redeployed"]),
    );
    return { rotated, rolledBack: [], withdrawn: {}, sentences, diedAfterSeconds: {}, cut: 0 };
  }
  const emergency = scene.kind === "emergency" ? { emergency: true, only: [scene.only] } : {};
  const { payload, failure } = await world.cloud.lambda.invoke("rotateAll", { reason: "demo", ...emergency });
  if (failure) throw new Error(`rotateAll failed: ${failure.errorType}: ${failure.errorMessage}`);
  return readReport(payload as Report);
}

function readReport({ secrets }: Report): Played {
  const having = (outcome: string) => secrets.filter((one) => one.outcome === outcome);
  return {
    rotated: having("rotated").map(({ name }) => name),
    rolledBack: having("rolledBack").map(({ name }) => name),
    withdrawn: Object.fromEntries(
      having("rolledBack").map(({ name, newVersionId = "" }) => [name, newVersionId]),
    ),
    sentences: Object.fromEntries(secrets.map(({ name, outcome, because }) => [name, because ?? outcome])),
    diedAfterSeconds: Object.assign({}, ...secrets.map(({ emergency }) => emergency?.diedAfterSeconds)),
    cut: secrets.reduce((sum, { emergency }) => sum + (emergency?.cut.length ?? 0), 0),
  };
}

export function titleOf(scene: Scene): string {
  switch (scene.kind) {
    case "rotate":
      return "Every secret rotated under live traffic";
    case "awsOrder":
      return "The same secrets in AWS's single-user order";
    case "emergency":
      return "Leaked values cut off under live traffic";
    case "break":
      return scene.fault === "crash"
        ? `The new tasks of ${scene.service} crash: what it uses goes back`
        : `The new tasks of ${scene.service} hang: what it uses goes back`;
  }
}

/** What is going on, in a few words. */
export function storyOf(
  scene: Scene,
  act: "before" | "during" | "after" | "done",
  progress: Progress,
): string {
  if (act === "done") return "done";
  if (act !== "during") return `traffic ${act} the rotation`;
  if (isWaitingForTokens(progress)) return "waiting for the last token of the old key, to revoke it";
  switch (scene.kind) {
    case "awsOrder":
      return "change in place, make current, then redeploy";
    case "emergency":
      return "emergency: old values die first, services come back after";
    case "break": {
      const isTurning = [...progress.secrets.keys()].some((name) => progress.wayBackOf(name) !== undefined);
      const does = scene.fault === "crash" ? "crash" : "hang";
      return isTurning
        ? `${scene.service} failed: what it uses goes back`
        : `rotateAll is rotating; new tasks of ${scene.service} will ${does}`;
    }
    case "rotate":
      return "rotateAll is rotating every secret";
  }
}

/** The other secrets are done; the keys that signed tokens must outlive those tokens. */
function isWaitingForTokens(progress: Progress): boolean {
  const open = [...progress.secrets.keys()].filter((name) => progress.phaseOf(name) !== undefined);
  return open.length === 1 && open[0] === BUNDLE && progress.phaseOf(BUNDLE)?.phase === "revoke";
}
