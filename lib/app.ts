/** The only wiring: configuration in, journeys out. Everything else is given what it needs. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { callLedger, invocationsIn } from "./adapters/callLedger.ts";
import { cloudTrailLog } from "./adapters/cloudTrail.ts";
import { cloudTrailTrails } from "./adapters/cloudTrailTrails.ts";
import { cloudWatch } from "./adapters/cloudWatch.ts";
import { cloudWatchLogs } from "./adapters/cloudWatchLogs.ts";
import { dynamoAnswers } from "./adapters/dynamoAnswers.ts";
import { dynamoCursors } from "./adapters/dynamoCursor.ts";
import { dynamoRotationLog } from "./adapters/dynamoDb.ts";
import { dynamoEpisodes } from "./adapters/dynamoEpisodes.ts";
import { dynamoOutbox } from "./adapters/dynamoOutbox.ts";
import { dynamoSeenRequests } from "./adapters/dynamoSeenRequests.ts";
import { dynamoWatchStore } from "./adapters/dynamoWatch.ts";
import { ecsFleet } from "./adapters/ecs.ts";
import { ecsWatch } from "./adapters/ecsWatch.ts";
import { iamRights } from "./adapters/iam.ts";
import { lambdaWorkQueue } from "./adapters/lambdaWorkQueue.ts";
import { secretPolicies } from "./adapters/secretPolicies.ts";
import { secretsManagerStore } from "./adapters/secretsManager.ts";
import { slackAnnouncer } from "./adapters/slack.ts";
import { slackChannel } from "./adapters/slackChannel.ts";
import { slackDialogs } from "./adapters/slackDialogs.ts";
import { snsPager } from "./adapters/snsPager.ts";
import { tcpReach } from "./adapters/tcpReach.ts";
import { type Config, parseConfig } from "./config.ts";
import { RULES } from "./detection/rules.ts";
import type { WeeklyReview } from "./detection/weeklyReview.ts";
import { RekeyError } from "./errors.ts";
import { PACE } from "./incident/outboxSteps.ts";
import type { AccessPorts } from "./journeys/accessPorts.ts";
import { readRadiusRequest, readReviewRequest } from "./journeys/accessRequest.ts";
import { advance } from "./journeys/advance.ts";
import { type BlastRadiusAnswer, blastRadius } from "./journeys/blastRadius.ts";
import { containerStopped, type StopOutcome } from "./journeys/containerStopped.ts";
import type { SendPorts } from "./journeys/driveThread.ts";
import type { Ports } from "./journeys/ports.ts";
import { type HttpAnswer, type HttpRequest, receiveSlack, type SlackDoor } from "./journeys/receiveSlack.ts";
import { readRequest, readVerification } from "./journeys/request.ts";
import { respond } from "./journeys/respond.ts";
import type { Response } from "./journeys/respondPorts.ts";
import { reviewAccess } from "./journeys/reviewAccess.ts";
import { rotateAll } from "./journeys/rotateAll.ts";
import { rotateSecret } from "./journeys/rotateSecret.ts";
import { type Sent, sendOutbox } from "./journeys/sendOutbox.ts";
import { readStepRequest } from "./journeys/stepRequest.ts";
import { type SuppressAnswer, suppress } from "./journeys/suppress.ts";
import { verify } from "./journeys/verify.ts";
import { type EventReport, watchEvent } from "./journeys/watchEvent.ts";
import type { WatchPorts } from "./journeys/watchPorts.ts";
import { type WatchReport, type WatchScanPorts, watchScan } from "./journeys/watchScan.ts";
import type { Invocation } from "./journeys/work.ts";
import { tell } from "./log.ts";
import type { Announcer } from "./message.ts";
import type { DriftReport } from "./rotation/driftReport.ts";
import type { Report } from "./rotation/report.ts";
import type { SecretStore } from "./rotation/secretStore.ts";
import type { Strategy } from "./rotation/strategy.ts";
import { SecretDocument, SecretText } from "./secret.ts";
import { jwt } from "./strategies/jwt.ts";
import { postgres } from "./strategies/postgres.ts";
import { redis } from "./strategies/redis.ts";
import { redisUser } from "./strategies/redisUser.ts";

/** What a Lambda invocation knows of itself. */
interface Moment {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

type Env = Readonly<Record<string, string | undefined>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Time to give the lease back and to answer, before Lambda ends the process. */
const RESERVE_MS = 60_000;
/** For one call to CloudTrail that hangs, and the report. */
const SCAN_RESERVE_MS = 15_000;

/**
 * For middy, in every handler: no answer of its own shortly before the time limit, or the work would go on beside whoever
 * took it for over.
 */
export const LAMBDA_ENDS_IT = { timeoutEarlyInMillis: 0 } as const;

const STRATEGIES: readonly Strategy[] = [jwt, postgres, redis, redisUser];

// One function for each handler, and not one object with all of them: a bundle holds what its handler can reach.

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID naming every field or variable that is wrong */
export async function onRotateAll(env: Env, event: unknown, moment: Moment): Promise<Report> {
  const ports = buildPorts(parseConfig(env));
  return rotateAll(ports, readRequest(event), invocationOf(event, moment));
}

/** @throws RekeyError CONFIG_INVALID naming every variable that is wrong */
export async function onAdvance(env: Env, moment: Moment): Promise<readonly Report[]> {
  return advance(buildPorts(parseConfig(env)), invocationOf(undefined, moment));
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID naming every field or variable that is wrong */
export async function onVerify(env: Env, event: unknown): Promise<DriftReport> {
  const ports = buildPorts(parseConfig(env));
  return verify(ports, readVerification(event));
}

/** @throws RekeyError whatever keeps the step from being done; Secrets Manager then tries the rotation again */
export async function onRotateSecret(env: Env, event: unknown, moment: Moment): Promise<void> {
  const ports = buildPorts(parseConfig(env));
  return rotateSecret(ports, readStepRequest(event), invocationOf(undefined, moment));
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID, and whatever keeps CloudTrail's history from being read */
export async function onBlastRadius(env: Env, event: unknown, moment: Moment): Promise<BlastRadiusAnswer> {
  const ports = accessPorts(parseConfig(env));
  return blastRadius(ports, readRadiusRequest(event, ports.now()), deadlineOf(moment, SCAN_RESERVE_MS));
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID, and whatever keeps CloudTrail's history from being read */
export async function onReviewAccess(env: Env, event: unknown, moment: Moment): Promise<WeeklyReview> {
  const ports = accessPorts(parseConfig(env));
  return reviewAccess(ports, readReviewRequest(event, ports.now()), deadlineOf(moment, SCAN_RESERVE_MS));
}

/** @throws RekeyError CONFIG_INVALID, and whatever keeps CloudTrail's history from being read */
export async function onScanAccess(env: Env, moment: Moment): Promise<WatchReport> {
  const config = parseConfig(env);
  const { table, clusters, watch, ...settings } = config;
  const store = secretsManagerStore(callLedger(table));
  const ports: WatchScanPorts = {
    accessLog: cloudTrailLog(),
    cursors: dynamoCursors(table),
    watch: watchPorts(config, store),
    account: { store, fleet: ecsFleet(clusters), log: dynamoRotationLog(table), tell, settings },
    ourSelves: async () => ({ ...watch, invocations: await invocationsIn(table) }),
    tell,
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
  };
  return watchScan(ports, { deadline: deadlineOf(moment, SCAN_RESERVE_MS) });
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID, and whatever keeps what was seen from being kept */
export async function onAccessEvent(env: Env, event: unknown): Promise<EventReport> {
  const config = parseConfig(env);
  return watchEvent(watchPorts(config, secretsManagerStore(callLedger(config.table))), event);
}

function watchPorts(config: Config, store: SecretStore): WatchPorts {
  return {
    store: dynamoWatchStore(config.table),
    rules: RULES,
    ...announcing(config, store),
    tell,
    now: () => new Date(),
  };
}

/** @throws RekeyError CONFIG_INVALID naming every variable that is wrong; SLACK_FAILED, AWS_* for Lambda to invoke again */
export async function onContainerStopped(env: Env, event: unknown, moment: Moment): Promise<StopOutcome> {
  const config = parseConfig(env);
  const { clusters, table } = config;
  const ports = {
    clusters,
    watch: ecsWatch(),
    logs: cloudWatchLogs(),
    usage: cloudWatch(),
    reach: tcpReach(),
    episodes: dynamoEpisodes(table),
    rotations: dynamoRotationLog(table),
    ...announcing(config, secretsManagerStore(callLedger(table))),
    ...CLOCK,
    tell,
    holder: `${moment.awsRequestId}/${randomUUID()}`,
  };
  return containerStopped(ports, event);
}

/** @throws RekeyError CONFIG_INVALID, AWS_* if the request could not be handed on; Slack then shows the person an error */
export async function onSlackAction(env: Env, request: HttpRequest): Promise<HttpAnswer> {
  const door = await doorOf(env);
  if (!door) return { statusCode: 401, headers: {}, body: "" };
  return receiveSlack(door, request);
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID; SLACK_FAILED, AWS_* for Lambda to invoke again */
export async function onRespond(env: Env, event: unknown, moment: Moment): Promise<Response> {
  const config = parseConfig(env);
  const { table, slack, rotateAllFunction, approvers } = config;
  const access = accessPorts(config);
  const { announcer } = access;
  if (!slack || !announcer || !rotateAllFunction)
    throw new RekeyError(
      "CONFIG_INVALID",
      "environment: respond needs REKEY_SLACK_CHANNEL, REKEY_SLACK_SECRET and REKEY_ROTATE_ALL_FUNCTION",
    );
  const token = () => readField(secretsManagerStore(callLedger(table)), slack.tokenSecret, "token");
  const ports = {
    ...{ access, announcer, approvers, tell, channel: slack.channel, rules: RULES },
    watch: dynamoWatchStore(table),
    dialogs: slackDialogs({ ...slack, token }),
    answers: dynamoAnswers(table),
    rotateAll: lambdaWorkQueue(rotateAllFunction),
    now: () => new Date(),
  };
  return respond(ports, event, deadlineOf(moment, SCAN_RESERVE_MS));
}

/** @throws RekeyError PAYLOAD_INVALID, CONFIG_INVALID naming every field or variable that is wrong; AWS_* */
export async function onSuppress(env: Env, event: unknown): Promise<SuppressAnswer> {
  const watch = dynamoWatchStore(parseConfig(env).table);
  return suppress({ accessLog: cloudTrailLog(), watch, rules: RULES, tell, now: () => new Date() }, event);
}

/** @throws RekeyError CONFIG_INVALID, AWS_* if the list of outboxes cannot be read */
export async function onSendOutbox(env: Env, moment: Moment): Promise<Sent> {
  const ports = sendPorts(parseConfig(env));
  return ports ? sendOutbox(ports, invocationOf(undefined, moment).deadline) : { waiting: 0 };
}

/** Connections stay open from one click to the next, and a signing secret that was replaced is noticed within a minute. */
const DOOR_KEPT_MS = 60_000;
const doors = new WeakMap<Env, { readonly door: Promise<SlackDoor>; readonly until: number }>();

async function doorOf(env: Env): Promise<SlackDoor | undefined> {
  const known = doors.get(env);
  if (known && Date.now() < known.until) return known.door;
  const { slackDoor, table } = parseConfig(env);
  if (!slackDoor) return undefined;
  const { teamId, appId, signingSecret, respondFunction } = slackDoor;
  const open = async (): Promise<SlackDoor> => ({
    app: {
      teamId,
      appId,
      signingSecret: await readField(secretsManagerStore(callLedger(table)), signingSecret, "signingSecret"),
    },
    seen: dynamoSeenRequests(table),
    queue: lambdaWorkQueue(respondFunction),
    tell,
    now: () => new Date(),
  });
  const door = known ? open().then(async (fresh) => ({ ...(await known.door), app: fresh.app })) : open();
  doors.set(env, { door, until: Date.now() + DOOR_KEPT_MS });
  // One that could not be opened is not kept.
  door.catch(() => doors.delete(env));
  return door;
}

/** Slack takes about one message a second in a channel. */
const THREADS_AT_ONCE = 2;

/** @returns undefined where no channel is configured */
function sendPorts({ table, slack, fallbackTopic }: Config): SendPorts | undefined {
  if (!slack) return undefined;
  const store = secretsManagerStore(callLedger(table));
  return {
    outbox: dynamoOutbox(table),
    channel: slackChannel({ ...slack, token: () => readField(store, slack.tokenSecret, "token") }),
    ...(fallbackTopic ? { pager: snsPager(fallbackTopic) } : {}),
    tell,
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
    newId: randomUUID,
    pace: PACE,
    concurrency: THREADS_AT_ONCE,
    silence: { until: new Date(0) },
  };
}

function invocationOf(event: unknown, moment: Moment): Invocation {
  const named = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  // An asynchronous invocation that is retried keeps its request id; the CLI's local one has a word in its place.
  const id = named ?? (UUID.test(moment.awsRequestId) ? moment.awsRequestId : undefined);
  return {
    ...(typeof id === "string" && id !== "" ? { eventId: id } : {}),
    // A retry has the request id of the invocation it repeats, while the first may still be running.
    holder: `${moment.awsRequestId}/${randomUUID()}`,
    deadline: deadlineOf(moment, RESERVE_MS),
  };
}

function deadlineOf(moment: Moment, reserveMs: number): Date {
  const left = moment.getRemainingTimeInMillis();
  return new Date(Date.now() + Math.max(left - reserveMs, left / 2));
}

function buildPorts(config: Config): Ports {
  const store = secretsManagerStore(callLedger(config.table));
  const { clusters, table, ...settings } = config;
  return {
    store,
    fleet: ecsFleet(clusters),
    rights: iamRights(),
    log: dynamoRotationLog(table),
    strategies: new Map(STRATEGIES.map((strategy) => [strategy.id, strategy])),
    ...announcing(config, store),
    tell,
    ...CLOCK,
    mayWrite: () => {},
    settings,
  };
}

/** Without the strategies, which no look into the past needs. */
function accessPorts(config: Config): AccessPorts {
  const { clusters, table } = config;
  const store = secretsManagerStore(callLedger(table));
  return {
    accessLog: cloudTrailLog(),
    trails: cloudTrailTrails(),
    policies: secretPolicies(),
    store,
    fleet: ecsFleet(clusters),
    log: dynamoRotationLog(table),
    watch: dynamoWatchStore(table),
    ...announcing(config, store),
    tell,
    now: () => new Date(),
    sleep: (ms) => sleep(ms),
  };
}

function announcing({ slack }: Config, store: SecretStore): { readonly announcer?: Announcer } {
  if (slack === undefined) return {};
  return {
    announcer: slackAnnouncer({ ...slack, token: () => readField(store, slack.tokenSecret, "token") }),
  };
}

const CLOCK: Pick<Ports, "now" | "sleep"> = {
  now: () => new Date(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(unlessAborted),
};

/** Being woken early is what the signal is for, and no failure. */
function unlessAborted(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}

/** The secret's plain text, or its field of this name. @throws RekeyError SECRET_MALFORMED if there is neither */
async function readField(store: SecretStore, secret: string, field: string): Promise<SecretText> {
  const { text } = await store.read(secret, { label: "AWSCURRENT" });
  const document = SecretDocument.parse(text);
  const value = document.isPlain ? document.revealPlain() : (document.reveal(field) ?? "");
  if (value === "") {
    throw new RekeyError("SECRET_MALFORMED", `${secret}: give it as plain text, or as the field ${field}`);
  }
  return new SecretText(value);
}
