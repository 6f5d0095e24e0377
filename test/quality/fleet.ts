/** The tenants of one seed: as many as it takes for each attack to be planted once, and no tenant is attacked all the time. */
import type { Parts } from "./loader.ts";
import { type Month, monthOf, type Sourced } from "./month.ts";
import { randomOf } from "./random.ts";
import { tenantOf } from "./tenantOf.ts";

export interface FleetOptions {
  readonly days: number;
  /** The attacks of one tenant. */
  readonly attacksEach: number;
  /** Everybody says to be the same plain SDK, so that nothing can rest on what a client says of itself. */
  readonly hasPlainAgents: boolean;
}

const PLAIN = "aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64";

export function* fleetOf(seed: number, parts: Parts, options: FleetOptions): Generator<Month> {
  const names = [...parts.attacks.keys()];
  const mixed = randomOf(`fleet ${seed}`).some(names, names.length);
  for (let start = 0; start < mixed.length; start += options.attacksEach) {
    const tenant = tenantOf(`${seed}/${start / options.attacksEach}`, options.days);
    const month = monthOf(tenant, parts, mixed.slice(start, start + options.attacksEach));
    yield options.hasPlainAgents ? { ...month, records: month.records.map(withPlainAgent) } : month;
  }
}

/** What a service says of itself no caller chose. */
function withPlainAgent(one: Sourced): Sourced {
  const { userAgent } = one.record;
  if (String(userAgent).endsWith(".amazonaws.com")) return one;
  return { ...one, record: { ...one.record, userAgent: PLAIN } };
}
