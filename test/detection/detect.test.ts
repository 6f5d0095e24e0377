import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detect, SETTLE_MS } from "../../lib/detection/detect.ts";
import { episodesOf } from "../../lib/detection/episodes.ts";
import type { Known } from "../../lib/detection/known.ts";
import type { Rule, Sketch } from "../../lib/detection/rule.ts";
import { RULES } from "../../lib/detection/rules.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { type DetectionState, NOTHING_SEEN } from "../../lib/detection/state.ts";
import { ACCOUNT, KEY, REGION } from "./records.ts";
import { eventsOf, knownOf, START } from "./sketches.ts";

const NOW = new Date("2026-11-24T12:30:00Z");
const ATTACKER = { key: "arn:aws:iam::123456789012:user/mallory", kind: "user" } as const;

const found = (events: readonly SecretEvent[], rules: readonly Rule[] = RULES) =>
  detect(rules, events, NOTHING_SEEN, NOW).found;

const denied = (secret: string, afterSeconds: number): Sketch => ({
  principal: ATTACKER,
  outcome: "denied",
  secret,
  afterSeconds,
});

const refused = (name: string) => ({
  action: "GetSecretValue",
  outcome: "denied",
  region: REGION,
  secrets: [`${ACCOUNT}/${REGION}/${name}`],
  network: "10.0.3.0/24",
  client: "sdk",
});

describe("an episode", () => {
  test("says who, which secrets, which rules, and which events from the first to the last", () => {
    const events = eventsOf([denied("a", 0), denied("b", 10), denied("c", 20)]);
    expect(found(events)).toEqual([
      {
        principal: ATTACKER.key,
        family: "searching",
        severity: "medium",
        rules: ["deniedSweep"],
        secrets: ["a", "b", "c"].map((name) => `${ACCOUNT}/${REGION}/${name}`),
        events: [
          { ...refused("a"), eventId: "event-0", atMs: Date.parse("2026-11-24T12:00:00Z") },
          { ...refused("b"), eventId: "event-1", atMs: Date.parse("2026-11-24T12:00:10Z") },
          { ...refused("c"), eventId: "event-2", atMs: Date.parse("2026-11-24T12:00:30Z") },
        ],
      },
    ]);
  });

  test("goes on as long as no hour passes without anything more, and then another one begins", () => {
    const root: Sketch = { principal: { kind: "root" } };
    const events = eventsOf([root, { ...root, afterSeconds: 3_600 }, { ...root, afterSeconds: 3_601 }]);
    expect(found(events).map((episode) => episode.events.length)).toEqual([2, 1]);
  });

  test("is one of its own for each principal", () => {
    const by = (key: string): Sketch => ({ principal: { kind: "root", key } });
    expect(found(eventsOf([by("one"), by("two")])).map(({ principal }) => principal)).toEqual(["one", "two"]);
  });

  test("two rules that agree weigh one step more than the graver of them", () => {
    const events = eventsOf([
      { principal: ATTACKER, action: "ListSecrets", region: "a" },
      { principal: ATTACKER, action: "ListSecrets", region: "b" },
      { principal: ATTACKER, action: "ListSecrets", region: "c" },
      denied("a", 1),
      denied("b", 1),
      denied("c", 1),
    ]);
    expect(found(events)).toMatchObject([{ severity: "critical", rules: ["deniedSweep", "severalRegions"] }]);
  });

  test("of one rule that fires often is no graver than that rule", () => {
    const root: Sketch = { principal: { kind: "root" }, afterSeconds: 1 };
    expect(found(eventsOf([root, root, root]))).toMatchObject([{ severity: "high" }]);
  });
});

test("a service's own event is told of the account", () => {
  const [event] = eventsOf([{ action: "CancelRotateSecret" }]);
  if (!event) throw new Error("no event");
  const { principal: _, ...nobodys } = event;
  expect(found([nobodys])).toMatchObject([{ principal: ACCOUNT }]);
});

test("of what is over, nothing is kept after it can matter no more, except what is usual", () => {
  const events = RULES.flatMap((rule) => eventsOf(rule.fires[0].events, rule.id));
  const late = new Date("2027-01-10T00:00:00Z");
  const { state } = detect(RULES, events, NOTHING_SEEN, late);
  expect(detect(RULES, [], state, late).state.principals).toEqual(new Map());
});

describe("the order in which records come changes nothing", () => {
  /** Everything that makes any rule fire, close together and far apart, by two principals. */
  const anyEvents = fc
    .array(
      fc.record({
        example: fc.constantFrom(...RULES.flatMap(({ fires, silent }) => [...fires, ...silent])),
        who: fc.constantFrom("one", "two"),
        shiftSeconds: fc.nat(6_000),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((parts) =>
      parts.flatMap(({ example, who, shiftSeconds }, place) =>
        eventsOf(
          example.events.map((sketch) => ({ ...sketch, principal: { ...sketch.principal, key: who } })),
          `part-${place}`,
        ).map((event) => ({ ...event, atMs: event.atMs + shiftSeconds * 1000 })),
      ),
    );
  const told = ({ principals }: DetectionState) =>
    [...principals].flatMap(([key, { matches }]) =>
      episodesOf(RULES, key, matches).map((one) => JSON.stringify(one)),
    );

  test("nor do records that come twice, or in other batches, while what belongs together is waited for", () => {
    fc.assert(
      fc.property(
        anyEvents.chain((events) =>
          fc.record({
            events: fc.constant(events),
            again: fc.shuffledSubarray([...events, ...events.map((event) => ({ ...event }))], {
              minLength: events.length * 2,
            }),
            batch: fc.integer({ min: 1, max: 5 }),
          }),
        ),
        ({ events, again, batch }) => {
          const last = new Date(Math.max(...events.map(({ atMs }) => atMs)) + SETTLE_MS);
          let state: DetectionState = NOTHING_SEEN;
          for (let start = 0; start < again.length; start += batch)
            state = detect(RULES, again.slice(start, start + batch), state, new Date(START)).state;
          const ripe = detect(RULES, [], state, last).state;
          const inBatches = detect(RULES, [], ripe, last).state;
          const fresh = detect(RULES, events, NOTHING_SEEN, last).state;
          // What was found just now is kept in any case; what is long over is not.
          const atOnce = detect(RULES, [], fresh, last).state;
          expect(told(inBatches).toSorted()).toEqual(told(atOnce).toSorted());
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the version that was read", () => {
  const READER = { kind: "root" } as const;
  const late: Sketch = { principal: READER, afterSeconds: 60 };
  const versions = (events: readonly SecretEvent[], known = knownOf()) =>
    detect(RULES, events, NOTHING_SEEN, new Date(START + 3_600_000), known).dry.flatMap((episode) =>
      episode.events.map(({ version }) => version),
    );

  test("is proven by the KMS record of the same call", () => {
    const decrypt: Sketch = {
      ...late,
      afterSeconds: 0,
      service: "kms",
      action: "Decrypt",
      version: { id: "v7", known: "proven" },
    };
    const read: Sketch = { ...late, version: { label: "AWSCURRENT", known: "unknown" } };
    expect(versions(eventsOf([read, decrypt]))).toEqual([{ label: "AWSCURRENT", id: "v7", known: "proven" }]);
  });

  test("is inferred from which one is in use, and unknown in the seconds in which that changed", () => {
    const read: Sketch = { ...late, version: { label: "AWSCURRENT", known: "unknown" } };
    const known = (sinceSeconds: number): Known => {
      const current = { versionId: "v8", fromMs: START + sinceSeconds * 1000 };
      return { ...knownOf(), secrets: new Map([[KEY, { current }]]) };
    };
    expect(versions(eventsOf([read]), known(0))).toEqual([
      { label: "AWSCURRENT", id: "v8", known: "inferred" },
    ]);
    expect(versions(eventsOf([read]), known(59))).toEqual([{ label: "AWSCURRENT", known: "unknown" }]);
  });
});
