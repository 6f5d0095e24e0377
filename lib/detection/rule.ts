/**
 * What a rule is made of: data that says what is looked for, and why somebody should care. How it is looked for is in
 * `holds`, `newness`, `ledger` and `windows`; nothing in a rule is code.
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
  /** Watches Rekey's own roles, which every other rule leaves alone. */
  readonly watchesUs?: true;
  /** Nobody can have it kept quiet. */
  readonly alwaysTold?: true;
  /** Who does the same without harm, and what to do about it. */
  readonly falsePositives: readonly string[];
  readonly fires: readonly [Example, ...Example[]];
  readonly silent: readonly [Example, Example, ...Example[]];
}

export type Family = "reading" | "searching" | "opening" | "writing" | "destroying" | "blinding" | "working";

export type When =
  /** One event is enough. */
  | { readonly each: Test }
  /** So many different ones, by one principal, within the time. */
  | {
      readonly distinct: "secret" | "region" | "event" | "network";
      /** Counted apart for each access key. */
      readonly per?: "access key";
      readonly atLeast: number | AgainstUsual;
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
    }
  /** What should have happened did not: a consumer did not read the version that its secret was given. */
  | { readonly missing: "re-read" };

/** So many times the most of any day before, and never less than the floor. */
export interface AgainstUsual {
  readonly floor: number;
  readonly timesTheMost: number;
}

export type Test =
  | { readonly all: readonly Test[] }
  | { readonly any: readonly Test[] }
  | { readonly not: Test }
  /** Every field named has one of the values named. */
  | { readonly is: { readonly [Name in keyof Named]?: Named[Name] | readonly Named[Name][] } }
  /** A parameter of the request has this value. */
  | { readonly parameter: string; readonly equals: string | number | boolean }
  | { readonly parameter: string; readonly is: "given" }
  | { readonly accessKey: "long-term" | "session" }
  | { readonly who: "foreign" | "person" }
  /** The resource policy that is being put lets in anybody, or somebody of another account. */
  | { readonly policy: "public" | "foreign" }
  /** A batch that asks for all secrets but some, or for all. */
  | { readonly batch: "everything" }
  /** A tool's refresh of its own state. */
  | { readonly part: "of a refresh" }
  /** Never seen before. Nobody can tell before there is a history: until then the rule runs dry. */
  | { readonly isNew: Newness }
  /** Seen on a day before. Before there is a history, nothing is. */
  | { readonly isUsual: Newness }
  | { readonly changes: "rotation function" | "rotation days" }
  | { readonly touches: Guard }
  | { readonly secret: SecretTrait }
  | { readonly ledger: "has no such call" | "has no such rotation" };

/** `reader`, `writer`: of that secret. `network`, `client`: of that principal. `action`: of it, in that Region. */
export type Newness = "reader" | "writer" | "network" | "client" | "action" | "region";

export type Guard =
  | "a rotation function"
  | "a key of secrets"
  | "a key of another account"
  | "our watch"
  | "what a trail records";

export type SecretTrait =
  | "canary"
  | "production"
  | "managed"
  | "mapped to the reader"
  | "mapped to others"
  | "rotating"
  | "dormant"
  | "at a retired version"
  | "given a version that nobody knows"
  | "made by the caller"
  | "new"
  | "break glass"
  | "approved";

interface Named {
  readonly service: string;
  readonly action: string;
  readonly outcome: SecretEvent["outcome"];
  readonly errorCode: string;
  readonly principal: PrincipalKind;
  readonly network: Network["kind"];
  readonly client: ClientFamily;
  readonly label: string;
}

/** What happens, in order, and whether the rule is to notice. What is left out is an ordinary read by a task. */
export interface Example {
  readonly what: string;
  /** What is known of the account; left out, nothing is. */
  readonly known?: KnownSketch;
  /** What had happened a month before, so that it is usual; left out, there is no history. */
  readonly usually?: readonly Sketch[];
  readonly events: readonly Sketch[];
}

export interface Sketch extends Partial<Omit<SecretEvent, "eventId" | "atMs" | "secrets" | "principal">> {
  /** Since the event before. */
  readonly afterSeconds?: number;
  readonly secret?: string;
  readonly principal?: Partial<NonNullable<SecretEvent["principal"]>>;
}

/** Of the secret `shop/database`, whose ordinary reader is the role `shop-task`. Seconds count from the first event. */
export interface KnownSketch {
  readonly consumers?: readonly string[];
  readonly isProduction?: true;
  readonly isCanary?: true;
  readonly isBreakGlass?: true;
  readonly versions?: readonly string[];
  readonly retired?: Readonly<Record<string, number>>;
  readonly rotation?: { readonly fromSeconds: number; readonly toSeconds: number };
  readonly approval?: { readonly fromSeconds: number; readonly toSeconds: number };
  readonly promoted?: { readonly atSeconds: number; readonly reReadBySeconds: number };
  readonly ourRoles?: readonly string[];
  readonly invocations?: readonly string[];
  readonly accounts?: readonly string[];
  readonly keys?: readonly string[];
  readonly rotationFunctions?: readonly string[];
  readonly watch?: readonly string[];
}
