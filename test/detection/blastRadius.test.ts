import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blastRadius, type Question } from "../../lib/detection/blastRadius.ts";
import { writeBlastRadius } from "../../lib/detection/blastRadiusMarkdown.ts";
import { drawBlastRadius } from "../../lib/detection/blastRadiusPicture.ts";
import { readersByPolicy } from "../../lib/detection/possibleReaders.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { coverageOf, type Searched } from "../../lib/detection/trailCoverage.ts";
import { timelineOf } from "../../lib/detection/versionTimeline.ts";
import { ACCOUNT } from "./records.ts";
import { act, decrypt, move, NOON, read, role, SECRET } from "./secretEvents.ts";

const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const asked = { from: iso(NOON - HOUR_MS), to: iso(NOON + HOUR_MS) };
const searched: Searched = {
  place: `${ACCOUNT}/eu-central-1`,
  asked,
  searched: asked,
  pages: 3,
  provable: { asked: 0, of: 0 },
  malformed: 0,
};

function radiusOf(events: readonly SecretEvent[], changes: Partial<Question> = {}) {
  return blastRadius(events, {
    secret: SECRET,
    fromMs: NOON - HOUR_MS,
    toMs: NOON + HOUR_MS,
    timeline: timelineOf(events, NOON - HOUR_MS, { revoked: new Map() }),
    revoked: new Map(),
    possible: [],
    coverage: coverageOf(searched, [], new Date(NOON + 10 * HOUR_MS)),
    ...changes,
  });
}
const reader = (events: readonly SecretEvent[], who: string, changes: Partial<Question> = {}) =>
  radiusOf(events, changes).observed.find(({ principal }) => principal === role(who));

test("a principal's reads are told with network, client, and how each version is known", () => {
  const events = [
    read("shop", -60),
    read("shop", 0),
    decrypt("shop", 1, "v1"),
    read("shop", 120, { version: { id: "v0", known: "proven" }, client: "cli" }),
    move(300, "v1", "v2"),
    read("shop", 301),
  ];
  expect(reader(events, "shop", { possible: [{ principal: role("shop"), because: "a consumer" }] })).toEqual({
    principal: role("shop"),
    kind: "role",
    account: ACCOUNT,
    isPerson: false,
    isForeign: false,
    knownAs: "a consumer",
    reads: 4,
    shownByKmsAlone: 0,
    shownByBatchAlone: 0,
    first: "2026-11-24T11:59:00.000Z",
    last: "2026-11-24T12:05:01.000Z",
    networks: [{ kind: "private", key: "10.0.3.0/24", reads: 4 }],
    clients: [
      { client: "sdk", reads: 3 },
      { client: "cli", reads: 1 },
    ],
    versions: [
      { label: "AWSCURRENT", known: "unknown", by: "nothing", reads: 1 },
      { versionId: "v0", known: "proven", by: "request", reads: 1 },
      { versionId: "v1", known: "proven", by: "kms", reads: 1 },
      { versionId: "v1", known: "inferred", by: "timeline", reads: 1 },
    ],
    sessions: 0,
    accessKeys: [],
    denied: { count: 0 },
    failed: { count: 0 },
    otherActions: [],
    activity: [
      { at: "2026-11-24T11:59:00.000Z", reads: 1, denied: 0 },
      { at: "2026-11-24T12:00:00.000Z", reads: 1, denied: 0 },
      { at: "2026-11-24T12:02:00.000Z", reads: 1, denied: 0 },
      { at: "2026-11-24T12:05:00.000Z", reads: 1, denied: 0 },
    ],
  });
});

test("refused tries, failures and other actions stand beside the reads, and count as none", () => {
  const events = [
    read("prying", 0, { outcome: "denied" }),
    // The same refusal, as KMS tells it.
    decrypt("prying", 1, "v1", { outcome: "denied" }),
    read("prying", 60, { outcome: "failed", errorCode: "ResourceNotFoundException" }),
    act("prying", 90, "PutResourcePolicy"),
  ];
  expect(reader(events, "prying")).toMatchObject({
    reads: 0,
    denied: { count: 1, first: "2026-11-24T12:00:00.000Z", last: "2026-11-24T12:00:00.000Z" },
    failed: { count: 1 },
    otherActions: [{ action: "PutResourcePolicy", outcome: "allowed", count: 1 }],
    versions: [],
  });
  expect(radiusOf(events).totals).toEqual({ principals: 0, reads: 0, denied: 1, otherActions: 1 });
});

test("a key that refuses is a refusal even where Secrets Manager has no record of it", () => {
  expect(radiusOf([decrypt("prying", 0, "v1", { outcome: "denied" })]).totals.denied).toBe(1);
});

describe("a batch", () => {
  const batch = (changes = {}) => act("sync", 0, "BatchGetSecretValue", {}, changes);

  test("with its single reads on record counts once for each of them", () => {
    expect(radiusOf([batch(), read("sync", 0), decrypt("sync", 0, "v1")])).toMatchObject({
      totals: { reads: 1 },
      pairing: { readsProvenByKms: 1, readsWithoutDecrypt: 0, decryptsWithoutRead: 0, batchesAlone: 0 },
    });
  });

  test("with Decrypts alone counts those, with the version, and takes no network from the service", () => {
    const events = [batch(), decrypt("sync", 0, "v1")];
    expect(radiusOf(events).pairing).toEqual({
      readsProvenByKms: 0,
      readsWithoutDecrypt: 0,
      decryptsWithoutRead: 1,
      batchesAlone: 0,
    });
    expect(reader(events, "sync")).toMatchObject({
      reads: 1,
      shownByKmsAlone: 1,
      networks: [],
      versions: [{ versionId: "v1", known: "proven", by: "kms", reads: 1 }],
    });
  });

  test("with nothing else on record counts as a read of an unknown version", () => {
    expect(reader([batch()], "sync")).toMatchObject({
      reads: 1,
      shownByBatchAlone: 1,
      versions: [{ known: "unknown", by: "nothing", reads: 1 }],
    });
  });

  test("by filters, which names no secret, makes its caller a possible reader, unless single reads show what it gave", () => {
    const byFilters = batch({ secrets: [] });
    const other = read("sync", 1, { secrets: [{ key: "another", name: "another" }] });
    expect(radiusOf([byFilters]).possible).toEqual([
      {
        principal: role("sync"),
        because: "asked for a batch by filters, of which no single read is on record",
      },
    ]);
    expect(radiusOf([byFilters, other]).possible).toEqual([]);
  });
});

test("who could have read and did not stands under possible; who did stands under observed alone", () => {
  const possible = ["shop", "idle"].map((name) => ({ principal: role(name), because: "a consumer" }));
  const radius = radiusOf([read("shop", 0)], { possible });
  expect(radius.possible).toEqual([{ principal: role("idle"), because: "a consumer" }]);
  expect(radius.observed.map(({ principal }) => principal)).toEqual([role("shop")]);
});

test("what is outside of the window does not count, but the Decrypt behind its edge still proves", () => {
  const edge = HOUR_MS / 1000;
  const events = [
    read("shop", edge - 1),
    decrypt("shop", edge, "v1"),
    read("late", edge),
    read("early", -edge - 1),
  ];
  const { observed, totals } = radiusOf(events);
  expect(totals.reads).toBe(1);
  expect(observed[0]?.versions).toEqual([{ versionId: "v1", known: "proven", by: "kms", reads: 1 }]);
});

test("values that are not known to be dead, and long-term keys, have to be made anew", () => {
  const events = [
    read("shop", 0, { version: { id: "v0", known: "proven" } }),
    read("shop", 1, { version: { id: "v1", known: "proven" } }),
    move(60, "v1", "v2"),
    read(`arn:aws:iam::${ACCOUNT}:user/deploy`, 100, { principal: { kind: "user", accessKeyId: "AKIAOLD" } }),
  ];
  const { reissue } = radiusOf(events, { revoked: new Map([["v0", NOON]]) });
  expect(reissue.map(({ what, id }) => [what, id])).toEqual([
    ["access key", "AKIAOLD"],
    ["value", "v1"],
    ["value", "v2"],
  ]);
  expect(reissue[1]?.because).toContain("nothing on record says that its value is refused");
  expect(reissue[2]?.because).toContain("it is current: rotate it");
});

test("a stranger stands before a crowd, and is among those who are listed", () => {
  const crowd = Array.from({ length: 300 }, (_, place) => role(`crowd-${place}`));
  const events = [...crowd.flatMap((who) => [read(who, 0), read(who, 1)]), read("stranger", 2)];
  const possible = crowd.map((principal) => ({ principal, because: "a consumer" }));
  const { observed, notListed } = radiusOf(events, { possible });
  expect(observed[0]?.principal).toBe(role("stranger"));
  expect(notListed.principals).toBe(101);
});

test("a reader of another account is marked as foreign", () => {
  const foreign = read("arn:aws:iam::999999999999:role/x", 0, { principal: { account: "999999999999" } });
  expect(radiusOf([foreign]).observed[0]).toMatchObject({ isForeign: true, account: "999999999999" });
});

const anyEvent = fc
  .record({
    who: fc.constantFrom("a", "b", "c"),
    seconds: fc.integer({ min: -4000, max: 4000 }),
    what: fc.constantFrom("read", "denied", "decrypt", "batch", "policy", "move"),
  })
  .map(({ who, seconds, what }) => {
    if (what === "move") return move(seconds, "v1", "v2");
    if (what === "decrypt") return decrypt(who, seconds, "v1");
    if (what === "batch") return act(who, seconds, "BatchGetSecretValue");
    if (what === "policy") return act(who, seconds, "PutResourcePolicy");
    return read(who, seconds, what === "denied" ? { outcome: "denied" } : {});
  });

test("order and duplicates change nothing, and the rows add up to the totals", () => {
  fc.assert(
    fc.property(
      fc
        .array(anyEvent, { maxLength: 15 })
        .chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          ),
        ),
      ([events, shuffled]) => {
        const radius = radiusOf(events);
        expect(radiusOf(shuffled)).toEqual(radius);
        const { observed, totals } = radius;
        const sum = (of: (one: (typeof observed)[number]) => number) =>
          observed.reduce((total, one) => total + of(one), 0);
        expect(sum(({ reads }) => reads)).toBe(totals.reads);
        expect(sum(({ denied }) => denied.count)).toBe(totals.denied);
        expect(sum(({ versions }) => versions.reduce((total, { reads }) => total + reads, 0))).toBe(
          totals.reads,
        );
        expect(sum(({ activity }) => activity.reduce((total, { reads }) => total + reads, 0))).toBe(
          totals.reads,
        );
      },
    ),
    { numRuns: 60 },
  );
});

describe("coverage", () => {
  const gaps = (changes: Partial<Searched>, now = NOON + 10 * HOUR_MS) =>
    coverageOf({ ...searched, ...changes }, [], new Date(now)).gaps.join("\n");

  test("says from when on it was searched, and that nothing was", () => {
    expect(gaps({ searched: { ...asked, from: iso(NOON) } })).toContain(
      "searched from 2026-11-24T12:00:00.000Z to 2026-11-24T13:00:00.000Z, not before",
    );
    const { searched: _, ...nothing } = searched;
    expect(coverageOf(nothing, [], new Date(NOON)).gaps[0]).toContain("nothing was searched to its end");
    expect(gaps({})).not.toContain("not before");
  });

  test("says what is too old, too fresh, unproven and unreadable", () => {
    expect(gaps({}, NOON + 95 * 24 * HOUR_MS)).toContain("event history ends 90 days ago");
    expect(gaps({}, NOON + HOUR_MS + 60_000)).toContain("up to 15 minutes late");
    expect(gaps({})).not.toContain("15 minutes late");
    expect(gaps({ provable: { asked: 2, of: 5 } })).toContain("2 of 5 reads");
    expect(gaps({ malformed: 7 })).toContain("7 records could not be understood");
  });

  test("tells of trails which keep reads, where, and with or without KMS", () => {
    const trail = {
      name: "all",
      homeRegion: "eu-central-1",
      isMultiRegion: true,
      isOrganization: false,
      isLogging: true,
      bucket: "audit",
      logsReads: true,
      logsKms: false,
    };
    const of = (changes: Partial<typeof trail>) =>
      coverageOf(searched, [{ ...trail, ...changes }], new Date(NOON)).gaps.join("\n");
    expect(of({})).toContain("the files of trails were not searched: all in audit");
    expect(of({})).toContain("no trail keeps the records of KMS");
    expect(of({ isLogging: false })).toContain("no trail keeps reads");
    expect(coverageOf(searched, "denied", new Date(NOON)).gaps.join("\n")).toContain(
      "could not be asked: denied",
    );
  });
});

test("a resource policy tells whom it lets read, and under which conditions", () => {
  const policy = {
    Statement: [
      { Effect: "Allow", Principal: { AWS: role("a") }, Action: "secretsmanager:GetSecretValue" },
      {
        Effect: "Allow",
        Principal: { AWS: ["999999999999"] },
        Action: ["secretsmanager:*"],
        Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } },
      },
      { Effect: "Allow", Principal: { AWS: role("b") }, Action: "secretsmanager:DescribeSecret" },
      { Effect: "Deny", Principal: "*", Action: "*" },
    ],
  };
  expect(readersByPolicy(JSON.stringify(policy))).toEqual([
    { principal: role("a"), because: "its resource policy allows it" },
    { principal: "999999999999", because: "its resource policy allows it under a condition (StringEquals)" },
  ]);
  expect(readersByPolicy("{")).toEqual([]);
  expect(readersByPolicy(undefined)).toEqual([]);
});

const HOSTILE = `"><script>alert(1)</script>\`|\u202E\u0000&<!channel> [x](http://evil) ${"long".repeat(200)}`;
const hostile = () =>
  radiusOf(
    [
      read(`arn:aws:iam::1:role/${HOSTILE}`, 0),
      read("x", 1, { outcome: "denied" }),
      move(60, HOSTILE, HOSTILE),
    ],
    {
      secret: { ...SECRET, name: HOSTILE },
      possible: [{ principal: HOSTILE, because: HOSTILE }],
    },
  );

const TAG =
  /<(\/?)(svg|style|rect|text|title|circle|path|line|g)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<>&]*(?:&(?:amp|lt|gt|quot|#39);[^"<>&]*)*")*)(\/?)>/g;

/** Tags of the few kinds that pictures are made of, each closed, and between them no mark that begins one. */
function brokenIn(svg: string): string[] {
  const open: string[] = [];
  const complaints: string[] = [];
  const between = svg
    .replace(/<style>[^<]*<\/style>/, "")
    .replace(TAG, (_whole, end: string, name: string, _attributes, alone: string) => {
      if (end !== "" && open.pop() !== name) complaints.push(`</${name}> closes another`);
      if (end === "" && alone === "") open.push(name);
      return "";
    });
  if (open.length > 0) complaints.push(`${open.join(", ")} stays open`);
  return [...complaints, ...(between.replace(/&(amp|lt|gt|quot|#39);/g, "").match(/[<>&\p{Cf}\0]/gu) ?? [])];
}

describe("the picture", () => {
  test("is whole, with hostile names as harmless text", () => {
    expect(brokenIn(drawBlastRadius(hostile()))).toEqual([]);
    expect(brokenIn("<svg><text>a < b</text><rect></svg>")).not.toEqual([]);
  });

  test("has a row for each of twelve, and sums up the rest; strangers stay in sight", () => {
    const crowd = Array.from({ length: 20 }, (_, place) => role(`crowd-${place}`));
    const events = [...crowd.flatMap((who) => [read(who, 0), read(who, 60)]), read("stranger", 120)];
    const svg = drawBlastRadius(
      radiusOf(events, { possible: crowd.map((principal) => ({ principal, because: "a consumer" })) }),
    );
    const labels = [...svg.matchAll(/<title>arn:[^<]*<\/title>([^<]+)<\/text>/g)].map(([, label]) => label);
    expect(labels).toHaveLength(11);
    expect(labels[0]).toBe("role/stranger");
    expect(svg).toContain(">10 others</text>");
    expect(svg).toContain("41 reads by 21 principals");
  });

  test("marks rotations, refusals, and what was not searched", () => {
    const coverage = coverageOf(
      { ...searched, searched: { ...asked, from: iso(NOON) } },
      [],
      new Date(NOON + 10 * HOUR_MS),
    );
    const svg = drawBlastRadius(
      radiusOf([move(600, "v1", "abcdefgh-1"), read("x", 900, { outcome: "denied" })], { coverage }),
    );
    expect(svg).toContain(">abcdefgh is current</text>");
    expect(svg.match(/class="denied"/g)).toHaveLength(2);
    expect(svg.match(/class="blind"/g)).toHaveLength(1);
    expect(drawBlastRadius(radiusOf([]))).toContain("nobody, as far as was searched");
  });
});

describe("the page", () => {
  test("tells observed apart from possible, and what it rests on", () => {
    const page = writeBlastRadius(
      radiusOf([read("shop", 0), read("x", 0, { outcome: "denied" })], {
        possible: [{ principal: role("idle"), because: "a consumer" }],
      }),
    );
    expect(page).toContain("**1 read** by **1 principal**, 1 refused try, 0 other actions");
    expect(page).toContain(`| \`${role("shop")}\` **not known as a reader** | 1 |`);
    expect(page).toMatch(/## Possible, and not observed\n\n- `arn:aws:iam::\d+:role\/idle`: a consumer/);
    expect(page).toContain("- a copy: in a file, a log, an image, a backup, another secret store");
  });

  test("keeps hostile names inside their code spans and cells", () => {
    const page = writeBlastRadius(hostile());
    for (const line of page.split("\n").filter((one) => one.startsWith("|"))) {
      const cells = line.replaceAll("\\|", "").split("|").length;
      expect([4, 7, 8, 9]).toContain(cells);
    }
    const outside = page.replace(/`[^`\n]*`/g, "").replace(/\\[\\`*_[\]<>|~#&@]/g, "");
    expect(outside).not.toMatch(/<|\[x\]|`|\u202E/);
    expect(page.length).toBeLessThan(20_000);
  });
});

test("ten thousand reads by four hundred principals fit into a function's answer", () => {
  const events = Array.from({ length: 10_000 }, (_, place) =>
    read(`p${place % 400}`, (place * 7) % 3000, {
      network: { kind: "public", key: `10.${place % 250}.0.0/24` },
    }),
  );
  const radius = radiusOf(events);
  expect(radius.observed).toHaveLength(200);
  expect(radius.notListed).toEqual({ principals: 200, reads: 5000, denied: 0 });
  const answer = { ...radius, markdown: writeBlastRadius(radius), svg: drawBlastRadius(radius) };
  expect(JSON.stringify(answer).length).toBeLessThan(6_000_000);
});
