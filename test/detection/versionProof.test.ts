import fc from "fast-check";
import { expect, test } from "vitest";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { pairReads, withProvenVersions } from "../../lib/detection/versionProof.ts";
import { inferVersions, timelineOf } from "../../lib/detection/versionTimeline.ts";
import { act, decrypt, move, NOON, read } from "./secretEvents.ts";

const versions = (events: readonly SecretEvent[]) => withProvenVersions(events).map(({ version }) => version);
const NOTHING_KNOWN = { revoked: new Map() };

test("a default read is proven by the Decrypt of the same principal and secret in the same moment", () => {
  expect(versions([read("task", 0), decrypt("task", 2, "v1")])[0]).toEqual({
    label: "AWSCURRENT",
    id: "v1",
    known: "proven",
  });
});

test.each([
  ["more than two seconds away", decrypt("task", 3, "v1")],
  ["of another principal", decrypt("other", 0, "v1")],
  [
    "of another secret",
    decrypt("task", 0, "v1", { secrets: [{ key: "1/eu-central-1/shop/redis", name: "shop/redis" }] }),
  ],
  ["that was refused", decrypt("task", 0, "v1", { outcome: "denied" })],
])("a Decrypt %s proves nothing", (_what, other) => {
  expect(versions([read("task", 0), other])[0]).toEqual({ label: "AWSCURRENT", known: "unknown" });
});

test("one Decrypt proves one read, the nearest, and the other stays unknown", () => {
  const [far, near] = [read("task", 0), read("task", 2)];
  const { decryptOf } = pairReads([far, near, decrypt("task", 2, "v1")]);
  expect([decryptOf.has(far.eventId), decryptOf.has(near.eventId)]).toEqual([false, true]);
});

test("a read that names its version takes its own Decrypt, so that the default read gets the right one", () => {
  const named = read("task", 0, { version: { id: "v1", known: "proven" } });
  const byDefault = read("task", 0);
  for (const order of [
    [byDefault, named],
    [named, byDefault],
  ]) {
    const { decryptOf } = pairReads([...order, decrypt("task", 0, "v1"), decrypt("task", 0, "v2")]);
    expect(decryptOf.get(byDefault.eventId)?.version?.id).toBe("v2");
  }
});

test("a Decrypt without a read is told apart, as a batch leaves it", () => {
  const [first, second] = [decrypt("task", 0, "v1"), decrypt("task", 0, "v2")];
  const { alone } = pairReads([act("task", 0, "BatchGetSecretValue"), second, first]);
  expect(alone.map(({ version }) => version?.id).toSorted()).toEqual(["v1", "v2"]);
});

const anyEvent = fc
  .record({
    who: fc.constantFrom("a", "b"),
    seconds: fc.integer({ min: 0, max: 8 }),
    what: fc.constantFrom("read", "named", "v1", "v2"),
  })
  .map(({ who, seconds, what }) => {
    if (what === "read") return read(who, seconds);
    return what === "named"
      ? read(who, seconds, { version: { id: "v1", known: "proven" } })
      : decrypt(who, seconds, what);
  });
const byId = (events: readonly SecretEvent[]) =>
  new Map(withProvenVersions(events).map(({ eventId, version }) => [eventId, version]));

test("order and duplicates change nothing, and no Decrypt is used twice", () => {
  fc.assert(
    fc.property(
      fc.array(anyEvent, { maxLength: 12 }).chain((events) =>
        fc.tuple(
          fc.constant(events),
          fc.shuffledSubarray([...events, ...events], {
            minLength: events.length * 2,
            maxLength: events.length * 2,
          }),
        ),
      ),
      ([events, shuffled]) => {
        expect(byId(shuffled)).toEqual(byId(events));
        const { decryptOf, alone } = pairReads(events);
        const used = [...decryptOf.values()].map(({ eventId }) => eventId);
        expect(new Set(used).size).toBe(used.length);
        // Every Decrypt either belongs to a read or stands alone.
        expect(used.length + alone.length).toBe(events.filter(({ service }) => service === "kms").length);
        for (const [id, paired] of decryptOf) {
          const one = events.find(({ eventId }) => eventId === id);
          expect(Math.abs((one?.atMs ?? 0) - paired.atMs)).toBeLessThanOrEqual(2000);
          expect(one?.principal?.key).toBe(paired.principal?.key);
        }
      },
    ),
  );
});

test("the label's moves tell which version was current, before the first of them as well", () => {
  expect(timelineOf([move(0, "v1", "v2"), move(100, "v2", "v3")], NOON - 1e6, NOTHING_KNOWN)).toEqual([
    { versionId: "v1", currentToMs: NOON },
    { versionId: "v2", currentFromMs: NOON, currentToMs: NOON + 100_000 },
    { versionId: "v3", currentFromMs: NOON + 100_000 },
  ]);
});

test("where two moves do not agree, something is missing between them, and nothing is said of it", () => {
  const spans = timelineOf([move(0, "v1", "v2"), move(100, "v7", "v3")], NOON - 1e6, NOTHING_KNOWN);
  expect(spans.map(({ versionId }) => versionId)).toEqual(["v1", "v3"]);
});

test("a last move that does not end at the version of today is not believed", () => {
  const spans = timelineOf([move(0, "v1", "v2")], NOON - 1e6, { ...NOTHING_KNOWN, currentVersionId: "v9" });
  expect(spans).toEqual([{ versionId: "v1", currentToMs: NOON }]);
});

test("a description that was changed by UpdateSecret is no new version", () => {
  const update = act("ci", 50, "UpdateSecret", { clientRequestToken: "token" });
  const known = { ...NOTHING_KNOWN, currentVersionId: "v2" };
  expect(timelineOf([move(0, "v1", "v2"), update], NOON - 1e6, known)).toEqual([
    { versionId: "v1", currentToMs: NOON },
    { versionId: "v2", currentFromMs: NOON },
  ]);
});

test("a value that was put is current from then on, unless it was put under another label", () => {
  const put = act("ci", 0, "PutSecretValue", { clientRequestToken: "v2" });
  const staged = act("ci", 10, "PutSecretValue", {
    clientRequestToken: "v3",
    versionStages: ["AWSPENDING"],
  });
  expect(timelineOf([put, staged], NOON - 1e6, NOTHING_KNOWN)).toEqual([
    { versionId: "v2", currentFromMs: NOON },
  ]);
});

test("without any move what is current today was current all the time, and a refused move moved nothing", () => {
  const refused = { ...move(0, "v1", "v2"), outcome: "denied" as const };
  expect(timelineOf([refused], NOON - 1e6, { ...NOTHING_KNOWN, currentVersionId: "v1" })).toEqual([
    { versionId: "v1" },
  ]);
});

test("what Rekey moved itself counts where its record is missing, and is not counted twice where it is not", () => {
  const known = { revoked: new Map([["v1", NOON + 5000]]), currentVersionId: "v2", currentSinceMs: NOON };
  expect(timelineOf([], NOON - 1e6, known)).toEqual([{ versionId: "v2", currentFromMs: NOON }]);
  expect(timelineOf([move(1, "v1", "v2")], NOON - 1e6, known)).toEqual([
    { versionId: "v1", currentToMs: NOON + 1000, revokedAtMs: NOON + 5000 },
    { versionId: "v2", currentFromMs: NOON + 1000 },
  ]);
});

test("within two seconds of a move a default read stays unknown; outside it is inferred", () => {
  const timeline = timelineOf([move(0, "v1", "v2")], NOON - 1e6, NOTHING_KNOWN);
  const at = (seconds: number) => inferVersions([read("task", seconds)], timeline)[0]?.version;
  expect(at(-3)).toEqual({ label: "AWSCURRENT", id: "v1", known: "inferred" });
  for (const seconds of [-2, 0, 2]) expect(at(seconds)).toEqual({ label: "AWSCURRENT", known: "unknown" });
  expect(at(3)).toEqual({ label: "AWSCURRENT", id: "v2", known: "inferred" });
});

test("AWSPREVIOUS is the version that the label was taken from; other labels tell nothing", () => {
  const timeline = timelineOf([move(0, "v1", "v2")], NOON - 1e6, NOTHING_KNOWN);
  const of = (label: string, seconds: number) =>
    inferVersions([read("task", seconds, { version: { label, known: "unknown" } })], timeline)[0]?.version
      ?.id;
  expect(of("AWSPREVIOUS", 10)).toBe("v1");
  expect(of("AWSPREVIOUS", -10)).toBeUndefined();
  expect(of("AWSPENDING", 10)).toBeUndefined();
});
