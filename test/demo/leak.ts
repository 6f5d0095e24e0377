/**
 * `npm run demo -- --incident leak`: somebody of another account reads the bundle, by the same SDK as anybody, and from then
 * on tries what they got. CloudTrail has it, EventBridge hands it on, the channel's page shows it, and a person clicks. All
 * that answers is what is deployed: what looks at events, the scan, the door of Slack, what works behind it. From outside it
 * is measured when the leaked values are refused, and what the cut costs.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startCrowd } from "./crowd.ts";
import { writeTimeline } from "./ending.ts";
import { type LeakSummary, summarizeLeak } from "./leakSummary.ts";
import type { Incident, Options } from "./options.ts";
import { Progress } from "./progress.ts";
import { photograph } from "./screenshot.ts";
import { type Stage, worldOf } from "./stage.ts";
import { startThief } from "./thief.ts";
import { startView } from "./view.ts";
import { BUNDLE, startWorld, type World } from "./world.ts";

const BEFORE_MS = 3_000;
/** Far longer than it takes; then it has failed. */
const PATIENCE_MS = 180_000;
const AFTER_MS = 3_000;
const STRANGER = { role: "data-export", account: "210987654321", address: "203.0.113.66" };
const CLICKS = "U0ALICE";

type Act = "start" | "leaked" | "told" | "clicked" | "dead";

export async function performLeak(
  { scene, isQuiet, picture }: Options<Incident>,
  running: Stage,
): Promise<LeakSummary> {
  if (!isQuiet) console.log(" Starting PostgreSQL, Redis, the local cloud and a backend of three services");
  running.world = startWorld({ maximumPercent: 150 });
  const world = await worldOf(running);
  const { cloud } = world;
  if (!isQuiet) console.log(` The channel as people see it: ${cloud.slackPageUrl}\n`);
  const progress = new Progress([BUNDLE]);
  cloud.lambda.emitter.on("line", (_name, line) => progress.readLine(line));
  const crowd = startCrowd(cloud);
  running.crowd = crowd;
  let act: Act = "start";
  const stage = () => storyOf(act, scene, cloud.slackPageUrl);
  running.view = startView({ cloud, crowd, progress, startedAt: Date.now(), stage }, isQuiet);

  await beginScan(world);
  await sleep(BEFORE_MS);
  const leakedAt = Date.now();
  await readAsStranger(world);
  const thief = await startThief(world);
  act = "leaked";
  await handOnEvents(world, leakedAt);
  const alert = await until("an alert stands in the channel", async () => alertIn(world));
  const toldAt = Date.now();
  act = "told";
  const failedBefore = crowd.failures.length;
  if (scene.clicksItself) await click(world, alert);
  // However long a person thinks about it.
  const patienceMs = scene.clicksItself ? PATIENCE_MS : Number.POSITIVE_INFINITY;
  // Whether Rekey took it shows in what it does: its answer may come later than Slack waits, and a person may click again.
  const clicked = await until(
    "somebody's click begins a rotation",
    async () =>
      cloud.slackPage.deliveries.findLast(
        ({ asked, sentAtMs }) => asked === ROTATES && sentAtMs <= (progress.startedAt ?? 0),
      ),
    patienceMs,
  );
  act = "clicked";
  await until("every leaked value is refused", async () => thief.isCutOff());
  act = "dead";
  await until("the rotation is finished", async () => progress.endedAt !== undefined);
  await sleep(AFTER_MS);
  await thief.stop();
  await crowd.stop();
  running.view.stop();
  const timeline = await writeTimeline(picture, "A leaked secret, and one click", crowd, progress);
  if (scene.screenshot !== undefined) await photograph(cloud.slackPageUrl, scene.screenshot);
  const failed = crowd.failures.length - failedBefore;
  return summarizeLeak({ world, crowd, failed, times: { leakedAt, toldAt }, clicked, thief, timeline });
}

/**
 * As it is scheduled. It takes a minute for the ninety days before, and looks at nothing younger than two minutes, so that it
 * only tells the rest of Rekey in time what is known of the account; it goes on meanwhile.
 */
async function beginScan({ cloud }: World): Promise<void> {
  const scan = cloud.lambda.invoke("scanAccess", {}).then(({ failure }) => {
    if (failure) throw new Error(`scanAccess failed: ${failure.errorType}: ${failure.errorMessage}`);
  });
  // Whoever ends the demo may end it first.
  scan.catch(() => undefined);
  const isUnderWay = () => cloud.trail.records.some(({ eventName }) => eventName === "LookupEvents");
  await Promise.race([scan, until("the scan is under way", async () => isUnderWay())]);
}

/** What CloudTrail has recorded of Secrets Manager since then, as EventBridge does it: one after the other. */
async function handOnEvents({ cloud }: World, since: number): Promise<void> {
  const records = cloud.trail.records.filter(
    ({ eventSource, eventTime }) =>
      eventSource === "secretsmanager.amazonaws.com" && Date.parse(eventTime) >= since - 1_000,
  );
  for (const detail of records) {
    const { failure } = await cloud.lambda.invoke("accessEvent", {
      version: "0",
      id: randomUUID(),
      "detail-type": "AWS API Call via CloudTrail",
      source: "aws.secretsmanager",
      account: detail["recipientAccountId"],
      time: detail.eventTime,
      region: detail["awsRegion"],
      resources: [],
      detail,
    });
    if (failure) throw new Error(`accessEvent failed: ${failure.errorType}: ${failure.errorMessage}`);
  }
}

/** By an access key of another account; what it gets, it may have only because the bundle's policy is too wide. */
async function readAsStranger({ client }: World): Promise<void> {
  const { role, account, address } = STRANGER;
  const credentials = { accessKeyId: `${role}.i-0f3a9c1b.${account}`, secretAccessKey: "local" };
  const secrets = new SecretsManagerClient({ ...client, credentials });
  secrets.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-forwarded-for"] = address;
      return next(args);
    },
    { step: "build" },
  );
  await secrets.send(new GetSecretValueCommand({ SecretId: BUNDLE }));
  secrets.destroy();
}

interface Alert {
  readonly ts: string;
  readonly blockAt: number;
  readonly actionId: string;
}

const ROTATES = "episode-rotate";

/** The message with the button that rotates, and where the button stands in it. */
function alertIn({ cloud }: World): Alert | undefined {
  for (const { ts, revisions } of cloud.slack.messages) {
    const blocks = (revisions.at(-1)?.blocks ?? []) as readonly {
      readonly elements?: readonly { readonly action_id?: string }[];
    }[];
    const blockAt = blocks.findIndex(({ elements }) =>
      elements?.some(({ action_id: actionId }) => actionId === ROTATES),
    );
    const isAboutStranger = JSON.stringify(blocks).includes(STRANGER.account);
    if (blockAt !== -1 && isAboutStranger) return { ts, blockAt, actionId: ROTATES };
  }
  return undefined;
}

/** As the page does it. */
async function click({ cloud }: World, alert: Alert): Promise<void> {
  await fetch(`${cloud.slackPageUrl}click`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ userId: CLICKS, ...alert }),
  });
}

async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false>,
  patienceMs = PATIENCE_MS,
): Promise<Found> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain: ${what}`);
    await sleep(100);
  }
}

function storyOf(act: Act, { clicksItself }: Incident, url: string): string {
  switch (act) {
    case "start":
      return "traffic before the leak";
    case "leaked":
      return `somebody of another account has read ${BUNDLE}`;
    case "told":
      return clicksItself ? "the alert is there; Alice clicks" : `click “Rotate now” at ${url}`;
    case "clicked":
      return "clicked; the leaked values are still tried all the time";
    case "dead":
      return "every leaked value is refused; the services come back";
  }
}
