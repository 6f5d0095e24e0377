/**
 * `npm run demo`: a small backend under live traffic, every secret of it rotated by the real handler, and the count of
 * requests that failed. It ends with 0 only if none did and every value was tried and answered as it should. `--break` lets
 * the deployment of one service fail, `--emergency` kills leaked values first, `--aws-order` runs the same traffic against
 * the order of AWS's single-user functions instead, and with `--incident leak` somebody reads a secret and a person clicks.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ECSClient, ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import { watchInvariant } from "../chaos/monitor.ts";
import { startCrowd } from "./crowd.ts";
import { writeTimeline } from "./ending.ts";
import { performLeak } from "./leak.ts";
import { isContained, leakPageOf } from "./leakSummary.ts";
import { type Options, readOptions, type Scene, USAGE } from "./options.ts";
import { Progress } from "./progress.ts";
import { tryOldAndNew } from "./proof.ts";
import { play, prepare, settingsFor, storyOf, titleOf } from "./scenes.ts";
import { endStage, Interrupted, type Stage, worldOf } from "./stage.ts";
import { isProven, pageOf, type Summary, summarize } from "./summary.ts";
import { startView } from "./view.ts";
import { BUNDLE, CLUSTER, GUARD_DATABASE, GUARD_REDIS, SERVICES, startWorld, type World } from "./world.ts";

const LEAST_REQUESTS = 20_500;
const BEFORE_MS = 5_000;
const AFTER_MS = 5_000;
/** A machine that is too slow for the number of requests ends with fewer, and with an honest count. */
const LONGEST_TRAFFIC_MS = 120_000;
/** Each round is some ten logins; this many a second cost the traffic nothing that shows. */
const WATCH_EVERY_MS = 500;

async function perform(options: Options<Scene>, running: Stage): Promise<Summary> {
  const { scene, isQuiet, picture } = options;
  if (!isQuiet) console.log(" Starting PostgreSQL, Redis, the local cloud and a backend of three services");
  // One task after the other, so that old and new ones answer side by side for as long as can be.
  running.world = startWorld({ maximumPercent: 150, env: settingsFor(scene) });
  const world = await worldOf(running);
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

  const timeline = await writeTimeline(picture, titleOf(scene), crowd, progress);
  const deployments = await countDeployments(world, new Date(begunAt));
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

/** What is to be said at the end, for a program and for people, and whether it showed what it promises. */
interface Ending {
  readonly content: unknown;
  readonly page: string;
  readonly isGood: boolean;
}

async function show(options: Options, running: Stage): Promise<Ending> {
  const { scene } = options;
  if (scene.kind === "leak") {
    const content = await performLeak({ ...options, scene }, running);
    return { content, page: leakPageOf(content), isGood: isContained(content) };
  }
  const content = await perform({ ...options, scene }, running);
  return { content, page: pageOf(content), isGood: isProven(content) };
}

/** @returns the exit code */
async function main(options: Options): Promise<number> {
  const interruption = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => reject(new Interrupted()));
  });
  const running: Stage = {};
  const performance = show(options, running);
  // After an interruption nobody waits for it any more, and what it stumbles over is only the end of its world.
  performance.catch(() => undefined);
  try {
    const { content, page, isGood } = await Promise.race([performance, interruption]);
    console.log(options.isQuiet ? JSON.stringify(content) : page);
    if (options.scene.kind === "leak" && !options.scene.clicksItself) {
      console.log("\n The channel stays open until you press Ctrl-C.");
      await interruption.catch(() => undefined);
    }
    return isGood ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return 130;
    running.view?.stop();
    console.error(`demo: ${error instanceof Error ? error.message : "unknown failure"}`);
    return 1;
  } finally {
    await endStage(running);
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
