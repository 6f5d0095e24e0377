/** Events from the sketches in which rules tell their examples: what a sketch leaves out is a task's ordinary read. */
import type { Known, KnownSecret } from "../../lib/detection/known.ts";
import type { KnownSketch, Sketch } from "../../lib/detection/rule.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { ACCOUNT, KEY, REGION } from "./records.ts";

export const START = Date.UTC(2026, 10, 24, 12);

export const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

export function eventsOf(sketches: readonly Sketch[], prefix = "event", startMs = START): SecretEvent[] {
  let atMs = startMs;
  return sketches.map(({ afterSeconds = 0, secret = "shop/database", principal, ...rest }, place) => {
    atMs += afterSeconds * 1000;
    const region = rest.region ?? REGION;
    return {
      eventId: `${prefix}-${place}`,
      atMs,
      account: ACCOUNT,
      region,
      service: "secretsmanager",
      action: "GetSecretValue",
      outcome: "allowed",
      principal: {
        key: roleArn("shop-task"),
        kind: "role",
        account: ACCOUNT,
        isPerson: false,
        ...principal,
      },
      secrets: [{ key: `${ACCOUNT}/${region}/${secret}`, name: secret }],
      network: { kind: "private", key: "10.0.3.0/24" },
      client: "sdk",
      request: {},
      ...rest,
    };
  });
}

export function knownOf(sketch: KnownSketch = {}): Known {
  const { consumers, versions, retired, rotation, approval, promoted, ...rest } = sketch;
  const at = (seconds: number) => START + seconds * 1000;
  const span = ({ fromSeconds, toSeconds }: { fromSeconds: number; toSeconds: number }) => ({
    fromMs: at(fromSeconds),
    toMs: at(toSeconds),
  });
  const { isProduction, isCanary, isBreakGlass, ourRoles = [], invocations, ...names } = rest;
  const secret: KnownSecret = {
    ...(isProduction ? { isProduction } : {}),
    ...(isCanary ? { isCanary } : {}),
    ...(isBreakGlass ? { isBreakGlass } : {}),
    ...(consumers ? { consumers: new Set(consumers.map(roleArn)) } : {}),
    ...(versions ? { versions: new Set(versions) } : {}),
    ...(retired
      ? { retired: new Map(Object.entries(retired).map(([id, seconds]) => [id, at(seconds)])) }
      : {}),
    ...(rotation ? { rotations: [span(rotation)] } : {}),
    ...(approval ? { approvals: [span(approval)] } : {}),
    ...(promoted
      ? { promoted: { atMs: at(promoted.atSeconds), reReadByMs: at(promoted.reReadBySeconds) } }
      : {}),
  };
  return {
    secrets: new Map([[KEY, secret]]),
    ourRoles: new Set(ourRoles.map(roleArn)),
    ...(invocations
      ? { invocations: new Map(invocations.map((id) => [id, { fromMs: at(-60), toMs: at(900) }])) }
      : {}),
    accounts: new Set(names.accounts),
    keys: new Set(names.keys),
    rotationFunctions: new Set(names.rotationFunctions),
    watch: new Set(names.watch),
  };
}
