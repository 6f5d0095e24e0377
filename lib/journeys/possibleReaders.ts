/** Who could read a secret: what runs on ECS and consumes it, whom its tags and its resource policy name, and Rekey itself. */
import { type PossibleReader, readersByPolicy } from "../detection/possibleReaders.ts";
import { RekeyError } from "../errors.ts";
import { findConsumers, SecretIndex } from "../rotation/consumers.ts";
import type { FleetFacts } from "../rotation/fleet.ts";
import { readTags } from "../rotation/managed.ts";
import type { SecretFacts } from "../rotation/secretStore.ts";
import type { AccessPorts } from "./accessPorts.ts";

export interface Possible {
  readonly readers: readonly PossibleReader[];
  /** What could not be asked, and what nobody asked. */
  readonly gaps: readonly string[];
}

/** @param ourRoles of Rekey's own functions */
export async function possibleReaders(
  ports: AccessPorts,
  secret: SecretFacts,
  ourRoles: ReadonlySet<string>,
): Promise<Possible> {
  const gaps = [
    "roles and users whose own policies let them read the secret are not listed as possible readers; IAM was not asked",
  ];
  const ask = async (what: string, readers: () => Promise<readonly PossibleReader[]>) => {
    try {
      return await readers();
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      gaps.push(`${what} could not be asked: ${error.message}`);
      return [];
    }
  };
  const [consumers, named] = await Promise.all([
    ask("its consumers", async () =>
      consumersOf(secret, await ports.store.list(), await ports.fleet.survey()),
    ),
    ask("its resource policy", async () => readersByPolicy(await ports.policies.policyOf(secret.arn))),
  ]);
  const first = new Map<string, PossibleReader>();
  const ours = [...ourRoles].map((principal) => ({ principal, because: "it is a role of Rekey's own" }));
  for (const reader of [...consumers, ...tagged(secret), ...named, ...ours]) {
    const before = first.get(reader.principal);
    const because = before ? `${before.because}; ${reader.because}` : reader.because;
    first.set(reader.principal, { principal: reader.principal, because });
  }
  return { readers: [...first.values()], gaps };
}

const tagged = ({ tags }: SecretFacts): readonly PossibleReader[] =>
  (tags.get("rekey:readers") ?? "")
    .split(/\s+/)
    .filter((principal) => principal !== "")
    .map((principal) => ({ principal, because: "the tag rekey:readers names it" }));

/** @param all also what is not managed, so that a reference is not taken for a shorter name that it begins with */
export function consumersOf(
  secret: SecretFacts,
  all: readonly SecretFacts[],
  fleet: FleetFacts,
): readonly PossibleReader[] {
  const managed = all.map(({ arn, name, tags }) => readTags(arn, name, tags));
  const consumers = findConsumers(managed, fleet).get(secret.arn);
  const index = new SecretIndex(managed);
  const readers = new Map<string, Set<string>>();
  const add = (role: string | undefined, who: string) => {
    if (role !== undefined) readers.set(role, (readers.get(role) ?? new Set()).add(who));
  };
  const addDefinition = (arn: string, who: string) => {
    const definition = fleet.taskDefinitions.get(arn);
    const own = definition?.references.filter((one) => index.find(one) === secret.arn) ?? [];
    if (own.some(({ via }) => via === "valueFrom")) add(definition?.executionRole, who);
    if (own.some(({ via }) => via === "environment")) add(definition?.taskRole, who);
  };
  for (const { service } of consumers?.services ?? [])
    for (const arn of service.taskDefinitions) addDefinition(arn, `the service ${service.name}`);
  for (const { task } of consumers?.tasks ?? [])
    addDefinition(task.taskDefinition, `the task ${task.taskArn.split("/").at(-1)}`);
  return [...readers].map(([principal, who]) => ({
    principal,
    because: `it is the role of ${[...who].join(", ")}, which consumes it`,
  }));
}
