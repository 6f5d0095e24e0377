/**
 * What a rotation costs on top of the deployment that nothing can avoid. The floor is the same backend redeployed by hand,
 * all services at once; against it stands the time from the call until the last old value that only the deployment kept
 * alive was refused. The JWT key is not among them: tokens signed with it are honoured until the time it was published with.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import type { Report } from "../../lib/rotation/report.ts";
import { watchInvariant } from "../chaos/monitor.ts";
import { tryOldValues } from "../demo/proof.ts";
import { CLUSTER, SERVICES, startWorld, type World } from "../demo/world.ts";

/** Image pull and placement, then connection draining: with the tasks' own start about 20 s for a deployment. */
const START_MS = 15_000;
const DRAIN_MS = 13_000;
/** Above any rollout here. It keeps the JWT key's death, which it puts off, apart from the others' in the log. */
const LONGEST_ROLLOUT_SECONDS = 50;
const LOOK_MS = 200;
/** So seldom that it costs the rotation nothing that shows. */
const WATCH_EVERY_MS = 1_000;

export const ROLLOUT_LIMIT = 1.25;

export interface RolloutFloor {
  /** By hand: every service redeployed, nothing rotated. */
  readonly floorSeconds: number;
  /** From the call until the last old value that the deployment bounds was refused. */
  readonly rekeySeconds: number;
  readonly ratio: number;
  /** From then until the old JWT key was refused, too. */
  readonly tokenWaitSeconds: number;
  /** Every value that could be read was tried meanwhile: how often, and how often it was refused. */
  readonly invariant: { readonly tries: number; readonly refusals: number };
}

/** @throws Error if a deployment fails, an old value is still accepted, or a value was refused that could be read */
export async function rolloutFloor(): Promise<RolloutFloor> {
  const world = await startWorld({ env: { REKEY_ROLLOUT_SECONDS: String(LONGEST_ROLLOUT_SECONDS) } });
  try {
    world.cloud.ecs.pace.startDelayMs = START_MS;
    world.cloud.ecs.pace.drainMs = DRAIN_MS;
    const { cloud, postgres, primary, replica } = world;
    // On during both, so that it weighs on the two sides alike.
    const watch = watchInvariant({ cloud, postgres, redis: [primary, replica] }, { everyMs: WATCH_EVERY_MS });
    const floorSeconds = await redeployByHand(world);
    const measured = await rotate(world, floorSeconds);
    await watch.stop();
    const [refusal] = watch.refusals;
    if (refusal)
      throw new Error(
        `${refusal.target} refused ${refusal.credential}, held by ${refusal.heldBy.join(", ")}`,
      );
    return { floorSeconds, ...measured, invariant: { tries: watch.tries, refusals: watch.refusals.length } };
  } finally {
    await world.stop();
  }
}

async function redeployByHand(world: World): Promise<number> {
  const ecs = new ECSClient(world.client);
  try {
    const begun = performance.now();
    const asked = await Promise.all(
      SERVICES.map(async (service) => {
        const got = await ecs.send(
          new UpdateServiceCommand({ cluster: CLUSTER, service, forceNewDeployment: true }),
        );
        return got.service?.deployments?.find(({ status }) => status === "PRIMARY")?.id;
      }),
    );
    for (;;) {
      const { services } = await ecs.send(
        new DescribeServicesCommand({ cluster: CLUSTER, services: [...SERVICES] }),
      );
      const states = (services ?? [])
        .flatMap(({ deployments }) => deployments ?? [])
        .filter(({ id }) => asked.includes(id))
        .map(({ rolloutState }) => rolloutState);
      if (states.includes("FAILED")) throw new Error("a deployment by hand failed");
      if (states.filter((state) => state === "COMPLETED").length === SERVICES.length) break;
      await sleep(LOOK_MS);
    }
    return (performance.now() - begun) / 1000;
  } finally {
    ecs.destroy();
  }
}

async function rotate(
  world: World,
  floorSeconds: number,
): Promise<Omit<RolloutFloor, "floorSeconds" | "invariant">> {
  const refusals: { readonly secret: string; readonly at: number }[] = [];
  world.cloud.lambda.emitter.on("line", (_name, line) => {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line);
    // Told when a value is taken away, and again when the target was seen to refuse it: the later one counts.
    if (event.event === "rotation.phase" && event.phase === "revoke") {
      refusals.push({ secret: event.secret, at: Date.parse(event.time) });
    }
  });
  const begun = Date.now();
  const { payload, failure } = await world.cloud.lambda.invoke("rotateAll", {});
  if (failure) throw new Error(`rotateAll failed: ${failure.errorType}: ${failure.errorMessage}`);
  const report = payload as Report;
  const unfinished = report.secrets.find(({ outcome }) => outcome !== "rotated");
  if (unfinished) throw new Error(`${unfinished.name} is ${unfinished.outcome}: ${unfinished.because}`);
  const alive = Object.entries(await tryOldValues(world)).filter(
    ([, tries]) => !Object.values(tries).every(Boolean),
  );
  if (alive.length > 0)
    throw new Error(`still accepted: the old value of ${alive.map(([name]) => name).join(", ")}`);

  const tokenDeathAt = jwtDeathAt(world);
  const bounded = refusals.filter(({ at }) => at < tokenDeathAt);
  const silent = report.secrets.find(({ name }) => !bounded.some(({ secret }) => secret === name));
  if (silent) throw new Error(`the log tells of no refusal for ${silent.name} before the JWT key's`);
  const lastAt = Math.max(...bounded.map(({ at }) => at));
  const rekeySeconds = (lastAt - begun) / 1000;
  const tokenWaitSeconds = (Math.max(...refusals.map(({ at }) => at)) - lastAt) / 1000;
  return { rekeySeconds, ratio: rekeySeconds / floorSeconds, tokenWaitSeconds };
}

/** Epoch milliseconds until which verifiers take the old JWT key, as the rotated document tells them. */
function jwtDeathAt({ cloud }: World): number {
  const { secrets } = cloud;
  const document = JSON.parse(
    secrets.read(secrets.find("codeguardians-gateway/production"), undefined, undefined).text,
  );
  return Number(document.JWT_SECRET_KEY_PREVIOUS_NOT_AFTER) * 1000;
}
