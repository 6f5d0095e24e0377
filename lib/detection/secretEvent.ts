/**
 * One thing that somebody did to a secret, or to what guards it, by whichever road its record came. All strings stem from
 * outside: control characters are gone and the length is bounded, but they are to be escaped before they are shown.
 */

export interface SecretEvent {
  readonly eventId: string;
  readonly atMs: number;
  /** Of the trail, which is the account that owns what was touched. */
  readonly account: string;
  readonly region: string;
  /** The service that was called, by the first part of its host name: `secretsmanager`, `kms`. */
  readonly service: string;
  /** As CloudTrail names it: `GetSecretValue`. */
  readonly action: string;
  readonly outcome: "allowed" | "denied" | "failed";
  readonly errorCode?: string;
  /** Undefined for what a service did by itself, without anybody's call. */
  readonly principal?: Principal;
  /** Empty if the record names none. A batch names many. */
  readonly secrets: readonly SecretRef[];
  /** Of a read. */
  readonly version?: VersionRead;
  readonly network: Network;
  readonly client: ClientFamily;
  /** Of a call to KMS: the key. */
  readonly keyArn?: string;
  /** What a call of ours carries in its user agent: its invocation, and its number in it. */
  readonly ourMark?: { readonly invocation: string; readonly call: number };
  /** What was asked for, as the record has it; empty where CloudTrail leaves it out, as it does for a denied read. */
  readonly request: Readonly<Record<string, unknown>>;
}

export interface SecretRef {
  /** Account, Region and name: the same for a name, a partial ARN and a full one. */
  readonly key: string;
  readonly name: string;
  /** Where a record had it with its random suffix. */
  readonly arn?: string;
}

export interface Principal {
  /** The role, user or service; never one session of a role, of which each task and each deployment has another. */
  readonly key: string;
  readonly kind: PrincipalKind;
  readonly account: string;
  readonly session?: string;
  readonly accessKeyId?: string;
  /** A person, as far as the identity says so: single sign-on, the console, or an identity centre's user. */
  readonly isPerson: boolean;
  /** The service that called in the principal's name. */
  readonly invokedBy?: string;
}

export type PrincipalKind = "role" | "user" | "root" | "service" | "federated" | "account" | "unknown";

/**
 * Which version a read was given. `proven`: the request named it, or the KMS record of the same call does. `inferred`: it
 * follows from when AWSCURRENT moved. A request that names a label, or nothing, does not tell by itself.
 */
export interface VersionRead {
  readonly id?: string;
  readonly label?: string;
  readonly known: "proven" | "inferred" | "unknown";
}

export interface Network {
  readonly kind: "endpoint" | "service" | "private" | "public" | "unknown";
  /** What a baseline is kept of: the endpoint, the service, or the addresses around (a /24, or a /48 of IPv6). */
  readonly key: string;
  readonly address?: string;
}

/** Never a version of a client: those change with every update. */
export type ClientFamily =
  | "console"
  | "cli"
  | "cloudshell"
  | "terraform"
  | "cloudformation"
  | "ecs-agent"
  | "lambda"
  | "caching-client"
  | "sdk"
  | "service"
  | "other";
