/** Who: a role and not its session, because each task, each function and each deployment has a session of its own. */
import { type Fields, fieldsOf, textOf } from "../fields.ts";
import type { Principal, PrincipalKind } from "./secretEvent.ts";

const SESSION_ARN = /^arn:([\w-]+):sts::(\d{12}):assumed-role\/([^/]+)\/(.*)$/;
const ACCOUNT_IN_ARN = /^arn:[\w-]+:[\w-]*:[\w-]*:(\d{12}):/;
/** Roles that IAM Identity Center makes for people. */
const SINGLE_SIGN_ON = /role\/(.*\/)?AWSReservedSSO_/;

const KINDS: Readonly<Record<string, PrincipalKind>> = {
  Root: "root",
  IAMUser: "user",
  IdentityCenterUser: "user",
  Directory: "user",
  AssumedRole: "role",
  Role: "role",
  FederatedUser: "federated",
  SAMLUser: "federated",
  WebIdentityUser: "federated",
  AWSService: "service",
  AWSAccount: "account",
};

/** @returns undefined if the record names nobody at all, as those of service events do */
export function principalOf(record: Fields): Principal | undefined {
  const identity = fieldsOf(record["userIdentity"]);
  const invokedBy = textOf(identity["invokedBy"]);
  const type = textOf(identity["type"]);
  const arn = textOf(identity["arn"]);
  const key = keyOf(identity, type, arn);
  if (key === undefined) return undefined;
  const session = SESSION_ARN.exec(arn ?? "")?.[4];
  const accessKeyId = textOf(identity["accessKeyId"]);
  return {
    key,
    kind: KINDS[type ?? ""] ?? "unknown",
    account: textOf(identity["accountId"]) ?? ACCOUNT_IN_ARN.exec(key)?.[1] ?? "",
    isPerson: isPerson(type, key) || isFromConsole(record) || isFromConsole(identity),
    ...(session ? { session } : {}),
    ...(accessKeyId ? { accessKeyId } : {}),
    ...(invokedBy && invokedBy !== key ? { invokedBy } : {}),
  };
}

function keyOf(identity: Fields, type: string | undefined, arn: string | undefined): string | undefined {
  const issuer = textOf(fieldsOf(fieldsOf(identity["sessionContext"])["sessionIssuer"])["arn"]);
  if (issuer !== undefined) return issuer;
  const [, partition, account, role] = SESSION_ARN.exec(arn ?? "") ?? [];
  if (role !== undefined) return `arn:${partition}:iam::${account}:role/${role}`;
  if (arn !== undefined) return arn;
  if (type === "AWSService") return textOf(identity["invokedBy"]);
  const onBehalfOf = textOf(fieldsOf(identity["onBehalfOf"])["userId"]);
  if (onBehalfOf !== undefined) return `identity-center/${onBehalfOf}`;
  if (type === undefined) return undefined;
  return textOf(identity["principalId"]) ?? textOf(identity["userName"]) ?? textOf(identity["accountId"]);
}

function isPerson(type: string | undefined, key: string): boolean {
  return type === "IdentityCenterUser" || SINGLE_SIGN_ON.test(key);
}

/** Told as text, and only when it is so; recorded data has it beside the identity. */
const isFromConsole = ({ sessionCredentialFromConsole }: Fields): boolean =>
  String(sessionCredentialFromConsole) === "true";
