import { beforeAll, describe, expect, test } from "vitest";
import { extract } from "../../lib/detection/extract.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { type Context, contextOf } from "./context.ts";
import { fleetOf } from "./fleet.ts";
import { type Parts, partsOf } from "./loader.ts";
import { type Month, monthOf } from "./month.ts";
import { tenantOf } from "./tenantOf.ts";

type Seen = SecretEvent & { readonly source: string };

const parts = await partsOf();
const OPTIONS = { days: 10, attacksEach: 5, hasPlainAgents: false };
let fleet: { readonly month: Month; readonly context: Context; readonly events: readonly Seen[] }[] = [];
beforeAll(() => {
  fleet = [...fleetOf(7, parts, OPTIONS)].map((month) => ({
    month,
    context: contextOf(month.tenant),
    events: month.records.flatMap(({ record, source }) => {
      const extracted = extract(record);
      return "event" in extracted ? [{ ...extracted.event, source }] : [];
    }),
  }));
}, 120_000);

test("a seed gives the same month again, and another seed another one", () => {
  const month = (seed: string) => JSON.stringify(monthOf(tenantOf(seed, 3), parts, ["slowAndLow"]).records);
  expect(month("a")).toBe(month("a"));
  expect(month("a")).not.toBe(month("b"));
});

test("another archetype leaves what the others do as it was", () => {
  const greedy = (_: unknown, random: { next: () => number }) => {
    for (let draws = 0; draws < 100; draws++) random.next();
    return [];
  };
  const more: Parts = { ...parts, archetypes: new Map([["aFirst", greedy], ...parts.archetypes]) };
  const tenant = tenantOf("a", 3);
  expect(monthOf(tenant, more, ["ransom"]).records).toEqual(monthOf(tenant, parts, ["ransom"]).records);
});

test("every record is one that the detection reads, and none is there twice", () => {
  for (const { month, events } of fleet) {
    expect(events.length).toBe(month.records.length);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
  }
});

test("every archetype does something in one of the tenants, and every attack is planted once", () => {
  const sources = new Set(fleet.flatMap(({ events }) => events.map(({ source }) => source)));
  const attacks = [...parts.attacks.keys()];
  expect(sources).toEqual(new Set([...parts.archetypes.keys(), ...attacks.map((name) => `attack: ${name}`)]));
  const planted = fleet.flatMap(({ month }) => month.planted.map(({ attack }) => attack));
  expect(planted.toSorted()).toEqual(attacks);
});

test("an attack's label names who acts in it, and when, within the watched days", () => {
  for (const { month, events: all } of fleet)
    for (const label of month.planted) {
      const events = all.filter(({ source }) => source === `attack: ${label.attack}`);
      expect(new Set(events.map(({ principal }) => principal?.key))).toEqual(new Set(label.principals));
      const times = events.map(({ atMs }) => atMs);
      expect(Math.min(...times)).toBe(label.fromMs);
      expect(Math.max(...times)).toBe(Math.floor(label.toMs / 1000) * 1000);
      expect(label.fromMs).toBeGreaterThanOrEqual(month.tenant.watched.fromMs);
      expect(label.toMs).toBeLessThan(month.tenant.watched.toMs);
      for (const secret of events.flatMap(({ secrets }) => secrets))
        expect(label.secrets).toContain(secret.key);
    }
});

/** Each question tells nothing of what is harmless, and something of the attack that is about it. */
describe("what is harmless is so by what the product knows", () => {
  type Question = (event: Seen, context: Context) => boolean;
  const asking = (question: Question) => {
    const found = fleet.flatMap(({ events, context }) =>
      events.filter(
        (event) =>
          event.action === "GetSecretValue" && event.outcome === "allowed" && question(event, context),
      ),
    );
    return {
      harmless: found.filter(({ source }) => !source.startsWith("attack: ")),
      attacks: new Set(found.map(({ source }) => source).filter((source) => source.startsWith("attack: "))),
    };
  };
  const keyOf = ({ secrets }: Seen) => secrets[0]?.key ?? "";
  const isApproved = (event: Seen, { approvals }: Context) =>
    approvals.some(
      ({ principal, secret, fromMs, toMs }) =>
        principal === event.principal?.key &&
        secret === keyOf(event) &&
        fromMs <= event.atMs &&
        event.atMs < toMs,
    );

  test("nobody reads a canary", () => {
    const { harmless } = asking((event, { canaries }) => canaries.has(keyOf(event)));
    expect(harmless).toEqual([]);
  });

  test("a person reads what is in production only with an approval", () => {
    const isPerson: Question = (event, { productionSecrets }) =>
      event.principal?.isPerson === true && productionSecrets.has(keyOf(event));
    expect(asking(isPerson).harmless).not.toEqual([]);
    const { harmless, attacks } = asking(
      (event, context) => isPerson(event, context) && !isApproved(event, context),
    );
    expect(harmless).toEqual([]);
    expect(attacks).toContain("attack: personTargeted");
    expect(attacks).toContain("attack: insiderCloudShell");
  });

  test("nobody asks for a version that was revoked", () => {
    const isRetired: Question = (event, { versions }) =>
      event.version?.label === "AWSPREVIOUS" ||
      versions.some(
        ({ versionId, revokedAtMs }) =>
          versionId === event.version?.id && revokedAtMs !== undefined && event.atMs >= revokedAtMs,
      );
    const { harmless, attacks } = asking(isRetired);
    expect([harmless, [...attacks]]).toEqual([[], ["attack: retiredRead"]]);
  });

  test("a pending version is read by who rotates", () => {
    const isPending: Question = (event) => event.version?.label === "AWSPENDING";
    expect(asking(isPending).harmless).not.toEqual([]);
    const { harmless, attacks } = asking(
      (event, context) =>
        isPending(event, context) &&
        event.principal?.kind !== "service" &&
        !context.rotationRoles.has(event.principal?.key ?? ""),
    );
    expect([harmless, [...attacks]]).toEqual([[], ["attack: pendingRead"]]);
  });

  test("tasks and functions are known as readers of what they read", () => {
    const own =
      /^(ecsBoot|lambdaColdStart|powertoolsChatty|cachingClient|backupJob|rareJobs|externalSecrets)$/;
    const { harmless, attacks } = asking(
      (event, { consumers }) => !consumers.get(keyOf(event))?.has(event.principal?.key ?? ""),
    );
    expect(harmless.filter(({ source }) => own.test(source))).toEqual([]);
    expect(attacks).toContain("attack: slowAndLow");
  });
});

test("plain agents leave no tool's name", () => {
  const [month] = fleetOf(7, parts, { ...OPTIONS, days: 7, hasPlainAgents: true });
  const agents = new Set(month?.records.map(({ record }) => String(record["userAgent"])));
  const own = [...agents].filter((agent) => !agent.endsWith(".amazonaws.com"));
  expect(own).toEqual([expect.stringMatching(/^aws-sdk-go-v2\//)]);
});
