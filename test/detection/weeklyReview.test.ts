import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { pairKey, pairsIn, type ReviewInput, weeklyReview } from "../../lib/detection/weeklyReview.ts";
import { renderReview } from "../../lib/detection/weeklyReviewMessage.ts";
import { ACCOUNT, KEY } from "./records.ts";
import { act, NOON, read, role, SECRET } from "./secretEvents.ts";

const DAY_MS = 86_400_000;
const REDIS = { key: `${ACCOUNT}/eu-central-1/shop/redis`, name: "shop/redis" };

function reviewOf(events: readonly SecretEvent[], changes: Partial<ReviewInput> = {}) {
  return weeklyReview({
    events,
    fromMs: NOON - 7 * DAY_MS,
    toMs: NOON,
    known: new Map(),
    knownSinceMs: NOON - 90 * DAY_MS,
    managed: [SECRET],
    suppressions: [],
    gaps: [],
    ...changes,
  });
}

test("tells who read what, the most first, and each read once", () => {
  const twice = read("shop", -60);
  const events = [twice, twice, read("shop", -30), read("ci", -20), read("ci", -10, { secrets: [REDIS] })];
  const { secrets, totals } = reviewOf(events);
  expect(totals).toEqual({ secrets: 2, principals: 2, reads: 4, denied: 0 });
  expect(secrets.map(({ secret, reads, isManaged }) => [secret, reads, isManaged])).toEqual([
    ["shop/database", 3, true],
    ["shop/redis", 1, false],
  ]);
  expect(secrets[0]?.readers).toEqual([
    {
      principal: role("shop"),
      secret: "shop/database",
      times: 2,
      first: "2026-11-24T11:59:00.000Z",
      last: "2026-11-24T11:59:30.000Z",
      isPerson: false,
      isForeign: false,
    },
    expect.objectContaining({ principal: role("ci"), times: 1 }),
  ]);
});

test("a pair is new that was never seen before, whoever else read it and whatever else he read", () => {
  const known = new Map([[pairKey(role("shop"), KEY), NOON - 30 * DAY_MS]]);
  const events = [read("shop", -60), read("ci", -60), read("shop", -60, { secrets: [REDIS] })];
  expect(reviewOf(events, { known }).fresh.map(({ principal, secret }) => [principal, secret])).toEqual([
    [role("ci"), "shop/database"],
    [role("shop"), "shop/redis"],
  ]);
});

test("without any history before the week nobody is called new, and the message says why", () => {
  const review = reviewOf([read("shop", -60)], { knownSinceMs: NOON - 7 * DAY_MS });
  expect(review.fresh).toEqual([]);
  expect(JSON.stringify(renderReview(review))).toContain("what came before is not known");
});

test("pairs are known from reads that gave something out, since the first of them", () => {
  const events = [read("shop", -60), read("shop", -90), read("prying", -60, { outcome: "denied" })];
  expect([...pairsIn(events)]).toEqual([[pairKey(role("shop"), KEY), NOON - 90_000]]);
});

test("a managed secret that was refused alone was read by nobody", () => {
  const review = reviewOf([read("prying", -60, { outcome: "denied" })], { managed: [SECRET, REDIS] });
  expect(review.neverRead).toEqual(["shop/database", "shop/redis"]);
  expect(review.denied.map(({ principal, times }) => [principal, times])).toEqual([[role("prying"), 1]]);
  expect(review.secrets).toEqual([]);
});

test("of a week that was not searched whole nobody says what was not read", () => {
  const { managed: _, ...input } = { managed: [SECRET] };
  const review = weeklyReview({
    events: [],
    fromMs: NOON - DAY_MS,
    toMs: NOON,
    known: new Map(),
    knownSinceMs: NOON - DAY_MS,
    suppressions: [],
    gaps: ["the time was over"],
    ...input,
  });
  expect(review.neverRead).toBeUndefined();
  const message = JSON.stringify(renderReview(review));
  expect(message).toContain("not known, see below");
  expect(message).toContain("the time was over");
});

test("the week ends where it ends", () => {
  expect(reviewOf([read("shop", 0), read("shop", -7 * 86_400 - 1)]).totals.reads).toBe(0);
  expect(reviewOf([read("shop", -1), read("shop", -7 * 86_400)]).totals.reads).toBe(2);
});

test("a foreign reader stands first, however seldom he read", () => {
  const foreign = read("arn:aws:iam::999999999999:role/x", -60, { principal: { account: "999999999999" } });
  const { secrets, fresh } = reviewOf([read("shop", -60), read("shop", -50), foreign]);
  expect(secrets[0]?.readers[0]).toMatchObject({ isForeign: true, times: 1 });
  expect(fresh[0]?.isForeign).toBe(true);
});

test("order and duplicates change nothing", () => {
  const anyEvent = fc
    .tuple(fc.constantFrom("a", "b"), fc.integer({ min: -90, max: -1 }), fc.boolean(), fc.boolean())
    .map(([who, seconds, isDenied, isOther]) =>
      read(who, seconds, {
        ...(isDenied ? { outcome: "denied" as const } : {}),
        ...(isOther ? { secrets: [REDIS] } : {}),
      }),
    );
  fc.assert(
    fc.property(
      fc
        .array(anyEvent, { maxLength: 12 })
        .chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          ),
        ),
      ([events, shuffled]) => {
        expect(reviewOf(shuffled)).toEqual(reviewOf(events));
      },
    ),
  );
});

describe("the message", () => {
  const texts = (review: ReturnType<typeof reviewOf>) =>
    renderReview(review).blocks.map((block) => (block["text"] as { text: string }).text);

  test("begins with what is new and refused, and ends with the ordinary", () => {
    const review = reviewOf([read("shop", -60), read("prying", -60, { outcome: "denied" })], {
      managed: [SECRET, REDIS],
      suppressions: [
        {
          principal: role("shop"),
          secret: KEY,
          rule: "burst",
          reason: "a *plan*",
          author: "ada",
          fromMs: NOON - DAY_MS,
          untilMs: NOON + DAY_MS,
        },
        {
          principal: role("shop"),
          secret: KEY,
          rule: "over",
          reason: "it ended before the week",
          author: "ada",
          fromMs: NOON - 20 * DAY_MS,
          untilMs: NOON - 8 * DAY_MS,
        },
      ],
    });
    expect(texts(review)).toEqual([
      "Who read secrets this week",
      "1 read of 1 secret by 1 principal, 1 new pair, 1 refused\n17 Nov 2026, 12:00 to 24 Nov 2026, 12:00 UTC",
      `:new: *New:* read for the first time\n• \`${ACCOUNT}:shop\` read \`shop/database\` once`,
      `:no_entry: *Refused*\n• \`${ACCOUNT}:prying\` was refused \`shop/database\` once`,
      ":zzz: *Not read by anybody:* still needed?\n• `shop/redis`",
      `:bookmark_tabs: *Who read what*\n• \`shop/database\` 1 read: \`${ACCOUNT}:shop\` 1`,
      `:see_no_evil: *Excused*\n• \`burst\` \`${ACCOUNT}:shop\` on \`shop/database\` once: a ∗plan∗ (ada, until 25 Nov 2026, 12:00)`,
    ]);
  });

  test("keeps Slack's limits, and the power from names, with thousands of long and hostile ones", () => {
    const hostile = (place: number) => `<!channel>&\`*\u202E${"<".repeat(300)}${place}`;
    const events = Array.from({ length: 900 }, (_, place) =>
      read(hostile(place), -60 - (place % 50), {
        secrets: [{ key: `key-${place % 40}`, name: hostile(place % 40) }],
        ...(place % 3 === 0 ? { outcome: "denied" as const } : {}),
      }),
    );
    const batches = Array.from({ length: 60 }, (_, place) =>
      act(`${hostile(place)}-batch`, -3000, "BatchGetSecretValue", {}, { secrets: [] }),
    );
    const managed = Array.from({ length: 300 }, (_, place) => ({
      key: `idle-${place}`,
      name: hostile(place),
    }));
    const review = reviewOf([...events, ...batches], { managed, gaps: [hostile(1)] });
    const { blocks } = renderReview(review);
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const text of texts(review)) {
      expect(text.length).toBeLessThanOrEqual(3000);
      expect(text).not.toMatch(/[<>\u202E]/);
    }
    expect(texts(review).join("\n")).toContain("... and 285 more");
  });
});
