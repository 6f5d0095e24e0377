/**
 * `npm run demo`: a small backend under live traffic, every secret of it rotated by the real handler, and the count of
 * requests that failed. It ends with 0 only if none did and every value was tried and answered as it should. `--break` lets
 * the deployment of one service fail, `--emergency` kills leaked values first, `--aws-order` runs the same traffic against
 * the order of AWS's single-user functions instead.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ECSClient, ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import { type Watch, watchInvariant } from "../chaos/monitor.ts";
import { type Crowd, startCrowd } from "./crowd.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { Progress } from "./progress.ts";
import { tryOldAndNew } from "./proof.ts";
import { play, prepare, settingsFor, storyOf, titleOf } from "./scenes.ts";
import { isProven, pageOf, type Summary, summarize } from "./summary.ts";
import { drawTimeline } from "./timeline.ts";
import { startView, type View } from "./view.ts";
import { BUNDLE, CLUSTER, GUARD_DATABASE, GUARD_REDIS, SERVICES, startWorld, type World } from "./world.ts";

const LEAST_REQUESTS = 20_500;
const BEFORE_MS = 5_000;
const AFTER_MS = 5_000;
/** A machine that is too slow for the number of requests ends with fewer, and with an honest count. */
const LONGEST_TRAFFIC_MS = 120_000;
/** Each round is some ten logins; this many a second cost the traffic nothing that shows. */
const WATCH_EVERY_MS = 500;

/** Everything that is running, so that whoever ends the demo can end it. */
interface Stage {
  world?: Promise<World>;
  crowd?: Crowd;
  view?: View;
  watch?: Watch;
  isEnding?: boolean;
}

async function perform(options: Options, running: Stage): Promise<Summary> {
  const { scene, isQuiet, picture } = options;
  if (!isQuiet) console.log(" Starting PostgreSQL, Redis, the local cloud and a backend of three services");
  // One task after the other, so that old and new ones answer side by side for as long as can be.
  running.world = startWorld({ maximumPercent: 150, env: settingsFor(scene) });
  const world = await running.world;
  // Interrupted meanwhile: nothing may be started in a world that is being stopped.
  if (running.isEnding) throw new Interrupted();
  const progress = new Progress([BUNDLE, GUARD_DATABASE, GUARD_REDIS]);
  world.cloud.lambda.emitter.on("line", (_name, line) => progress.readLine(line));
  const crowd = startCrowd(world.cloud);
  running.crowd = crowd;
  const { cloud, postgres, primary, replica } = world;
  const watch = watchInvariant({ cloud, postgres, redis: [primary, replica] }, { everyMs: WATCH_EVERY_MS });
  running.watch = watch;
  const startedAt = Date.now();
  let act: "before" | "during" | "after" | "done" = "before";
  const stage = () => storyOf(scene, act, progress);
  const view = startView({ cloud, crowd, progress, startedAt, stage }, isQuiet);
  running.view = view;

  await sleep(BEFORE_MS);
  const begunAt = Date.now();
  act = "during";
  prepare(world, scene);
  const played = await play(world, scene, progress);
  const seconds = (Date.now() - begunAt) / 1000;

  act = "after";
  const proof = await tryOldAndNew(world, played.withdrawn);
  await sleep(AFTER_MS);
  const isEnough = () =>
    crowd.requests() >= LEAST_REQUESTS && Date.now() - startedAt >= options.leastSeconds * 1000;
  while (!isEnough() && Date.now() - startedAt < LONGEST_TRAFFIC_MS) await sleep(200);
  await watch.stop();
  await crowd.stop();
  act = "done";
  view.stop();

  await mkdir(dirname(picture), { recursive: true });
  const firstGeneration = crowd.firstGeneration();
  const title = titleOf(scene);
  await writeFile(picture, drawTimeline({ title, reports: crowd.reports, progress, firstGeneration }));
  const deployments = await countDeployments(world, new Date(begunAt));
  const fromHere = relative(process.cwd(), picture);
  const timeline = fromHere.startsWith("..") ? picture : fromHere;
  return summarize({ scene, played, deployments, seconds, timeline, crowd, proof, watch });
}

/** As ECS has them on record, whoever asked for them. */
async function countDeployments({ client }: World, after: Date): Promise<Record<string, number>> {
  const ecs = new ECSClient(client);
  const counts: Record<string, number> = {};
  for (const service of SERVICES) {
    const { serviceDeployments = [] } = await ecs.send(
      new ListServiceDeploymentsCommand({ cluster: CLUSTER, service, createdAt: { after } }),
    );
    counts[service] = serviceDeployments.length;
  }
  ecs.destroy();
  return counts;
}

async function end(running: Stage): Promise<void> {
  running.isEnding = true;
  running.view?.stop();
  // Its tries end with the world; an interrupted one has nothing to tell.
  running.watch?.stop().catch(() => undefined);
  running.crowd?.kill();
  // A world that did not come up has cleared itself away; why, is told by whoever waited for it.
  const built = await running.world?.catch(() => undefined);
  await built?.stop();
}

class Interrupted extends Error {}

/** @returns the exit code */
async function main(options: Options): Promise<number> {
  const interruption = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => reject(new Interrupted()));
  });
  const running: Stage = {};
  const performance = perform(options, running);
  // After an interruption nobody waits for it any more, and what it stumbles over is only the end of its world.
  performance.catch(() => undefined);
  try {
    const summary = await Promise.race([performance, interruption]);
    console.log(options.isQuiet ? JSON.stringify(summary) : pageOf(summary));
    return isProven(summary) ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return 130;
    running.view?.stop();
    console.error(`demo: ${error instanceof Error ? error.message : "unknown failure"}`);
    return 1;
  } finally {
    await end(running);
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  // What was interrupted may still wait for a timer or an answer that does not come; everything it started is stopped.
  else process.exit(await main(options));
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : "unknown failure"}\n\n${USAGE}`);
  process.exitCode = 2;
}
