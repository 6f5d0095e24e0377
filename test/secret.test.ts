import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Credential, SecretDocument, SecretText } from "../lib/secret.ts";

const CANARY = "canary-7f3k9";
const BUNDLE = `{"DATABASE_PASSWORD":"${CANARY}","DATABASE_HOST":"db","nested":{"a":["${CANARY}",1.0]}}`;

const parse = (raw: string) => SecretDocument.parse(new SecretText(raw));
const written = (document: SecretDocument) => document.toText().reveal();

const carriers: readonly (readonly [string, unknown])[] = [
  ["SecretText", new SecretText(CANARY)],
  ["a document with fields", parse(BUNDLE)],
  ["a plain document", parse(CANARY)],
  [
    "a credential",
    new Credential(parse(BUNDLE), "gateway#DATABASE_PASSWORD", (name) => `DATABASE_${name.toUpperCase()}`),
  ],
];

/** Every way of printing that a line of code might use by mistake. */
const printings: readonly (readonly [string, (value: unknown) => string])[] = [
  ["a template string", (value) => `${value}`],
  ["joining a list", (value) => [value, value].join()],
  ["JSON", (value) => JSON.stringify({ value, list: [value] })],
  ["inspect", (value) => inspect(value)],
  [
    "inspect of everything",
    (value) => inspect({ value }, { depth: Infinity, showHidden: true, getters: true }),
  ],
  [
    "inspect without custom functions",
    (value) => inspect(value, { customInspect: false, depth: Infinity, showHidden: true }),
  ],
  ["an error's cause", (value) => inspect(new Error("outer", { cause: { value } }), { depth: Infinity })],
  ["an error's message", (value) => inspect(new Error(String(value)))],
  ["a Map and a Set", (value) => inspect([new Map([["key", value]]), new Set([value])], { depth: Infinity })],
  ["the keys and values of the object", (value) => JSON.stringify(Object.entries(Object(value)).map(String))],
  ["a copy by spreading", (value) => inspect({ ...Object(value) }, { depth: Infinity })],
];

describe.each(carriers)("%s", (_name, carrier) => {
  test.each(printings)("does not leak through %s", (_printing, print) => {
    expect(print(carrier)).not.toContain(CANARY);
  });

  test("does not leak through console.log with a format", async () => {
    const { Console } = await import("node:console");
    const { PassThrough } = await import("node:stream");
    const stdout = new PassThrough();
    new Console({ stdout }).log("%o %O %s %j", carrier, carrier, carrier, carrier);
    const printed = String(stdout.read());
    expect(printed.length).toBeGreaterThan(4);
    expect(printed).not.toContain(CANARY);
  });

  test("does not leak through a structured clone, as a message to a worker would make", () => {
    const clone = structuredCloneOrRefusal(carrier);
    expect(inspect(clone, { depth: Infinity, showHidden: true })).not.toContain(CANARY);
  });
});

function structuredCloneOrRefusal(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    return error;
  }
}

test("reveal gives the text as it was", () => {
  expect(new SecretText(CANARY).reveal()).toBe(CANARY);
  expect(parse(BUNDLE).reveal("DATABASE_PASSWORD")).toBe(CANARY);
  expect(parse(CANARY).revealPlain()).toBe(CANARY);
});

describe("a document keeps what nobody changed", () => {
  test.each([
    ["numbers of twenty digits", '{"id":12345678901234567890,"password":"a"}'],
    ["the spelling of numbers", '{"a":1.0,"b":1e3,"c":-0,"d":0.10}'],
    ["letters of every alphabet", '{"name":"żółw 🐢 亀","other":"é"}'],
    ["nested values", '{"a":{"b":[1.0,{"c":null}],"d":true}}'],
    ["an empty document", "{}"],
    ["a field called __proto__", '{"__proto__":"a","constructor":"b","toString":"c"}'],
    ["a nested field called __proto__", '{"a":{"__proto__":{"b":"c"}}}'],
    ["names that look like numbers, in their place", '{"b":"1","10":"2","2":"3","a":"4"}'],
    ["nested names that look like numbers, in their place", '{"x":{"b":1,"2":2,"1":3}}'],
    ["a field called rawJSON", '{"a":{"rawJSON":"b"},"rawJSON":"c"}'],
    ["half of a surrogate pair", '{"a":"\\ud83d"}'],
  ])("%s", (_what, raw) => {
    expect(written(parse(raw))).toBe(raw);
    expect(written(parse(raw).with({ password: "new" }).with({ password: undefined }))).toBe(
      raw.includes('"password"') ? '{"id":12345678901234567890}' : raw,
    );
  });

  test("white space between fields goes, inside them it stays", () => {
    const raw = ' {\n  "a" : { "b" : [ 1.0 , "}," ] } ,\n  "c\\"" : "\\"{:" } ';
    expect(written(parse(raw))).toBe('{"a":{ "b" : [ 1.0 , "}," ] },"c\\"":"\\"{:"}');
    expect(parse(raw).reveal('c"')).toBe('"{:');
  });

  test("of a field that stands twice the last counts, as everywhere", () => {
    expect(written(parse('{"a":"first","b":"x","a":"last"}'))).toBe('{"a":"last","b":"x"}');
  });

  test("changing a field leaves it in its place", () => {
    const changed = parse('{"a":1.0,"password":"old","z":12345678901234567890}').with({ password: "new" });
    expect(written(changed)).toBe('{"a":1.0,"password":"new","z":12345678901234567890}');
  });

  test("a plain string stays as it is, also when it looks like JSON", () => {
    for (const raw of ["", "secret", " x ", '"quoted"', "12345678901234567890", "[1]", "null", "{", "1.0"]) {
      const document = parse(raw);
      expect(document.isPlain).toBe(true);
      expect(written(document)).toBe(raw);
    }
  });

  const value: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3 });
  const document = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "1", "password")), value);

  test("whatever the document", () => {
    fc.assert(
      fc.property(document, (fields) => {
        const raw = JSON.stringify(fields);
        expect(written(parse(raw))).toBe(raw);
      }),
    );
  });

  test("whatever the document, and whatever is changed", () => {
    fc.assert(
      fc.property(document, fc.string(), fc.string(), (fields, name, text) => {
        const before = parse(JSON.stringify(fields));
        const after = before.with({ [name]: text });
        expect(after.reveal(name)).toBe(text);
        for (const other of before.fieldNames().filter((field) => field !== name)) {
          expect(after.reveal(other)).toBe(before.reveal(other));
        }
        expect(written(parse(written(after)))).toBe(written(after));
      }),
    );
  });

  test("whatever the digits of a number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.nat(), (whole, fraction) => {
        const raw = `{"a":${whole}.${fraction},"b":-${whole},"c":[${whole}]}`;
        expect(written(parse(raw).with({ d: "x" }))).toBe(`${raw.slice(0, -1)},"d":"x"}`);
      }),
    );
  });
});

describe("a credential", () => {
  const bundle = parse(BUNDLE);
  const credential = new Credential(
    bundle,
    "gateway#DATABASE_PASSWORD",
    (name) => `DATABASE_${name.toUpperCase()}`,
  );

  test("reads and writes under the bundle's names", () => {
    expect(credential.require("host")).toBe("db");
    const changed = credential.with({ password: "new" });
    expect(written(changed.document)).toBe(
      BUNDLE.replace(`"DATABASE_PASSWORD":"${CANARY}"`, '"DATABASE_PASSWORD":"new"'),
    );
    expect(credential.require("password")).toBe(CANARY);
  });

  test("names the field that is missing as it stands in the secret, and no value", () => {
    expect(() => credential.require("username")).toThrow(
      expect.objectContaining({
        code: "SECRET_MALFORMED",
        message: "gateway#DATABASE_PASSWORD: field DATABASE_USERNAME is missing or empty",
      }),
    );
  });
});
