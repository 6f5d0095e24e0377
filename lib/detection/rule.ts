/**
 * What a rule is made of: data that says what is looked for, and why somebody should care. How it is looked for is in
 * `holds` and `windows`; nothing in a rule is code.
 */
import type { Severity } from "../finding.ts";
import type { ClientFamily, Network, PrincipalKind, SecretEvent } from "./secretEvent.ts";

export interface Rule {
  /** The name of its file. */
  readonly id: string;
  /** One sentence: what happened. */
  readonly says: string;
  readonly severity: Severity;
  /** MITRE ATT&CK techniques. */
  readonly attack: readonly [string, ...string[]];
  /** Rules of a family that fire on one principal within an hour are one episode. */
  readonly family: Family;
  readonly when: When;
  /** Who does the same without harm, and what to do about it. */
  readonly falsePositives: readonly string[];
  readonly fires: readonly [Example, ...Example[]];
  readonly silent: readonly [Example, Example, ...Example[]];
}

export type Family = "reading" | "searching" | "opening" | "destroying" | "blinding";

export type When =
  /** One event is enough. */
  | { readonly each: Test }
  /** So many different ones, by one principal, within the time. */
  | {
      readonly distinct: "secret" | "region";
      readonly atLeast: number;
      readonly withinSeconds: number;
      readonly where: Test;
    }
  /** One, and afterwards so many others by the same principal within the time. */
  | {
      readonly first: Test;
      readonly next: Test;
      readonly atLeast: number;
      readonly withinSeconds: number;
      readonly of: "one secret" | "any secrets";
    };

export type Test =
  | { readonly all: readonly Test[] }
  | { readonly any: readonly Test[] }
  | { readonly not: Test }
  /** Every field named has one of the values named. */
  | { readonly is: { readonly [Name in keyof Named]?: Named[Name] | readonly Named[Name][] } }
  /** A parameter of the request has this value. */
  | { readonly parameter: string; readonly equals: string | number | boolean }
  | { readonly parameter: string; readonly is: "given" }
  | { readonly accessKey: "long-term" }
  /** The principal belongs to another account than the secret. */
  | { readonly principal: "foreign" }
  /** The resource policy that is being put lets in anybody, or somebody of another account. */
  | { readonly policy: "public" | "foreign" }
  /** A batch that asks for all secrets but some, or for all. */
  | { readonly batch: "everything" };

interface Named {
  readonly service: string;
  readonly action: string;
  readonly outcome: SecretEvent["outcome"];
  readonly principal: PrincipalKind;
  readonly network: Network["kind"];
  readonly client: ClientFamily;
  readonly label: string;
}

/** What happens, in order, and whether the rule is to notice. What is left out is an ordinary read by a task. */
export interface Example {
  readonly what: string;
  readonly events: readonly Sketch[];
}

export interface Sketch extends Partial<Omit<SecretEvent, "eventId" | "atMs" | "secrets" | "principal">> {
  /** Since the event before. */
  readonly afterSeconds?: number;
  readonly secret?: string;
  readonly principal?: Partial<NonNullable<SecretEvent["principal"]>>;
}
