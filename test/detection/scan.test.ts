import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extract } from "../../lib/detection/extract.ts";
import { recordsIn } from "../../lib/detection/recordsIn.ts";
import { scan } from "../../lib/detection/scan.ts";
import { ARN, decrypt, record } from "./records.ts";

const RUN_AN_INSTANCE = { eventSource: "ec2.amazonaws.com", eventName: "RunInstances" };
const other = (changes: Readonly<Record<string, unknown>> = {}) => record({ ...RUN_AN_INSTANCE, ...changes });
const trail = (...records: readonly unknown[]) => JSON.stringify({ Records: records });

/** What is worth telling of a file, by the quick way and by the slow one. */
function told(records: readonly unknown[], total: number, malformed: ReadonlyMap<string, number>) {
  const counts = new Map(malformed);
  const events = records.flatMap((one) => {
    const extracted = extract(one);
    if ("malformed" in extracted) counts.set(extracted.malformed, (counts.get(extracted.malformed) ?? 0) + 1);
    return "event" in extracted ? [extracted.event] : [];
  });
  return { events, total, malformed: Object.fromEntries(counts) };
}
function quickly(bytes: Buffer) {
  const { records, total, malformed } = scan(bytes);
  return told(records, total, malformed);
}
function slowly(bytes: Buffer) {
  const { records, malformed } = recordsIn(bytes.toString("utf8"));
  return told(records, records.length, malformed);
}
const idsIn = (text: string) => quickly(Buffer.from(text)).events.map(({ eventId }) => eventId);

describe("of a trail's file", () => {
  test("only what may concern secrets is parsed, and everything is counted", () => {
    const read = record();
    const named = decrypt();
    const guard = record({ eventSource: "iam.amazonaws.com", eventName: "PutRolePolicy" });
    const records = [
      other(),
      read,
      other({ eventSource: "kms.amazonaws.com", eventName: "Decrypt" }),
      named,
      other({ eventSource: "iam.amazonaws.com", eventName: "GetRole" }),
      guard,
      other(),
    ];
    expect(scan(Buffer.from(trail(...records)))).toEqual({
      records: [read, named, guard],
      total: 7,
      malformed: new Map(),
    });
  });

  test.each<[string, Record<string, unknown>]>([
    [
      "in a string",
      { userAgent: '{"eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue"}' },
    ],
    ["in a string of braces and quotes", { userAgent: '}}]},{"eventSource":"secretsmanager.amazonaws.com' }],
    ["at the end of a string that ends in a backslash", { userAgent: "secretsmanager.amazonaws.com\\" }],
    ["in something inside the record", { requestParameters: { list: [record(), record()] } }],
    ["as a value, and no name", { eventCategory: "eventSource", errorCode: "secretsmanager.amazonaws.com" }],
    ["in a list at its top", { resources: ["eventSource", "secretsmanager.amazonaws.com"] }],
    ["as another service's SecretARN", { requestParameters: { encryptionContext: { SecretARN: ARN } } }],
  ])("a record of another service that names Secrets Manager %s is not taken for one", (_where, changes) => {
    const read = record();
    expect(idsIn(trail(other(changes), read, other(changes)))).toEqual([read["eventID"]]);
  });

  test.each<[string, (text: string) => string]>([
    [
      "with its source in escapes",
      (text) => text.replace(/secretsmanager(?=\.amazonaws)/, "secrets\\u006danager"),
    ],
    ["with its source's name in escapes", (text) => text.replace("eventSource", "event\\u0053ource")],
    ["with spaces around the colon", (text) => text.replace('"eventSource":', '"eventSource" : ')],
    ["with a line break after the colon", (text) => text.replace('"eventName":', '"eventName":\n')],
    ["with a space before the source", (text) => text.replace('"secretsmanager.', '" secretsmanager.')],
    [
      "with two sources, of which the last one counts",
      (text) => text.replace('"eventSource"', '"eventSource":"ec2.amazonaws.com","eventSource"'),
    ],
    ["without the domain", (text) => text.replace(".amazonaws.com", "")],
    ["of China", (text) => text.replace("amazonaws.com", "amazonaws.com.cn")],
    [
      "with its names at the very end",
      (text) => text.replace(/("eventSource":"[^"]+","eventName":"\w+",)(.*)}$/, "$2,$1").replace(/,$/, "}"),
    ],
  ])("a record %s is found", (_how, written) => {
    const read = record();
    const text = written(JSON.stringify(read));
    expect(text).not.toBe(JSON.stringify(read));
    expect(JSON.parse(text)).toHaveProperty("eventID");
    expect(idsIn(`{"Records":[${JSON.stringify(other())},${text},${JSON.stringify(other())}]}`)).toEqual([
      read["eventID"],
    ]);
  });

  test("a record that lacks what makes it one is counted, as in any other file", () => {
    const { eventName: _, ...nameless } = other();
    expect(quickly(Buffer.from(trail(nameless, {}, other())))).toEqual({
      events: [],
      total: 3,
      malformed: { "eventSource or eventName is missing": 2 },
    });
  });

  test("a record about secrets that is not JSON is counted, and the ones after it are read", () => {
    const [broken, read] = [record(), record()];
    const text = `{"Records":[${JSON.stringify(broken).replace('"readOnly":true', '"readOnly":')},${JSON.stringify(read)}]}`;
    expect(quickly(Buffer.from(text))).toMatchObject({
      events: [{ eventId: read["eventID"] }],
      total: 1,
      malformed: { "a record is not JSON": 1 },
    });
  });
});

describe("what is huge stops nothing", () => {
  const read = record();
  const MEGABYTE = 1_000_000;

  test.each<[string, string]>([
    ["a record of 50 MB", trail(other({ userAgent: "x".repeat(50 * MEGABYTE) }), read)],
    ["a record of 50 MB of escapes", trail(other({ userAgent: "\n".repeat(25 * MEGABYTE) }), read)],
    [
      "a record nested a million deep",
      trail(other({ deep: 0 }), read).replace(
        '"deep":0',
        `"deep":${'{"a":'.repeat(MEGABYTE)}0${"}".repeat(MEGABYTE)}`,
      ),
    ],
    [
      "a read with a list nested a million deep",
      trail(read).replace(/}]}$/, `,"deep":${"[".repeat(MEGABYTE)}${"]".repeat(MEGABYTE)}}]}`),
    ],
  ])("%s", (_what, text) => {
    expect(idsIn(text)).toEqual([read["eventID"]]);
  });

  test.each<[string, string, number]>([
    ["a string that never ends", `{"Records":[${JSON.stringify(read)},{"a":"${"x".repeat(5 * MEGABYTE)}`, 1],
    ["escapes that never end", `{"Records":[${JSON.stringify(read)},{"a":"${"\\n".repeat(5 * MEGABYTE)}`, 1],
    ["braces that never close", `{"Records":[${JSON.stringify(read)},${"{".repeat(5 * MEGABYTE)}`, 1],
  ])("%s", (_what, text, ends) => {
    const found = quickly(Buffer.from(text));
    expect(found.events.map(({ eventId }) => eventId)).toEqual([read["eventID"]]);
    expect(found.malformed).toEqual({ "the file ends in the middle of a record": ends });
  });

  test.each<[string, string]>([
    ["zeros", "\0".repeat(5 * MEGABYTE)],
    ["an array of nothing but openings", "[".repeat(2 * MEGABYTE)],
    ["arrays in arrays", `${"[".repeat(MEGABYTE)}${"]".repeat(MEGABYTE)}`],
  ])("%s instead of a file hold no event", (_what, text) => {
    expect(quickly(Buffer.from(text)).events).toEqual([]);
  });

  test("half a million records that are none", () => {
    const text = `{"Records": [${"{},".repeat(499_999)}{}]}`;
    expect(quickly(Buffer.from(text))).toEqual({
      events: [],
      total: 500_000,
      malformed: { "eventSource or eventName is missing": 500_000 },
    });
  });
});

describe("the quick way and the slow way tell the same", () => {
  /** Of a file; not a double, of which nearly all are next to nothing. */
  const anyShare = fc.nat(10_000).map((parts) => parts / 10_000);
  /** Pieces of which the worst files are made. */
  const anyText = fc
    .array(
      fc.constantFrom(
        ...[
          '"',
          "\\",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          " ",
          "é",
          "\ud83d",
          "\u2028",
          "eventSource",
          "eventName",
          "Records",
        ],
        ...[
          "secretsmanager.amazonaws.com",
          "kms.amazonaws.com",
          "SecretARN",
          "CloudTrailEvent",
          "u0053",
          "PutKeyPolicy",
        ],
      ),
      { maxLength: 6 },
    )
    .map((pieces) => pieces.join(""));
  const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      anyText,
      fc.constantFrom<unknown>(null, 7, true, [], {}),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(anyText, tie("value"), { maxKeys: 3 }),
      fc.constantFrom<unknown>(record(), decrypt(), other(), { Records: [record()] }),
    ),
  })).value;
  const anyCall = fc.oneof(
    fc.constantFrom<Record<string, unknown>>(
      ...[
        {},
        RUN_AN_INSTANCE,
        { eventSource: "secretsmanager.amazonaws.com" },
        { eventSource: " secretsmanager" },
      ],
      { eventSource: "kms.amazonaws.com", eventName: "PutKeyPolicy" },
      { eventSource: "kms.amazonaws.com", eventName: "Decrypt" },
      { eventSource: "kms.amazonaws.com.cn", requestParameters: { encryptionContext: { SecretARN: ARN } } },
      { eventSource: "iam.amazonaws.com", eventName: "PutRolePolicy\u200b" },
    ),
    fc.record({ eventSource: anyValue, eventName: anyValue }, { requiredKeys: [] }),
  );
  const anyRecord = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(anyCall, anyMore()).map(([call, more]) => ({ ...record(call), ...more })),
    },
    { weight: 1, arbitrary: anyValue },
  );
  function anyMore() {
    const names = fc.constantFrom(
      ...["userAgent", "requestParameters", "responseElements", "eventID", "Events"],
      "CloudTrailEvent",
    );
    return fc.dictionary(names, fc.oneof(anyValue, fc.constant(JSON.stringify(record()))), { maxKeys: 2 });
  }
  const anyFile = fc
    .record({
      records: fc.array(anyRecord, { maxLength: 5 }),
      after: fc.constantFrom("", "\n", " \n\n", "}", ",", "]"),
    })
    .map(({ records, after }) => Buffer.from(trail(...records) + after));
  /** As JSON does not have to be written, but may be. */
  const anyWriting = fc
    .tuple(
      anyFile,
      fc.constantFrom<(text: string) => string>(
        (text) => text,
        (text) => text.replaceAll("eventSource", "event\\u0053ource"),
        (text) => text.replaceAll("SecretARN", "Secret\\u0041RN"),
        (text) => text.replaceAll('":"', '" : "'),
        (text) => text.replaceAll('"},{"', '"} ,\n{"'),
        (text) => JSON.stringify([text]),
        (text) => text.replaceAll("\\\\", "\\/"),
      ),
    )
    .map(([file, rewritten]) => Buffer.from(rewritten(file.toString())));

  test("of every file that is whole", () => {
    fc.assert(
      fc.property(anyWriting, (file) => {
        try {
          JSON.parse(file.toString());
        } catch {
          return;
        }
        expect(quickly(file)).toEqual(slowly(file));
      }),
      { numRuns: 1_000 },
    );
  });

  test("of every file that was cut off", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 5 }), anyShare, (records, share) => {
        const whole = Buffer.from(trail(...records));
        const file = whole.subarray(0, Math.round(whole.length * share));
        expect(quickly(file)).toEqual(slowly(file));
      }),
      { numRuns: 1_000 },
    );
  });

  const anyDamage = fc.array(
    fc.record({
      at: anyShare,
      removed: fc.nat(3),
      put: fc.constantFrom(
        ...['"', "\\", "{", "}", "[", "]", ",", ":", "", " ", "\xff", "\0", "\\u0041", '"}', "},{"],
        '{"',
      ),
    }),
    { minLength: 1, maxLength: 4 },
  );

  test("the events, of every file that was damaged anywhere", () => {
    fc.assert(
      fc.property(anyWriting, anyDamage, (file, damage) => {
        let bytes = file;
        for (const { at, removed, put } of damage) {
          const place = Math.round(at * bytes.length);
          bytes = Buffer.concat([
            bytes.subarray(0, place),
            Buffer.from(put, "latin1"),
            bytes.subarray(place + removed),
          ]);
        }
        expect(quickly(bytes).events).toEqual(slowly(bytes).events);
      }),
      { numRuns: 2_000 },
    );
  });
});
