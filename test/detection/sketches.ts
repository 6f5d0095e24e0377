/** Events from the sketches in which rules tell their examples: what a sketch leaves out is a task's ordinary read. */
import type { Sketch } from "../../lib/detection/rule.ts";
import type { SecretEvent } from "../../lib/detection/secretEvent.ts";
import { ACCOUNT, REGION } from "./records.ts";

const START = Date.UTC(2026, 10, 24, 12);

export function eventsOf(sketches: readonly Sketch[], prefix = "event"): SecretEvent[] {
  let atMs = START;
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
        key: `arn:aws:iam::${ACCOUNT}:role/shop-task`,
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
