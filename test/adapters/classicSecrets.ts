/**
 * A Secrets Manager such as another author would write it: a map of labels for each secret, listings without tags and
 * labels, pages of two, no description of versions that carry no label.
 */
import { randomUUID } from "node:crypto";

interface Vault {
  readonly arn: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly texts: Map<string, string>;
  readonly holderOf: Map<string, string>;
}

/** What it answers in place of a result. */
export class Refusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

type Input = Readonly<Record<string, string | undefined>>;

export class ClassicSecrets {
  readonly vaults: Vault[] = [];
  readonly #madeAt = Math.floor(Date.now() / 1000) - 3600;

  add(name: string, fields: object, tags: Readonly<Record<string, string>> = {}): string {
    const arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-aB3dE6`;
    const versionId = randomUUID();
    const texts = new Map([[versionId, JSON.stringify(fields)]]);
    this.vaults.push({ arn, name, tags, texts, holderOf: new Map([["AWSCURRENT", versionId]]) });
    return arn;
  }

  current(id: string): string {
    const vault = this.#find(id);
    return vault.texts.get(vault.holderOf.get("AWSCURRENT") ?? "") ?? "";
  }

  answer(operation: string, input: Input): object | undefined {
    switch (operation) {
      case "ListSecrets":
        return this.#list(Number(input["NextToken"] ?? 0));
      case "DescribeSecret":
        return this.#describe(this.#find(input["SecretId"]));
      case "GetSecretValue":
        return this.#get(this.#find(input["SecretId"]), input);
      case "PutSecretValue":
        return this.#put(this.#find(input["SecretId"]), input);
      case "UpdateSecretVersionStage":
        return this.#move(this.#find(input["SecretId"]), input);
      default:
        return undefined;
    }
  }

  #find(id: string | undefined): Vault {
    const found = this.vaults.find(({ arn, name }) => id === arn || id === name);
    if (!found) throw new Refusal("ResourceNotFoundException", `no secret ${id}`);
    return found;
  }

  #list(start: number): object {
    const SecretList = this.vaults.slice(start, start + 2).map(({ arn, name }) => ({ ARN: arn, Name: name }));
    return { SecretList, NextToken: start + 2 < this.vaults.length ? String(start + 2) : "" };
  }

  #describe({ arn, name, tags, holderOf }: Vault): object {
    const stages: Record<string, string[]> = {};
    for (const [label, versionId] of holderOf) stages[versionId] = [...(stages[versionId] ?? []), label];
    return {
      ARN: arn,
      Name: name,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      VersionIdsToStages: stages,
    };
  }

  #get({ arn, name, texts, holderOf }: Vault, input: Input): object {
    const versionId = input["VersionId"] ?? holderOf.get(input["VersionStage"] ?? "AWSCURRENT") ?? "";
    const text = texts.get(versionId);
    if (text === undefined) throw new Refusal("ResourceNotFoundException", `${name} has no such version`);
    return { ARN: arn, Name: name, VersionId: versionId, SecretString: text, CreatedDate: this.#madeAt };
  }

  #put({ arn, name, texts, holderOf }: Vault, input: Input): object {
    const { ClientRequestToken: versionId = randomUUID(), SecretString: text = "" } = input;
    const labels = input["VersionStages"] as unknown as string[];
    // As AWS does it for another text; this one does it for the same text, too.
    if (texts.has(versionId)) throw new Refusal("ResourceExistsException", `${name} has ${versionId}`);
    texts.set(versionId, text);
    for (const label of labels) holderOf.set(label, versionId);
    return { ARN: arn, Name: name, VersionId: versionId, VersionStages: labels };
  }

  #move({ arn, name, texts, holderOf }: Vault, input: Input): object {
    const { VersionStage: label = "", RemoveFromVersionId: from, MoveToVersionId: to } = input;
    const holder = holderOf.get(label);
    if (holder !== from) throw new Refusal("InvalidParameterException", `${label} is not on ${from}`);
    if (to !== undefined && !texts.has(to))
      throw new Refusal("ResourceNotFoundException", `no version ${to}`);
    if (to === undefined) holderOf.delete(label);
    else holderOf.set(label, to);
    if (label === "AWSCURRENT" && holder !== undefined) holderOf.set("AWSPREVIOUS", holder);
    return { ARN: arn, Name: name };
  }
}
