import { beforeAll, describe, expect, test } from "vitest";
import { extract } from "../../lib/detection/extract.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { type Context, contextOf } from "./context.ts";
import { fleetOf } from "./fleet.ts";
import { type Parts, partsOf } from "./loader.ts";
import { type Month, monthOf } from "./month.ts";
import { tenantOf } from "./tenantOf.ts";

const parts = await partsOf();
const OPTIONS = { days: 14, attacksEach: 4, hasPlainAgents: false };
let fleet: Month[] = [];
/** What nobody planted gave out, tenant by tenant. */
let reads: { readonly context: Context; readonly events: readonly (SecretEvent & { source: string })[] }[] =
  [];
beforeAll(() => {
  fleet = [...fleetOf(7, parts, OPTIONS)];
  reads = fleet.map((month) => ({
    context: contextOf(month.tenant),
    events: eventsOf(month, (source) => !source.startsWith("attack: ")).filter(
      ({ action, outcome }) => action === "GetSecretValue" && outcome === "allowed",
    ),
  }));
});

const eventsOf = ({ records }: Month, isWanted: (source: string) => boolean) =>
  records.flatMap(({ record, source }) => {
    const extracted = isWanted(source) ? extract(record) : undefined;
    return extracted && "event" in extracted ? [{ ...extracted.event, source }] : [];
  });

test("a seed gives the same month again, and another seed another one", () => {
  const month = (seed: string) => JSON.stringify(monthOf(tenantOf(seed, 7), parts, ["slowAndLow"]).records);
  expect(month("a")).toBe(month("a"));
  expect(month("a")).not.toBe(month("b"));
});

test("another archetype leaves what the others do as it was", () => {
  const greedy = (_: unknown, random: { next: () => number }) => {
    for (let draws = 0; draws < 100; draws++) random.next();
    return [];
  };
  const more: Parts = { ...parts, archetypes: new Map([["aFirst", greedy], ...parts.archetypes]) };
  const tenant = tenantOf("a", 7);
  expect(monthOf(tenant, more, ["ransom"]).records).toEqual(monthOf(tenant, parts, ["ransom"]).records);
});

test("every record is one that the detection reads, and none is there twice", () => {
  for (const { records } of fleet) {
    const unread = records.filter(({ record }) => !("event" in extract(record)));
    expect(unread).toEqual([]);
    expect(new Set(records.map(({ record }) => record["eventID"])).size).toBe(records.length);
  }
});

test("every archetype does something in one of the tenants, and every attack is planted once", () => {
  const sources = new Set(fleet.flatMap(({ records }) => records.map(({ source }) => source)));
  const attacks = [...parts.attacks.keys()];
  expect(sources).toEqual(new Set([...parts.archetypes.keys(), ...attacks.map((name) => `attack: ${name}`)]));
  expect(fleet.flatMap(({ planted }) => planted.map(({ attack }) => attack)).toSorted()).toEqual(attacks);
});

test("an attack's label names who acts in it, and when, within the watched days", () => {
  for (const month of fleet)
    for (const label of month.planted) {
      const events = eventsOf(month, (source) => source === `attack: ${label.attack}`);
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

describe("what is harmless is so by what the product knows", () => {
  const exceptions = (isException: (event: SecretEvent & { source: string }, context: Context) => boolean) =>
    reads.flatMap(({ events, context }) => events.filter((event) => isException(event, context)));
  const keyOf = ({ secrets }: SecretEvent) => secrets[0]?.key ?? "";

  test("there is much of it", () => {
    for (const { events } of reads) expect(events.length).toBeGreaterThan(500);
  });

  test("nobody reads a canary", () => {
    expect(exceptions((event, { canaries }) => canaries.has(keyOf(event)))).toEqual([]);
  });

  test("a person reads what is in production only with an approval", () => {
    const inProduction = exceptions(
      (event, { productionSecrets }) =>
        event.principal?.isPerson === true && productionSecrets.has(keyOf(event)),
    );
    expect(inProduction).not.toEqual([]);
    const unapproved = exceptions(
      (event, { approvals }) =>
        inProduction.includes(event) &&
        !approvals.some(
          ({ principal, secret, fromMs, toMs }) =>
            principal === event.principal?.key &&
            secret === keyOf(event) &&
            fromMs <= event.atMs &&
            event.atMs < toMs,
        ),
    );
    expect(unapproved).toEqual([]);
  });

  test("nobody asks for a version that was revoked", () => {
    const late = exceptions((event, { versions }) =>
      versions.some(
        ({ versionId, revokedAtMs }) =>
          versionId === event.version?.id && revokedAtMs !== undefined && event.atMs >= revokedAtMs,
      ),
    );
    expect(late).toEqual([]);
  });

  test("a pending version is read by who rotates", () => {
    const pending = exceptions((event) => event.version?.label === "AWSPENDING");
    expect(pending).not.toEqual([]);
    const by = new Set(pending.map(({ principal }) => principal?.key));
    const rotating = fleet.map(({ tenant }) => tenant.rekey.role);
    expect([...by].filter((key) => key !== "rds.amazonaws.com" && !rotating.includes(key ?? ""))).toEqual([]);
  });

  test("tasks and functions are known as readers of what they read", () => {
    const own =
      /^(ecsBoot|lambdaColdStart|powertoolsChatty|cachingClient|backupJob|rareJobs|externalSecrets)$/;
    const unknown = exceptions(
      (event, { consumers }) =>
        own.test(event.source) && !consumers.get(keyOf(event))?.has(event.principal?.key ?? ""),
    );
    expect(unknown).toEqual([]);
  });
});

test("plain agents leave no tool's name", () => {
  const [month] = fleetOf(7, parts, { ...OPTIONS, days: 7, hasPlainAgents: true });
  const agents = new Set(month?.records.map(({ record }) => String(record["userAgent"])));
  const own = [...agents].filter((agent) => !agent.endsWith(".amazonaws.com"));
  expect(own).toEqual([expect.stringMatching(/^aws-sdk-go-v2\//)]);
});
