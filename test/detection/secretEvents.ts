/** Events of one secret, told in a line each. Times are seconds after noon. */
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { ACCOUNT, ARN, KEY, REGION } from "./records.ts";

export const NOON = Date.UTC(2026, 10, 24, 12);
export const SECRET = { key: KEY, name: "shop/database", arn: ARN };
export const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

let count = 0;

type Changes = Partial<Omit<SecretEvent, "principal">> & {
  readonly principal?: Partial<NonNullable<SecretEvent["principal"]>>;
};

export function read(who: string, seconds: number, { principal, ...changes }: Changes = {}): SecretEvent {
  return {
    eventId: `event-${++count}`,
    atMs: NOON + seconds * 1000,
    account: ACCOUNT,
    region: REGION,
    service: "secretsmanager",
    action: "GetSecretValue",
    outcome: "allowed",
    principal: {
      key: who.startsWith("arn:") ? who : role(who),
      kind: "role",
      account: ACCOUNT,
      isPerson: false,
      ...principal,
    },
    secrets: [SECRET],
    version: { label: "AWSCURRENT", known: "unknown" },
    network: { kind: "private", key: "10.0.3.0/24" },
    client: "sdk",
    request: {},
    ...changes,
  };
}

export const decrypt = (who: string, seconds: number, id: string, changes: Changes = {}): SecretEvent =>
  read(who, seconds, {
    service: "kms",
    action: "Decrypt",
    version: { id, known: "proven" },
    network: { kind: "service", key: "secretsmanager.amazonaws.com" },
    client: "service",
    ...changes,
  });

export function act(
  who: string,
  seconds: number,
  action: string,
  request: Readonly<Record<string, unknown>> = {},
  changes: Changes = {},
): SecretEvent {
  const { version: _, ...event } = read(who, seconds, { action, request, ...changes });
  return event;
}

/** AWSCURRENT from one version to another. */
export const move = (seconds: number, from: string | undefined, to: string): SecretEvent =>
  act("rekey-dev-AdvanceRole", seconds, "UpdateSecretVersionStage", {
    versionStage: "AWSCURRENT",
    moveToVersionId: to,
    ...(from === undefined ? {} : { removeFromVersionId: from }),
  });
