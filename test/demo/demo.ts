/**
 * `npm run demo`: a small backend under live traffic, every secret of it rotated by the real handler, and the count of
 * requests that failed. It ends with 0 only if none did and every old value was tried and refused. `--aws-order` runs the
 * same traffic against the order of AWS's single-user functions instead.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ECSClient, ListServiceDeploymentsCommand } from "@aws-sdk/client-ecs";
import type { Report } from "../../lib/rotation/report.ts";
import { rotateInAwsOrder } from "./awsOrder.ts";
import { type Crowd, startCrowd } from "./crowd.ts";
import { Progress } from "./progress.ts";
import { tryOldAndNew } from "./proof.ts";
import { isProven, pageOf, type Summary, summarize } from "./summary.ts";
import { drawTimeline } from "./timeline.ts";
import { startView, type View } from "./view.ts";
import { BUNDLE, CLUSTER, GUARD_DATABASE, GUARD_REDIS, SERVICES, startWorld, type World } from "./world.ts";

const USAGE = `npm run demo -- [--aws-order] [--seconds N] [--svg FILE] [--json]
  --aws-order  change in place, make current, then redeploy: the order of AWS's single-user functions
  --seconds    how long traffic runs at least (default 45)
  --svg        where the picture of the run goes (default .build/timeline.svg)
  --json       write one line, a JSON object, and nothing else`;

const LEAST_REQUESTS = 20_500;
const BEFORE_MS = 5_000;
const AFTER_MS = 5_000;
/** A machine that is too slow for the number of requests ends with fewer, and with an honest count. */
const LONGEST_TRAFFIC_MS = 120_000;

interface Options {
  readonly order: Summary["order"];
  readonly leastSeconds: number;
  readonly picture: string;
  readonly isQuiet: boolean;
}

/** @throws Error naming the option that is wrong */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      "aws-order": { type: "boolean", default: false },
      seconds: { type: "string", default: "45" },
      svg: { type: "string", default: ".build/timeline.svg" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const leastSeconds = Number(values.seconds);
  if (!(leastSeconds >= 0)) throw new Error("--seconds must be a number of seconds");
  if (values.help) return undefined;
  const order = values["aws-order"] ? "aws-single-user" : "rekey";
  return { order, leastSeconds, picture: resolve(values.svg), isQuiet: values.json };
}

/** Everything that is running, so that whoever ends the demo can end it. */
interface Stage {
  world?: Promise<World>;
  crowd?: Crowd;
  view?: View;
  isEnding?: boolean;
}

async function perform(options: Options, running: Stage): Promise<Summary> {
  const { order, isQuiet, picture } = options;
  if (!isQuiet) console.log(" Starting PostgreSQL, Redis, the local cloud and a backend of three services");
  // One task after the other, so that old and new ones answer side by side for as long as can be.
  running.world = startWorld({ maximumPercent: 150 });
  const world = await running.world;
  // Interrupted meanwhile: nothing may be started in a world that is being stopped.
  if (running.isEnding) throw new Interrupted();
  const progress = new Progress([BUNDLE, GUARD_DATABASE, GUARD_REDIS]);
  world.cloud.lambda.emitter.on("line", (_name, line) => progress.readLine(line));
  const crowd = startCrowd(world.cloud);
  running.crowd = crowd;
  const startedAt = Date.now();
  let stage = "traffic before the rotation";
  const view = startView(
    { cloud: world.cloud, crowd, progress, startedAt, stage: () => (isWaiting(progress) ? WAITING : stage) },
    isQuiet,
  );
  running.view = view;

  await sleep(BEFORE_MS);
  const begunAt = Date.now();
  stage =
    order === "rekey" ? "rotateAll is rotating every secret" : "change in place, make current, then redeploy";
  const rotated = await (order === "rekey" ? rotateWithRekey(world) : rotateInAwsOrder(world, progress));
  const seconds = (Date.now() - begunAt) / 1000;

  stage = "traffic after the rotation";
  const proof = await tryOldAndNew(world);
  await sleep(AFTER_MS);
  const isEnough = () =>
    crowd.requests() >= LEAST_REQUESTS && Date.now() - startedAt >= options.leastSeconds * 1000;
  while (!isEnough() && Date.now() - startedAt < LONGEST_TRAFFIC_MS) await sleep(200);
  await crowd.stop();
  stage = "done";
  view.stop();

  const title =
    order === "rekey"
      ? "Every secret rotated under live traffic"
      : "The same secrets in AWS's single-user order";
  await mkdir(dirname(picture), { recursive: true });
  const firstGeneration = crowd.firstGeneration();
  await writeFile(picture, drawTimeline({ title, reports: crowd.reports, progress, firstGeneration }));
  const deployments = await countDeployments(world, new Date(begunAt));
  const fromHere = relative(process.cwd(), picture);
  const timeline = fromHere.startsWith("..") ? picture : fromHere;
  return summarize({ order, rotated, deployments, seconds, timeline, crowd, proof });
}

const WAITING = "waiting for the last token of the old key, to revoke it";

/** The other secrets are done; the keys that signed tokens must outlive those tokens. */
function isWaiting(progress: Progress): boolean {
  const open = [...progress.secrets.keys()].filter((name) => progress.phaseOf(name) !== undefined);
  return open.length === 1 && open[0] === BUNDLE && progress.phaseOf(BUNDLE)?.phase === "revoke";
}

/** @returns the names of the secrets that rotated */
async function rotateWithRekey(world: World): Promise<readonly string[]> {
  const { payload, failure } = await world.cloud.lambda.invoke("rotateAll", { reason: "demo" });
  if (failure) throw new Error(`rotateAll failed: ${failure.errorType}: ${failure.errorMessage}`);
  const { secrets } = payload as Report;
  return secrets.filter(({ outcome }) => outcome === "rotated").map(({ name }) => name);
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
    return options.order === "aws-single-user" || isProven(summary) ? 0 : 1;
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
  const options = readOptions();
  if (options === undefined) console.log(USAGE);
  // What was interrupted may still wait for a timer or an answer that does not come; everything it started is stopped.
  else process.exit(await main(options));
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : "unknown failure"}\n\n${USAGE}`);
  process.exitCode = 2;
}
