/**
 * Who uses a secret, read off what ECS really runs. A service consumes a secret when one of its deployments' task
 * definitions, or a running task's own, names it in `valueFrom`, or carries its name or ARN as an environment value.
 *
 * Matching errs toward one redeploy too many: a value that equals the secret's name counts, whatever the variable.
 */
import type { FleetFacts, SecretReference, ServiceFacts, ServiceName, TaskFacts } from "./fleet.ts";
import type { Objection } from "./strategy.ts";

export interface Consumer {
  readonly service: ServiceFacts;
  readonly references: readonly SecretReference[];
}

export interface StandaloneConsumer {
  readonly task: TaskFacts;
  readonly references: readonly SecretReference[];
}

export interface Consumers {
  readonly services: readonly Consumer[];
  /** Running tasks that no service will replace. */
  readonly tasks: readonly StandaloneConsumer[];
  /** From `rekey:consumers`, but not to be found. */
  readonly missing: readonly string[];
}

interface SecretId {
  readonly arn: string;
  readonly name: string;
}

/** What a `valueFrom` says beyond which secret it means. */
export interface ValueFrom {
  readonly secret: string;
  readonly jsonKey: string;
  readonly stage: string;
  readonly versionId: string;
}

/**
 * Takes a `valueFrom` apart. Forms: a full or suffix-less ARN, with or without `:json-key:version-stage:version-id`;
 * a Parameter Store reference to a secret; a bare name.
 */
export function parseValueFrom(value: string): ValueFrom {
  const viaParameter = /(?:^|:parameter)\/aws\/reference\/secretsmanager\/(.+)$/.exec(value);
  if (viaParameter) return { secret: viaParameter[1] ?? "", jsonKey: "", stage: "", versionId: "" };
  const parts = value.split(":");
  if (parts[0] !== "arn" || parts[5] !== "secret")
    return { secret: value, jsonKey: "", stage: "", versionId: "" };
  const [jsonKey = "", stage = "", versionId = ""] = parts.slice(7);
  return { secret: parts.slice(0, 7).join(":"), jsonKey, stage, versionId };
}

/** Secrets Manager appends a hyphen and six characters to the name when it makes the ARN. */
const withoutSuffix = (arn: string) => arn.replace(/-[A-Za-z0-9]{6}$/, "");

/** Which secrets a reference means, answered in one look-up for each reference however many secrets there are. */
export class SecretIndex {
  readonly #byKey = new Map<string, string>();

  constructor(secrets: readonly SecretId[]) {
    // Exact ARNs last: a secret whose partial ARN equals another's full ARN must not shadow it.
    for (const { arn, name } of secrets) {
      this.#byKey.set(name, arn);
      this.#byKey.set(withoutSuffix(arn), arn);
    }
    for (const { arn } of secrets) this.#byKey.set(arn, arn);
  }

  /** The ARN of the secret that the reference means, or undefined. */
  find(reference: SecretReference): string | undefined {
    const text = reference.value.trim();
    return this.#byKey.get(text) ?? this.#byKey.get(parseValueFrom(text).secret);
  }
}

/** All consumers of all secrets, by secret ARN. */
export function findConsumers(
  secrets: readonly (SecretId & { readonly declaredConsumers: readonly string[] })[],
  fleet: FleetFacts,
): ReadonlyMap<string, Consumers> {
  const index = new SecretIndex(secrets);
  const referencesOf = new Map<string, ReadonlyMap<string, readonly SecretReference[]>>();
  for (const definition of fleet.taskDefinitions.values())
    referencesOf.set(definition.arn, groupBySecret(definition.references, index));

  const services = new Map<string, Map<ServiceName, Consumer>>(secrets.map(({ arn }) => [arn, new Map()]));
  const tasks = new Map<string, StandaloneConsumer[]>(secrets.map(({ arn }) => [arn, []]));
  const byName = new Map(fleet.services.map((service) => [service.name, service]));
  const add = (service: ServiceFacts, secretArn: string, references: readonly SecretReference[]) => {
    const known = services.get(secretArn);
    const before = known?.get(service.name)?.references ?? [];
    const fresh = references.filter((one) => !before.some((other) => sameReference(one, other)));
    known?.set(service.name, { service, references: [...before, ...fresh] });
  };

  for (const service of fleet.services.filter((one) => one.active)) {
    for (const definition of service.taskDefinitions)
      for (const [arn, references] of referencesOf.get(definition) ?? []) add(service, arn, references);
  }
  for (const task of fleet.tasks) {
    const found = [...(referencesOf.get(task.taskDefinition) ?? []), ...groupBySecret(task.overrides, index)];
    const service = task.service === undefined ? undefined : byName.get(task.service);
    for (const [arn, references] of found) {
      if (service) add(service, arn, references);
      else tasks.get(arn)?.push({ task, references });
    }
  }

  return new Map(
    secrets.map((secret) => {
      const missing: string[] = [];
      for (const declared of secret.declaredConsumers) {
        const service = fleet.services.find(
          (one) => one.name === declared || one.name.endsWith(`/${declared}`),
        );
        if (service) add(service, secret.arn, []);
        else missing.push(declared);
      }
      const found = [...(services.get(secret.arn)?.values() ?? [])];
      found.sort((a, b) => a.service.name.localeCompare(b.service.name));
      return [secret.arn, { services: found, tasks: tasks.get(secret.arn) ?? [], missing }];
    }),
  );
}

function groupBySecret(references: readonly SecretReference[], index: SecretIndex) {
  const groups = new Map<string, SecretReference[]>();
  for (const reference of references) {
    const arn = index.find(reference);
    if (arn !== undefined) groups.set(arn, [...(groups.get(arn) ?? []), reference]);
  }
  return groups;
}

function sameReference(a: SecretReference, b: SecretReference): boolean {
  return a.container === b.container && a.variable === b.variable && a.value === b.value && a.via === b.via;
}

/** What would make a rotation silently ineffective, and where it stands. */
export interface Trap extends Objection {
  readonly code: "PINNED_VERSION" | "SHADOWED_KEY";
  readonly holder: { readonly service: ServiceFacts } | { readonly task: TaskFacts };
  readonly container: string;
  readonly variable: string;
  /** As it stands in the task definition; empty for a shadowed key, whose value might be one that must not be shown. */
  readonly value: string;
}

/**
 * References pinned to an old version, and rotating values that the same container is also given as plain environment.
 *
 * @param rotatingFields fields of the bundle that change; empty when the secret is one credential
 */
export function findTraps(
  consumers: Consumers,
  fleet: FleetFacts,
  rotatingFields: readonly string[],
): readonly Trap[] {
  const traps: Trap[] = [];
  const holders = [
    ...consumers.services.map(({ service, references }) => ({
      who: `service ${service.name}`,
      holder: { service },
      definitions: service.taskDefinitions,
      references,
    })),
    ...consumers.tasks.map(({ task, references }) => ({
      who: `task ${task.taskArn.split("/").at(-1)}`,
      holder: { task },
      definitions: [task.taskDefinition],
      references,
    })),
  ];
  for (const { who, holder, definitions, references } of holders) {
    for (const { container, variable, value } of references.filter(({ via }) => via === "valueFrom")) {
      const { stage, versionId } = parseValueFrom(value);
      const pin =
        versionId !== ""
          ? `version ${versionId}`
          : stage !== "" && stage !== "AWSCURRENT"
            ? `stage ${stage}`
            : "";
      if (pin === "") continue;
      const message = `${who}, container ${container}, variable ${variable} is pinned to ${pin}; take the pin off its valueFrom, or a rotation never reaches it`;
      traps.push({ code: "PINNED_VERSION", message, holder, container, variable, value });
    }
    const all = definitions.flatMap((arn) => fleet.taskDefinitions.get(arn)?.references ?? []);
    for (const { container, variable, shadows } of shadowed(references, all, rotatingFields)) {
      const message = `${who}, container ${container}, variable ${variable} is set as plain environment and hides ${shadows}; remove the plain value`;
      traps.push({ code: "SHADOWED_KEY", message, holder, container, variable, value: "" });
    }
  }
  return traps;
}

function* shadowed(
  references: readonly SecretReference[],
  all: readonly SecretReference[],
  rotatingFields: readonly string[],
) {
  const plain = all.filter(({ via }) => via === "environment");
  for (const { container, variable } of plain) {
    const sameVariable = references.find(
      (one) => one.via === "valueFrom" && one.container === container && one.variable === variable,
    );
    const fetchesBundle = references.some((one) => one.via === "environment" && one.container === container);
    if (sameVariable) yield { container, variable, shadows: `the secret that valueFrom gives it` };
    else if (fetchesBundle && rotatingFields.includes(variable))
      yield {
        container,
        variable,
        shadows: `the field ${variable} of the bundle that the container fetches`,
      };
  }
}
