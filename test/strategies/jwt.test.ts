import { createHmac, createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Circumstances, Verdict, Wave } from "../../lib/rotation/strategy.ts";
import { Credential, SecretDocument, SecretText } from "../../lib/secret.ts";
import { jwt } from "../../lib/strategies/jwt.ts";
import { type Algorithm, readKeyset, sign, verifies } from "../../lib/strategies/keyset.ts";
import { strategyContract } from "./contract.ts";

const NOW = new Date("2026-11-24T12:00:00Z");
const at = (options: Record<string, string> = {}, now = NOW): Circumstances => ({
  now,
  graceSeconds: 300,
  skewSeconds: 60,
  emergency: false,
  mayWrite: () => {},
  rolloutSeconds: 600,
  options: new Map(Object.entries(options)),
});
const plain = (text: string) => new Credential(SecretDocument.parse(new SecretText(text)), "shop/jwt");
const SHARED = "0123456789abcdef0123456789abcdef0123456789a";

/** The signature checked with node:crypto alone, by the flat keys, as an image that takes `JWT_SECRET` would. */
function byHand(token: string, key: string, alg: Algorithm): boolean {
  const [header, payload, signature] = token.split(".");
  const signed = `${header}.${payload}`;
  if (alg === "HS256") return createHmac("sha256", key).update(signed).digest("base64url") === signature;
  const publicKey = { key: createPublicKey(key), dsaEncoding: "ieee-p1363" as const };
  const hash = alg === "EdDSA" ? null : "sha256";
  return verify(hash, Buffer.from(signed), publicKey, Buffer.from(signature ?? "", "base64url"));
}

for (const alg of ["HS256", "EdDSA", "ES256"] as const) {
  strategyContract(`jwt ${alg}`, async () => {
    const options = { alg, "not-after": "honoured" };
    const start = alg === "HS256" ? plain(SHARED) : await freshKeyset(alg);
    const current = await jwt.generate("publish", start, at(options));
    return {
      strategy: jwt,
      current,
      at: (now) => at(options, now),
      async login(credential): Promise<Verdict> {
        const key = credential.require("current");
        return byHand(await sign(key, alg, NOW), key, alg) ? "accepted" : "refused";
      },
      snapshot: async () => "a keyset has no server",
      diesAt: ({ to }) => new Date(Number(to.require("previousNotAfter")) * 1000),
      async stop() {},
    };
  });
}

async function freshKeyset(alg: Algorithm): Promise<Credential> {
  const { newKey, writeKeyset } = await import("../../lib/strategies/keyset.ts");
  const empty = new Credential(SecretDocument.of({}), "shop/jwt");
  return writeKeyset(empty, { alg, current: newKey(alg), next: newKey(alg) });
}

describe("which waves a rotation needs", () => {
  const full = SecretDocument.of({ current: SHARED, next: `${SHARED}b`, previous: SHARED });
  const rows: [string, Credential, Parameters<typeof jwt.waves>[1], Record<string, string>, Wave[]][] = [
    ["a plain string is published first", plain(SHARED), {}, {}, ["publish", "rotate", "retire"]],
    [
      "tasks that know next need no publish wave",
      new Credential(full, "jwt"),
      { oldestTaskCreatedAt: new Date(2000), nextPublishedAt: new Date(1000) },
      { "not-after": "honoured" },
      ["rotate"],
    ],
    [
      "a task older than the publication of next needs one",
      new Credential(full, "jwt"),
      { oldestTaskCreatedAt: new Date(999), nextPublishedAt: new Date(1000) },
      { "not-after": "honoured" },
      ["publish", "rotate"],
    ],
    [
      "a publication that nobody remembers needs one while tasks run",
      new Credential(full, "jwt"),
      { oldestTaskCreatedAt: new Date(2000) },
      {},
      ["publish", "rotate", "retire"],
    ],
    ["without tasks nobody has to learn next", new Credential(full, "jwt"), {}, {}, ["rotate", "retire"]],
  ];
  test.each(rows)("%s", (_promise, current, audience, options, waves) => {
    expect(jwt.waves(current, audience, at(options))).toEqual(waves);
  });
});

describe("the document", () => {
  test("a rotation shifts the keys by one place", async () => {
    const published = await jwt.generate("publish", plain(SHARED), at());
    expect(published.reveal("current")).toBe(SHARED);
    expect(published.reveal("previous")).toBe(SHARED);
    expect(published.reveal("previousNotAfter")).toBe("0");
    const rotated = await jwt.generate("rotate", published, at());
    expect(rotated.reveal("current")).toBe(published.reveal("next"));
    expect(rotated.reveal("previous")).toBe(SHARED);
    // 12:00:00 + rollout 600 s and a third of it to be promoted in + token life 300 s + skew 60 s
    expect(rotated.reveal("previousNotAfter")).toBe(String(Date.UTC(2026, 10, 24, 12, 19, 20) / 1000));
    const retired = await jwt.generate("retire", rotated, at());
    expect(retired.reveal("current")).toBe(rotated.reveal("current"));
    expect(retired.reveal("next")).toBe(rotated.reveal("next"));
    expect(retired.document.toText().reveal()).not.toContain(SHARED);
  });

  test("a publish wave keeps the next key that is there, and a previous key that may still be honoured", async () => {
    const rotated = await jwt.generate("rotate", await jwt.generate("publish", plain(SHARED), at()), at());
    const again = await jwt.generate("publish", rotated, at());
    expect(again.document.toText().reveal()).toBe(rotated.document.toText().reveal());
  });

  test("the keyset mirrors the flat keys, with the key id that tokens carry", async () => {
    const rotated = await jwt.generate("rotate", await jwt.generate("publish", plain(SHARED), at()), at());
    const { keys } = JSON.parse(rotated.require("keyset"));
    const material = (key: string) => Buffer.from(key).toString("base64url");
    expect(keys.map(({ state, k }: { state: string; k: string }) => [state, k])).toEqual([
      ["current", material(rotated.require("current"))],
      ["next", material(rotated.require("next"))],
      ["previous", material(SHARED)],
    ]);
    const token = await sign(rotated.require("current"), "HS256", NOW);
    expect(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid).toBe(keys[0].kid);
  });

  test.each(["EdDSA", "ES256"] as const)(
    "%s publishes public keys alone in the JWKS, and no private half of previous",
    async (alg) => {
      const rotated = await jwt.generate("rotate", await freshKeyset(alg), at({ alg }));
      const { keys } = JSON.parse(rotated.require("jwks"));
      expect(keys).toHaveLength(3);
      for (const key of keys) expect(key).not.toHaveProperty("d");
      expect(rotated.require("previous")).toContain("BEGIN PUBLIC KEY");
      expect(rotated.require("current")).toContain("BEGIN PRIVATE KEY");
    },
  );
});

describe("the end of the old key", () => {
  const ROLLED_OUT = new Date("2026-11-24T12:04:00Z");
  test.each<[string, Wave, Record<string, string>, string, boolean]>([
    ["a publish wave takes nothing away", "publish", {}, "2026-11-24T12:04:00.000Z", false],
    [
      "tokens of the old key live out before the retire wave",
      "rotate",
      {},
      "2026-11-24T12:10:00.000Z",
      false,
    ],
    ["the retire wave ends it with its rollout", "retire", {}, "2026-11-24T12:04:00.000Z", true],
    [
      "verifiers that look at previousNotAfter end it themselves",
      "rotate",
      { "not-after": "honoured" },
      "2026-11-24T12:19:20.000Z",
      true,
    ],
  ])("%s", async (_promise, wave, options, quiet, ends) => {
    const from = await jwt.generate("publish", plain(SHARED), at(options));
    const change = { wave, from, to: await jwt.generate(wave, from, at(options)) };
    expect(jwt.quietUntil(change, ROLLED_OUT, at(options)).toISOString()).toBe(quiet);
    expect(jwt.revokes(wave, at(options))).toBe(ends);
  });

  test.each<Algorithm>(["HS256", "EdDSA", "ES256"])(
    "%s: what the retire wave dropped is refused, what signs stays accepted",
    async (alg) => {
      const rotated = await jwt.generate("rotate", await freshKeyset(alg), at({ alg }));
      const change = {
        wave: "retire" as const,
        from: rotated,
        to: await jwt.generate("retire", rotated, at({ alg })),
      };
      expect(await jwt.test(change, at({ alg }))).toEqual({ from: "refused", to: "accepted" });
    },
  );

  test("a task that does not know the new key shows in the test before anything moves", async () => {
    const stranger = await freshKeyset("HS256");
    const from = await jwt.generate("publish", plain(SHARED), at());
    const change = { wave: "rotate" as const, from, to: stranger };
    expect(await jwt.test(change, at())).toEqual({ from: "refused", to: "refused" });
  });
});

describe("inspection refuses", () => {
  test.each([
    ["an unknown algorithm", plain(SHARED), { alg: "none" }, "TAG_INVALID"],
    ["an empty secret", plain(" "), {}, "SECRET_MALFORMED"],
    [
      "a document without a key",
      new Credential(SecretDocument.of({ next: SHARED }), "jwt"),
      {},
      "SECRET_MALFORMED",
    ],
    [
      "a next key that is too short to sign",
      new Credential(SecretDocument.of({ current: SHARED, next: "short" }), "jwt"),
      {},
      "SECRET_MALFORMED",
    ],
    [
      "a PEM that is none",
      new Credential(SecretDocument.of({ current: "abc", alg: "EdDSA" }), "jwt"),
      {},
      "SECRET_MALFORMED",
    ],
    ["a misspelt not-after", plain(SHARED), { "not-after": "yes" }, "TAG_INVALID"],
  ])("%s", async (_what, current, options, code) => {
    const objections = await jwt.inspect(current, at(options));
    expect(objections[0]?.code).toBe(code);
    expect(JSON.stringify(objections)).not.toContain(SHARED);
  });

  test("but adopts a weak key, because rotating is the cure", async () => {
    expect(await jwt.inspect(plain("changeme"), at())).toEqual([]);
  });
});

test("a token signed by any running task verifies at every running task, through any number of rotations", async () => {
  const step = fc.constantFrom("rotate", "rotateAndRetire") as fc.Arbitrary<"rotate" | "rotateAndRetire">;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
      let now = NOW;
      let document = await jwt.generate("publish", plain(SHARED), at({}, now));
      await everyTokenVerifies([plain(SHARED), document], now);
      for (const kind of steps) {
        const next = await jwt.generate("rotate", document, at({}, now));
        // While it rolls out, tasks hold either document.
        await everyTokenVerifies([document, next], now);
        now = new Date(now.getTime() + 600_000);
        await everyTokenVerifies([document, next], now);
        const last = await sign(document.require("current"), "HS256", now);
        now = new Date(now.getTime() + 30_000);
        expect(await verifies(last, readKeyset(next, undefined), now)).toBe(true);
        now = new Date(Number(next.require("previousNotAfter")) * 1000);
        expect(
          await verifies(
            await sign(document.require("current"), "HS256", now),
            readKeyset(next, undefined),
            now,
          ),
        ).toBe(false);
        document = kind === "rotate" ? next : await jwt.generate("retire", next, at({}, now));
        await everyTokenVerifies([next, document], now);
      }
    }),
    { numRuns: 25 },
  );
});

async function everyTokenVerifies(documents: readonly Credential[], now: Date): Promise<void> {
  for (const signer of documents) {
    const token = await sign(readKeyset(signer, undefined).current, "HS256", now);
    for (const verifier of documents)
      expect(await verifies(token, readKeyset(verifier, undefined), now)).toBe(true);
  }
}
