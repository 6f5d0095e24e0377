/** Where a tenant's calls come from, and how that changes over the weeks. */
import { DAY_MS, type Span } from "./moments.ts";
import type { Random } from "./random.ts";

export interface From {
  readonly sourceIPAddress: string;
  readonly vpcEndpointId?: string;
  readonly vpcEndpointAccountId?: string;
}

export interface Network {
  /** Undefined where the account has no endpoint for Secrets Manager and its tasks go through the NAT. */
  readonly endpoint?: string;
  readonly subnets: readonly string[];
  /** Each in use until the next one's time. */
  readonly nat: readonly Address[];
  readonly office: readonly Address[];
  readonly vpn: readonly Address[];
}

interface Address {
  readonly fromMs: number;
  readonly address: string;
}

export function networkOf({ fromMs, toMs }: Span, historyFromMs: number, random: Random): Network {
  const changing = (share: number): Address[] => [
    { fromMs: historyFromMs, address: publicAddress(random) },
    ...(random.chance(share)
      ? [{ fromMs: fromMs + random.next() * (toMs - fromMs - DAY_MS), address: publicAddress(random) }]
      : []),
  ];
  return {
    ...(random.chance(0.7) ? { endpoint: `vpce-0${random.text(16)}` } : {}),
    subnets: [0, 1, 2].map((zone) => `10.${random.int(0, 250)}.${zone + 10}`),
    nat: changing(0.25),
    office: changing(0.1),
    vpn: changing(0.25),
  };
}

const at = (plan: readonly Address[], atMs: number): string =>
  plan.findLast(({ fromMs }) => fromMs <= atMs)?.address ?? plan[0]?.address ?? "";

/** What runs in the tenant's private subnets. */
export function inside(account: string, network: Network, atMs: number, random: Random): From {
  if (network.endpoint === undefined) return { sourceIPAddress: at(network.nat, atMs) };
  return {
    sourceIPAddress: `${random.pick(network.subnets)}.${random.int(4, 250)}`,
    vpcEndpointId: network.endpoint,
    vpcEndpointAccountId: account,
  };
}

export const throughNat = ({ nat }: Network, atMs: number): From => ({ sourceIPAddress: at(nat, atMs) });
export const fromOffice = ({ office }: Network, atMs: number): From => ({
  sourceIPAddress: at(office, atMs),
});
export const fromVpn = ({ vpn }: Network, atMs: number): From => ({ sourceIPAddress: at(vpn, atMs) });

const octet = (random: Random) => random.int(1, 254);
const tail = (random: Random) => `${octet(random)}.${octet(random)}.${octet(random)}`;

/** An AWS address outside of any VPC: functions without one, CloudShell. Another one each time. */
export const amazonAddress = (random: Random): string =>
  `${random.pick(["3", "13", "18", "34", "35", "52", "54"])}.${tail(random)}`;

/** A hosted runner: another one for each run, out of ranges that are larger than any list. */
export const runnerAddress = (random: Random): string =>
  `${random.pick(["4", "20", "40", "68", "104", "135", "172.183"])}.${tail(random)}`
    .split(".")
    .slice(0, 4)
    .join(".");

/** A line at home or an office's. */
export const publicAddress = (random: Random): string =>
  `${random.pick(["62", "79", "84", "87", "91", "93", "178", "188"])}.${tail(random)}`;

/** Where stolen credentials are used: a rented server or a way through somebody else's. */
export const strangersAddress = (random: Random): string =>
  `${random.pick(["5", "45", "141", "146", "185", "193", "194", "212"])}.${tail(random)}`;
