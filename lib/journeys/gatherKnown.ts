/**
 * What is known of the account besides its records, read afresh: who consumes which secret, what rotated when, and what Rekey
 * itself is. Whatever cannot be asked is left out, so that no rule takes silence for an answer.
 */
import type { Known, KnownSecret, Span } from "../detection/known.ts";
import { secretRef } from "../detection/secretRefs.ts";
import { RekeyError } from "../errors.ts";
import { type Consumers, findConsumers } from "../rotation/consumers.ts";
import type { FleetFacts, SecretReference, TaskDefinitionFacts } from "../rotation/fleet.ts";
import type { SecretHistory } from "../rotation/intent.ts";
import { isManaged, readTags } from "../rotation/managed.ts";
import { currentSince, holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import type { Ports } from "./ports.ts";

export interface OurSelves {
  /** ARNs of the roles of Rekey's own functions. */
  readonly roles: readonly string[];
  /** Other accounts of the same owner. */
  readonly accounts: readonly string[];
  /** How the names of Rekey's functions, rules and schedules begin. */
  readonly namesBegin: string;
  /** Every invocation that wrote itself down, and when it ran; undefined where none do. */
  readonly invocations?: ReadonlyMap<string, Span>;
}

type Asked = Pick<Ports, "store" | "fleet" | "log" | "tell" | "settings">;

/** How long after the end of a rollout a consumer may take to have read, and CloudTrail to say so. */
const RE_READ_SECONDS = 3_600;

export async function gatherKnown(ports: Asked, ourSelves: OurSelves): Promise<Known> {
  const [secrets, histories, rotations, fleet] = await Promise.all([
    ports.store.list(),
    ports.log.histories(),
    rotationsOf(ports),
    ports.fleet.survey().catch((error: unknown) => {
      if (!(error instanceof RekeyError)) throw error;
      ports.tell({ event: "watch.withoutConsumers", code: error.code, message: error.message });
      return undefined;
    }),
  ]);
  const named = secrets.map(({ arn, name, tags }) => ({
    arn,
    name,
    declaredConsumers: readTags(arn, name, tags).declaredConsumers,
  }));
  const consumers = fleet && findConsumers(named, fleet);
  const known = secrets.map((facts): [string, KnownSecret] => {
    const own = consumers?.get(facts.arn);
    const around = { history: histories.get(facts.arn), rotations: rotations.get(facts.arn) };
    return [
      keyOf(facts),
      knownSecret(facts, own && fleet ? readersOf(own, fleet) : [], around, ports.settings),
    ];
  });
  return {
    secrets: new Map(known),
    ourRoles: new Set(ourSelves.roles),
    ...(ourSelves.invocations ? { invocations: ourSelves.invocations } : {}),
    accounts: new Set(ourSelves.accounts),
    keys: new Set(secrets.flatMap(({ keyId }) => (keyId === undefined ? [] : [keyId]))),
    rotationFunctions: new Set(
      secrets.flatMap(({ rotationFunctionArn: arn }) => (arn === undefined ? [] : [arn])),
    ),
    watch: new Set(ourSelves.namesBegin === "" ? [] : [ourSelves.namesBegin]),
  };
}

interface Around {
  readonly history: SecretHistory | undefined;
  readonly rotations: readonly Span[] | undefined;
}

function knownSecret(
  facts: SecretFacts,
  readers: readonly string[],
  { history, rotations }: Around,
  { rolloutSeconds }: Ports["settings"],
): KnownSecret {
  const { tags } = facts;
  const says = (tag: string) => /^(true|yes)$/i.test(tags.get(`rekey:${tag}`) ?? "");
  const tier = tags.get("rekey:tier");
  const all = [
    ...readers,
    ...(tags.get("rekey:readers") ?? "").split(/\s+/).filter((reader) => reader !== ""),
  ];
  const holder = holderOf(facts, "AWSCURRENT");
  const current = holder?.versionId;
  const since = holder && currentSince(facts, holder, history?.current);
  const revoked = Object.values(history?.credentials ?? {}).flatMap(({ revoked: one }) => (one ? [one] : []));
  const retired = revoked.filter(({ versionId }) => versionId !== current);
  const promoted = history?.current;
  return {
    // Nobody in ECS may still mean a function, or a machine elsewhere: then nobody can tell.
    ...(all.length > 0 ? { consumers: new Set(all) } : {}),
    ...(tier === undefined ? {} : { isProduction: tier === "production" }),
    ...(says("canary") ? { isCanary: true } : {}),
    ...(says("break-glass") ? { isBreakGlass: true } : {}),
    ...(holder && since ? { current: { versionId: holder.versionId, fromMs: since.getTime() } } : {}),
    ...(isManaged(tags) ? { versions: new Set<string>() } : {}),
    ...(retired.length > 0
      ? { retired: new Map(retired.map(({ versionId, at }) => [versionId, Date.parse(at)])) }
      : {}),
    ...(rotations === undefined ? {} : { rotations }),
    ...(promoted !== undefined && promoted.versionId === current && all.length > 0
      ? {
          promoted: {
            atMs: Date.parse(promoted.since),
            reReadByMs: Date.parse(promoted.since) + (rolloutSeconds + RE_READ_SECONDS) * 1000,
          },
        }
      : {}),
  };
}

/** Roles with which ECS, or the containers themselves, read it. */
function readersOf({ services, tasks }: Consumers, { taskDefinitions }: FleetFacts): readonly string[] {
  const rolesFor = (definitions: readonly string[], references: readonly SecretReference[]) =>
    definitions
      .map((arn) => taskDefinitions.get(arn))
      .flatMap((definition) => (definition ? rolesOf(definition, references) : []));
  return [
    ...services.flatMap(({ service, references }) => rolesFor(service.taskDefinitions, references)),
    ...tasks.flatMap(({ task, references }) => rolesFor([task.taskDefinition], references)),
  ];
}

/** A service that is only declared to be a consumer may read in either way. */
function rolesOf(
  { executionRole, taskRole }: TaskDefinitionFacts,
  references: readonly SecretReference[],
): readonly string[] {
  const isVia = (via: SecretReference["via"]) =>
    references.length === 0 || references.some((reference) => reference.via === via);
  const roles = [isVia("valueFrom") ? executionRole : undefined, isVia("environment") ? taskRole : undefined];
  return roles.filter((role) => role !== undefined);
}

async function rotationsOf({ log }: Asked): Promise<ReadonlyMap<string, readonly Span[]>> {
  const ids = [...new Set([...(await log.openRuns()), ...(await log.closedRuns())])];
  const spans = new Map<string, Span[]>();
  for (const id of ids) {
    const run = await log.run(id);
    if (run === undefined) continue;
    const span: Span = {
      fromMs: Date.parse(run.createdAt),
      ...(run.finishedAt === undefined ? {} : { toMs: Date.parse(run.finishedAt) }),
    };
    for (const { secretArn } of await log.rotations(id))
      spans.set(secretArn, [...(spans.get(secretArn) ?? []), span]);
  }
  return spans;
}

function keyOf({ arn }: SecretFacts): string {
  const [, , , region = "", account = ""] = arn.split(":");
  return secretRef(arn, { account, region }).key;
}
