/**
 * What it costs to read every record of Secrets Manager from CloudTrail's event history, and what is missed, on a clock that
 * jumps, over real HTTP: two calls a second for everybody, fifty records to a page, records that turn up as late as twenty
 * minutes after they happened, and somebody else who spends the same two calls now and then.
 *
 * The least possible: who looks every five minutes, leaves out what is younger than two, and must not miss a record that is
 * twenty minutes late on top of it, has to read again with every look whatever may still have grown since the one before:
 * from twenty-two minutes before that look until two minutes before this one. That many records stand there when the look
 * begins; a page holds fifty; one call must be made. Refused calls count as calls.
 *
 * Against it: the same without the overlap, and one look-up for each kind of event, once with its first page only, as audit
 * tools do it, and once with all pages and the overlap, so that it misses nothing.
 *
 *     node test/bench/lookups.ts
 */
import { setImmediate as turn } from "node:timers/promises";
import { CloudTrailClient, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import { cloudTrailLog } from "../../lib/adapters/cloudTrail.ts";
import { newCursor, newSeed } from "../../lib/detection/cursor.ts";
import { scanAccess } from "../../lib/journeys/scanAccess.ts";
import { JumpingClock, MemoryCursors, PLACE, readAt } from "../detection/scanWorld.ts";
import { EventHistory, type TrailRecord } from "../standin/lookupEvents.ts";
import { startServer } from "../standin/server.ts";
import { type Line, print } from "./line.ts";

export const LOOKUP_LIMIT = 1.1;

const SOURCE = "secretsmanager.amazonaws.com";
const LOOK_MS = 300_000;
const MARGIN_MS = 120_000;
const LATEST_MS = 20 * 60_000;
const PAGE = 50;
/** One and a half a second, as the adapter's own pace. */
const SPACING_MS = 667;
/** So often another tool spends what there is. */
const OTHERS_EVERY_MS = 60_000;
const PLANTED_EVERY = 100;

/** All that Secrets Manager records by name; most of it is reads. */
const NAMES =
  "GetSecretValue DescribeSecret ListSecrets BatchGetSecretValue GetResourcePolicy ListSecretVersionIds PutSecretValue GetRandomPassword UpdateSecret UpdateSecretVersionStage CreateSecret DeleteSecret RestoreSecret RotateSecret CancelRotateSecret PutResourcePolicy DeleteResourcePolicy ValidateResourcePolicy TagResource UntagResource ReplicateSecretToRegions RemoveRegionsFromReplication StopReplicationToReplica RotationStarted RotationSucceeded RotationFailed RotationAbandoned StartSecretVersionDelete EndSecretVersionDelete CancelSecretVersionDelete".split(
    " ",
  );

interface Cost {
  readonly calls: number;
  readonly throttled: number;
  /** Of all records, and of those planted among them. */
  readonly missed: number;
  readonly missedPlanted: number;
  readonly longestLookSeconds: number;
}

export interface LookupEfficiency {
  readonly looks: number;
  readonly records: number;
  readonly planted: number;
  readonly leastCalls: number;
  readonly rekey: Cost;
  /** Calls by the least possible. */
  readonly ratio: number;
  /** Whether the scan's own report found no gap. */
  readonly isProven: boolean;
  readonly withoutOverlap: Cost;
  readonly firstPageByName: Cost;
  readonly allPagesByName: Cost;
}

export interface Load {
  readonly hours: number;
  readonly perSecond: number;
}

interface World {
  readonly clock: JumpingClock;
  readonly history: EventHistory;
  readonly client: CloudTrailClient;
  /** Waits for its turn and lets what happened meanwhile turn up. */
  readonly pace: <T>(call: () => Promise<T>) => Promise<T>;
  readonly looks: readonly number[];
  readonly seen: Set<string>;
  calls: number;
  throttled: number;
}

/** @throws Error if the local CloudTrail answers anything but what a poller has to expect */
export async function lookupEfficiency(load: Load = { hours: 2, perSecond: 2 }): Promise<LookupEfficiency> {
  const planned = plan(load);
  let leastCalls = 0;
  let isProven = true;
  const cursors = new MemoryCursors();
  // Nothing happened before, and what it takes to find that out is not this bench's.
  const live = newCursor(PLACE, planned.startMs);
  await cursors.save({ ...newSeed(live), completeAtMs: planned.startMs });
  const rekey = await measure(planned, async (world, at, index) => {
    leastCalls += leastAt(world, world.looks[index - 1] ?? at, at);
    const report = await scanAccess(
      {
        accessLog: { ...cloudTrailLog(world.client, world.pace), place: async () => PLACE },
        cursors,
        take: async (records) => {
          for (const one of records) world.seen.add((one as TrailRecord).eventID);
        },
        tell: () => {},
        now: world.clock.now,
        sleep: world.clock.sleep,
      },
      { deadline: new Date(at + 285_000) },
    );
    world.calls += report.calls;
    world.throttled += report.throttled;
    isProven &&= report.gaps.length === 0 && report.outcome === "caught up";
  });
  const withoutOverlap = await measure(planned, async (world, at, index) => {
    const from = (world.looks[index - 1] ?? at - LATEST_MS) - MARGIN_MS;
    await readAll(world, "EventSource", SOURCE, from, at - MARGIN_MS);
  });
  const firstPageByName = await measure(planned, async (world, at, index) => {
    for (const name of NAMES) await readAll(world, "EventName", name, world.looks[index - 1] ?? 0, at, 1);
  });
  const allPagesByName = await measure(planned, async (world, at, index) => {
    const from = (world.looks[index - 1] ?? at) - MARGIN_MS - LATEST_MS;
    for (const name of NAMES) await readAll(world, "EventName", name, from, at - MARGIN_MS);
  });
  return {
    looks: planned.looks.length,
    records: planned.records.length,
    planted: planned.records.filter(({ isPlanted }) => isPlanted).length,
    leastCalls,
    rekey,
    ratio: rekey.calls / leastCalls,
    isProven,
    withoutOverlap,
    firstPageByName,
    allPagesByName,
  };
}

interface Planned {
  readonly startMs: number;
  readonly records: readonly Happening[];
  readonly looks: readonly number[];
}

interface Happening {
  readonly record: TrailRecord;
  readonly atMs: number;
  readonly delaySeconds: number;
  readonly isPlanted: boolean;
}

/** The same every time: what happens, when it turns up, and when somebody looks, until all has turned up. */
function plan({ hours, perSecond }: Load): Planned {
  const startMs = Date.parse("2026-11-25T12:00:00Z");
  const random = dice(20_261_125);
  const count = Math.round(hours * 3_600 * perSecond);
  const records = Array.from({ length: count }, (_, index): Happening => {
    const atMs = startMs + (index / perSecond) * 1000;
    // Half of all records are reads by name, the rest thins out over the list.
    const name = random() < 0.5 ? NAMES[0] : NAMES[Math.floor(random() ** 3 * NAMES.length)];
    // Two to five minutes as a rule, one in a hundred up to twenty.
    const delaySeconds = random() < 0.01 ? 300 + random() * 900 : 90 + random() * 210;
    const record = { ...readAt(`event-${index}`, atMs), eventName: name ?? "" };
    return { record, atMs, delaySeconds, isPlanted: index % PLANTED_EVERY === 0 };
  });
  const lastMs = startMs + hours * 3_600_000 + LATEST_MS + MARGIN_MS;
  const looks = Array.from({ length: Math.ceil((lastMs - startMs) / LOOK_MS) }, (_, index) =>
    // A schedule is a few seconds late, never the same.
    Math.floor(startMs + (index + 1) * LOOK_MS + random() * 3_000),
  );
  return { startMs, records, looks };
}

async function measure(
  { startMs, records, looks }: Planned,
  look: (world: World, at: number, index: number) => Promise<void>,
): Promise<Cost> {
  const clock = new JumpingClock(new Date(startMs).toISOString());
  const now = () => clock.ms;
  const history = new EventHistory({ now });
  // Once, or each call would find a rate of its own.
  const services = [history.service()];
  const door = await startServer({
    services: () => services,
    routes: {},
    dynamoPort: 0,
    principalOf: () => "",
    throttles: true,
    now,
    onCall: () => {},
  });
  const account = { endpoint: door.endpoint, region: "eu-central-1", maxAttempts: 1 };
  const credentials = { accessKeyId: "bench", secretAccessKey: "local" };
  const [client, other] = [1, 2].map(() => new CloudTrailClient({ ...account, credentials })) as [
    CloudTrailClient,
    CloudTrailClient,
  ];
  let happened = 0;
  let freeAt = 0;
  let othersAt = startMs + OTHERS_EVERY_MS;
  const world: World = {
    clock,
    history,
    client,
    looks,
    seen: new Set(),
    calls: 0,
    throttled: 0,
    pace: async (call) => {
      clock.ms = Math.max(clock.ms, freeAt);
      freeAt = clock.ms + SPACING_MS;
      catchUp();
      if (clock.ms >= othersAt) {
        othersAt = clock.ms + OTHERS_EVERY_MS;
        const rush = [1, 2, 3].map(() => other.send(new LookupEventsCommand({ MaxResults: 1 })));
        await Promise.allSettled(rush);
      }
      return call();
    },
  };
  function catchUp(): void {
    for (let next = records[happened]; next && next.atMs <= clock.ms; next = records[++happened])
      history.add(next.record, next.delaySeconds - (clock.ms - next.atMs) / 1000);
  }
  let longestLookSeconds = 0;
  try {
    for (const [index, at] of looks.entries()) {
      clock.ms = Math.max(clock.ms, at);
      catchUp();
      await turn();
      await look(world, clock.ms, index);
      longestLookSeconds = Math.max(longestLookSeconds, (clock.ms - at) / 1000);
    }
  } finally {
    client.destroy();
    other.destroy();
    await door.stop();
  }
  const missed = records.filter(({ record }) => !world.seen.has(record.eventID));
  return {
    calls: world.calls,
    throttled: world.throttled,
    missed: missed.length,
    missedPlanted: missed.filter(({ isPlanted }) => isPlanted).length,
    longestLookSeconds,
  };
}

/** See above. */
function leastAt({ history }: World, before: number, at: number): number {
  const visible = history.count({
    LookupAttributes: [{ AttributeKey: "EventSource", AttributeValue: SOURCE }],
    StartTime: Math.floor((before - MARGIN_MS - LATEST_MS) / 1000),
    EndTime: Math.floor((at - MARGIN_MS) / 1000) - 1,
  });
  return Math.max(1, Math.ceil(visible / PAGE));
}

/** A poller of the plain kind: pages until there are no more, or as many as it cares for. */
async function readAll(
  world: World,
  AttributeKey: "EventSource" | "EventName",
  AttributeValue: string,
  fromMs: number,
  toMs: number,
  mostPages = Number.POSITIVE_INFINITY,
): Promise<void> {
  let NextToken: string | undefined;
  let pages = 0;
  do {
    const question = new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey, AttributeValue }],
      StartTime: new Date(Math.floor(fromMs / 1000) * 1000),
      EndTime: new Date(Math.floor(toMs / 1000) * 1000 - 1000),
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    world.calls += 1;
    const answer = await world
      .pace(() => world.client.send(question))
      .catch((error: unknown) => {
        if (error instanceof Error && error.name === "ThrottlingException") return undefined;
        throw error;
      });
    if (answer === undefined) {
      world.throttled += 1;
      world.clock.ms += 1_000;
      continue;
    }
    for (const { EventId } of answer.Events ?? []) world.seen.add(EventId ?? "");
    NextToken = answer.NextToken;
    pages += 1;
  } while ((NextToken !== undefined || pages === 0) && pages < mostPages);
}

/** Mulberry32: the same numbers from the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function lookupLines(found: LookupEfficiency): readonly Line[] {
  const { rekey, leastCalls, ratio, isProven, withoutOverlap, firstPageByName, allPagesByName } = found;
  const others = [
    `without overlap ${withoutOverlap.missed} in ${withoutOverlap.calls} calls`,
    `by event name ${firstPageByName.missed} in ${firstPageByName.calls} with first pages`,
    `${allPagesByName.missed} in ${allPagesByName.calls} with all pages and overlap`,
  ].join(", ");
  return [
    {
      what: "look-ups against the least possible",
      measured: `${ratio.toFixed(3)} (${rekey.calls} calls, ${rekey.throttled} of them refused, to ${leastCalls})`,
      limit: `at most ${LOOKUP_LIMIT}`,
      kept: ratio <= LOOKUP_LIMIT,
    },
    {
      what: "records missed",
      measured: `${rekey.missed} of ${found.records}, ${rekey.missedPlanted} of ${found.planted} planted (${others})`,
      limit: "at most 0",
      kept: rekey.missed === 0,
    },
    {
      what: "scans whose own proof has a gap",
      measured: isProven ? "0" : "some",
      limit: "at most 0",
      kept: isProven,
    },
  ];
}

if (import.meta.main) {
  const lines = lookupLines(await lookupEfficiency());
  print(lines);
  process.exitCode = lines.every(({ kept }) => kept) ? 0 : 1;
}
