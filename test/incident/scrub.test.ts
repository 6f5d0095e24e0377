/** No secret leaves with a line of a log, and what a person needs of the line stays. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSecretName, scrub, scrubLines } from "../../lib/incident/scrub.ts";

test.each([
  ["password=hunter2 next=1", "password=[removed] next=1"],
  ['{"password":"pa\\"ss","port":5432}', '{"password":[removed],"port":5432}'],
  [
    'payload {\\"db_password\\":\\"pa ss\\",\\"port\\":1}',
    'payload {\\"db_password\\":[removed],\\"port\\":1}',
  ],
  ["DATABASE_PASSWORD: 'two words' ok", "DATABASE_PASSWORD: [removed] ok"],
  [
    "postgres://app:p@ss/w@db.internal:5432/shop refused",
    "postgres://[removed]@db.internal:5432/shop refused",
  ],
  ["redis://:hunter2@cache:6379", "redis://[removed]@cache:6379"],
  ["Authorization: Bearer abc.def-ghi", "Authorization: [removed]"],
  ["sent Bearer abcdef123 to it", "sent Bearer [removed] to it"],
  ["Cookie: a=1; b=2; sid=xyz", "Cookie: [removed]"],
  ["the password is hunter2", "the password [removed]"],
  ["key AKIAIOSFODNN7EXAMPLE used", "key [removed] used"],
  ["got eyJhbGciOi.J9.sig-na_ture back", "got [removed] back"],
  ["hook xoxb-1234567890-abc failed", "hook [removed] failed"],
  ["digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "digest [removed]"],
  ["password=", "password="],
])("%j becomes %j", (line, clean) => {
  expect(scrub(line)).toBe(clean);
});

test.each([
  "password authentication failed for user app_a",
  "Error: connect ECONNREFUSED 10.0.3.17:5432",
  "    at Server.listen (/usr/src/app/node_modules/express/lib/application.js:635:24)",
  "2026-11-25T20:01:19.123Z INFO listening on 8080",
  "unable to retrieve secret from asm: arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/database-Ab3dEf: AccessDenied",
  "Scaling activity initiated by (deployment ecs-svc/1234567890123456789)",
  "unable to pull secrets or registry auth: execution resource retrieval failed",
  "shipping: failed, mapping: none, 12 tests passed: yes",
])("%j is left as it is", (line) => {
  expect(scrub(line)).toBe(line);
});

test("a key in PEM goes as a whole, also when only its end or its beginning is among the lines", () => {
  const body = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "c2hvcnQ="];
  const begin = "-----BEGIN PRIVATE KEY-----";
  const end = "-----END PRIVATE KEY-----";
  expect(scrubLines(["a", begin, ...body, end, "b"])).toEqual(["a", "[removed]", "b"]);
  expect(scrubLines([...body, end, "b"])).toEqual(["[removed]", "b"]);
  expect(scrubLines(["a", begin, ...body])).toEqual(["a", "[removed]"]);
});

test("the fields of managed secrets are known by name, whatever they are called", () => {
  expect(scrub("LEMON=sour other=1")).toBe("LEMON=sour other=1");
  expect(scrub("LEMON=sour other=1", ["LEMON"])).toBe("LEMON=[removed] other=1");
});

test("colours and control characters go, and no line is wider than a screen", () => {
  expect(scrubLines(["\u001b[31mred\u001b[0m\u202Eturned\u0000"])).toEqual(["red turned "]);
  expect(scrubLines([`${"word ".repeat(1_000)}`])[0]?.length).toBe(400);
});

/** As Rekey makes them, and as others do. */
const canary = fc.oneof(
  fc.string({
    unit: fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"),
    minLength: 43,
    maxLength: 64,
  }),
  fc.uint8Array({ minLength: 32, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("hex")),
  fc.uint8Array({ minLength: 32, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64")),
);
/** Words that no pattern would take for a secret by themselves. */
const weak = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnop!#%*"), minLength: 6, maxLength: 12 });
const noise = fc.string({ unit: "binary", maxLength: 40 });

test("what looks like a key is gone wherever it stands between words", () => {
  fc.assert(
    fc.property(canary, noise, noise, (value, before, after) => {
      fc.pre(/\d/.test(value) && /[a-z]/i.test(value) && (value.match(/\d/g) ?? []).length >= 4);
      expect(scrubLines([`${before} ${value} ${after}`]).join("\n")).not.toContain(value.slice(0, 12));
    }),
    { numRuns: 500 },
  );
});

test("a weak word is gone when its name says that it is a secret, in whatever notation", () => {
  const notations: readonly ((value: string) => string)[] = [
    (value) => `DB_PASSWORD=${value}`,
    (value) => `{"clientSecret":"${value}","a":1}`,
    (value) => `{'api_key': '${value}'}`,
    (value) => JSON.stringify({ message: JSON.stringify({ accessToken: value }) }),
    (value) => `mysql://root:${value}@db/shop`,
    (value) => `x-api-key: ${value}`,
    (value) => `passphrase => "${value}"`,
    (value) => `LEMON=${value}`,
  ];
  fc.assert(
    fc.property(weak, fc.constantFrom(...notations), noise, (value, notation, before) => {
      const line = `${before} ${notation(value)}`;
      expect(scrubLines([line], ["LEMON"]).join("\n")).not.toContain(value);
    }),
    { numRuns: 1_000 },
  );
});

test("nothing that was scrubbed changes when it is scrubbed again", () => {
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 5 }), (lines) => {
      const once = scrubLines(lines);
      expect(scrubLines(once)).toEqual(once);
    }),
  );
});

test("fifty of the longest lines are done before anybody notices", () => {
  const worst = [
    "a".repeat(4_000),
    "password".repeat(500),
    `"${"\\".repeat(4_000)}`,
    "://".repeat(1_300),
    "=".repeat(4_000),
  ];
  const begun = performance.now();
  scrubLines(Array.from({ length: 50 }, (_, at) => worst[at % worst.length] ?? ""));
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test("variables that hold secrets are known by their names", () => {
  expect(
    ["DATABASE_PASSWORD", "JWT_SECRET_KEY", "STRIPE_KEY", "SLACK_TOKEN"].filter(isSecretName),
  ).toHaveLength(4);
  expect(["LOG_LEVEL", "DATABASE_HOST", "MONKEYS"].filter(isSecretName)).toEqual([]);
});
