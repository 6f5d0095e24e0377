/**
 * A local cloud in which runbooks run: real SDK clients over HTTP, one managed secret, IAM, Slack and CloudTrail. Workers may be
 * killed at any write of the executor; time jumps where nobody but a clock is waited for.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { callLedger } from "../../lib/adapters/callLedger.ts";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import { cloudTrailTrails } from "../../lib/adapters/cloudTrailTrails.ts";
import { cloudWatch } from "../../lib/adapters/cloudWatch.ts";
import { cloudWatchLogs } from "../../lib/adapters/cloudWatchLogs.ts";
import { dynamoRotationLog } from "../../lib/adapters/dynamoDb.ts";
import { dynamoEpisodes } from "../../lib/adapters/dynamoEpisodes.ts";
import { dynamoIncidents } from "../../lib/adapters/dynamoIncidents.ts";
import { dynamoOutbox } from "../../lib/adapters/dynamoOutbox.ts";
import { dynamoWatchStore } from "../../lib/adapters/dynamoWatch.ts";
import { ecsFleet } from "../../lib/adapters/ecs.ts";
import { ecsWatch } from "../../lib/adapters/ecsWatch.ts";
import { iamControl } from "../../lib/adapters/iamControl.ts";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { s3Pages } from "../../lib/adapters/s3Pages.ts";
import { secretPolicies } from "../../lib/adapters/secretPolicies.ts";
import { secretsManagerStore } from "../../lib/adapters/secretsManager.ts";
import { slackChannel } from "../../lib/adapters/slackChannel.ts";
import { tcpReach } from "../../lib/adapters/tcpReach.ts";
import { NOTHING_KNOWN } from "../../lib/detection/known.ts";
import type { Incident } from "../../lib/incident/incident.ts";
import type { IncidentStore } from "../../lib/incident/incidentStore.ts";
import { PACE } from "../../lib/incident/outboxSteps.ts";
import type { SendPorts } from "../../lib/journeys/driveThread.ts";
import { incidentEffects } from "../../lib/journeys/incidentEffects.ts";
import type { IncidentPorts } from "../../lib/journeys/incidentPorts.ts";
import { keptIncident, keptReach } from "../../lib/journeys/keptIncident.ts";
import { outboxVoice } from "../../lib/journeys/outboxVoice.ts";
import type { Ports } from "../../lib/journeys/ports.ts";
import { postMortems as postMortemsIn } from "../../lib/journeys/postMortem.ts";
import { rotateAll } from "../../lib/journeys/rotateAll.ts";
import { sendOutbox } from "../../lib/journeys/sendOutbox.ts";
import { verify } from "../../lib/journeys/verify.ts";
import { SecretText } from "../../lib/secret.ts";
import { jwt } from "../../lib/strategies/jwt.ts";
import { createTable } from "../demo/world.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

export const TABLE = "rekey-incidents";
/** The bucket of the post-mortems. */
export const PAGES = "rekey-pages";
export const SECRET = "shop/tokens";
export const KEY = "AKIAEXAMPLE0LEAKED00";
export const ROLE = "shop-task";
/** What the sender works for at a time; as long as Slack is there, it is ready long before. */
const SEND_MS = 1_500;

export const PEOPLE = { approvers: ["UANN", "UBEN", "UCLEO"], responders: ["UDAN"] } as const;

/** As a process that is gone: nothing after it runs. */
export class Killed extends Error {
  override readonly name = "Killed";
}

export interface IncidentWorld {
  readonly cloud: Cloud;
  readonly incidents: IncidentStore;
  readonly log: readonly string[];
  /** Ids of the post-mortems that were opened. */
  readonly postMortems: readonly string[];
  /** A worker of its own. @param killAt the write of the executor, from 0, right after which it dies */
  worker(killAt?: number): IncidentPorts;
  /** For so long nobody does anything. */
  pass(seconds: number): void;
  now(): Date;
  deadline(): Date;
  /** Everything that stands in outboxes goes to Slack, if it takes it. */
  send(): Promise<void>;
  read(runId: string): Promise<Incident>;
  currentVersion(): string;
  stop(): Promise<void>;
}

export async function incidentWorld(): Promise<IncidentWorld> {
  const cloud = await startCloud({ processes: false });
  const before = { ...process.env };
  Object.assign(process.env, cloud.env);
  const client = {
    endpoint: cloud.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "rekey", secretAccessKey: "local" },
  };
  await createTable(client, TABLE);
  const value = () => randomUUID().replaceAll("-", "").repeat(2);
  const [current, next] = [value(), value()];
  const fields = { current, next, previous: current, previousNotAfter: "0" };
  cloud.secrets.create(SECRET, JSON.stringify(fields), {
    tags: { "rekey:strategy": "jwt", "rekey:grace": "1" },
  });
  // Its own reads are no stranger's.
  await dynamoWatchStore(TABLE).keepKnown("123456789012", {
    ...NOTHING_KNOWN,
    ourRoles: new Set(["arn:aws:iam::123456789012:role/rekey"]),
  });
  cloud.iam.identities.keys.set(KEY, {
    user: "deployer",
    status: "Active",
    lastUsed: { at: new Date("2026-11-25T02:00:00Z"), service: "secretsmanager", region: "us-east-1" },
  });
  cloud.iam.identities.roles.set(ROLE, new Map());

  const begun = new Set<Promise<unknown>>();
  let aheadMs = 0;
  const log: string[] = [];
  const postMortems: string[] = [];
  cloud.files.buckets.set(PAGES, new Map());
  const pages = s3Pages(PAGES, "us-east-1");
  const now = () => new Date(Date.now() + aheadMs);
  const tell = (event: object) => void log.push(JSON.stringify(event));
  // With a signal it is a limit, and as long as it says; without one a wait, which is jumped over.
  const wait = async (ms: number, signal?: AbortSignal) => {
    if (signal) return void (await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined));
    aheadMs += ms;
    await sleep(20);
  };
  const incidents = dynamoIncidents(TABLE);
  const runs = { read: (id: string) => keptIncident(incidents, id) };
  const store = secretsManagerStore(callLedger(TABLE));
  const fleet = ecsFleet([]);
  const rotations = dynamoRotationLog(TABLE);
  const outbox = dynamoOutbox(TABLE);
  const voice = outboxVoice({ outbox, now, newId: randomUUID });
  const settings = {
    ...{ rolloutSeconds: 60, leaseSeconds: 4, pollMs: 100, settleSeconds: 0, concurrency: 8, mostBegun: 8 },
  };
  const rotation: Ports = {
    store,
    fleet,
    log: rotations,
    strategies: new Map([[jwt.id, jwt]]),
    tell,
    // Beside whoever drives the runbook, and by the real clock.
    now: () => new Date(),
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    mayWrite: () => {},
    settings,
  };
  const sending: SendPorts = {
    outbox,
    channel: slackChannel({
      channel: cloud.slack.channel,
      apiUrl: `${cloud.endpoint}/api/`,
      token: async () => new SecretText(cloud.slack.token),
    }),
    tell,
    now,
    sleep: (ms) => sleep(ms),
    newId: randomUUID,
    pace: { ...PACE, editEveryMs: 0, lookEveryMs: 20, retryMs: 20, mostRetryMs: 100 },
    concurrency: 2,
    silence: { until: new Date(0) },
  };

  function worker(killAt = Number.POSITIVE_INFINITY): IncidentPorts {
    const holder = randomUUID();
    let writes = 0;
    const dying: IncidentStore = {
      ...incidents,
      async save(incident) {
        if (writes > killAt) throw new Killed("killed");
        const saved = await incidents.save(incident);
        if (writes++ === killAt) throw new Killed("killed");
        return saved;
      },
    };
    const effects = incidentEffects({
      rotations,
      starter: {
        // As Lambda's asynchronous invocation: taken, and then done beside whoever asked.
        async start(id, { only, emergency, reason }) {
          const request = {
            only: [...only],
            emergency,
            reason,
            dryRun: false,
            force: false,
            scheduled: false,
          };
          const deadline = new Date(Date.now() + 60_000);
          const run = rotateAll(rotation, request, { eventId: id, holder: randomUUID(), deadline });
          begun.add(run.catch((error: unknown) => tell({ event: "rotateAll.failed", error: String(error) })));
        },
      },
      verifier: { verify: (request) => verify(rotation, request) },
      access: {
        accessLog: cloudTrailLog(),
        trails: cloudTrailTrails(),
        policies: secretPolicies(),
        store,
        fleet,
        log: rotations,
        watch: dynamoWatchStore(TABLE),
        tell,
        now,
        sleep: (ms) => wait(ms),
      },
      stops: {
        clusters: [],
        watch: ecsWatch(),
        logs: cloudWatchLogs(),
        usage: cloudWatch(),
        reach: tcpReach(),
        episodes: dynamoEpisodes(TABLE),
        rotations,
        tell,
        now,
        sleep: wait,
        holder,
      },
      tasks: { stopped: async () => undefined },
      iam: iamControl(),
      incidents: dying,
      postMortems: {
        async open(run) {
          postMortems.push(run.id);
          return postMortemsIn({
            runs,
            reached: (one, book) => keptReach(incidents, one, book),
            pages,
            tell,
            now,
          }).open(run);
        },
      },
      voice,
    });
    // While somebody waits, the sender is at work.
    const waitAndSend = async (ms: number, signal?: AbortSignal) => {
      if (!signal) await send();
      await wait(ms, signal);
    };
    return {
      incidents: dying,
      loadRunbook,
      people: PEOPLE,
      effects,
      voice,
      holder,
      tell,
      now,
      sleep: waitAndSend,
    };
  }

  const send = async () => {
    await sendOutbox(sending, new Date(now().getTime() + (cloud.slack.mood === "up" ? SEND_MS : 50)));
  };

  return {
    cloud,
    incidents,
    log,
    postMortems,
    worker,
    pass(seconds) {
      aheadMs += seconds * 1000;
    },
    now,
    deadline: () => new Date(now().getTime() + 600_000),
    send,
    async read(runId) {
      const stored = await incidents.read(runId);
      if (!stored) throw new Error(`no run ${runId}`);
      return stored.incident;
    },
    currentVersion: () => cloud.secrets.read(cloud.secrets.find(SECRET), undefined, undefined).versionId,
    async stop() {
      await Promise.all(begun);
      process.env = before;
      await cloud.stop();
    },
  };
}
