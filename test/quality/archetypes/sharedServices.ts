/** A role of another account of one's own reads by a secret's policy, each night. */
import { roleSession } from "../callers.ts";
import { daysIn, HOUR_MS } from "../moments.ts";
import { amazonAddress } from "../network.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function sharedServices(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const { sharer, busy } = tenant;
  if (!sharer) return [];
  const from = { sourceIPAddress: amazonAddress(random) };
  const userAgent = "aws-sdk-java/2.29.43 ua/2.1 os/Linux#6.1 lang/java#21.0.5 md/OpenJDK_64-Bit_Server_VM";
  for (const dayMs of daysIn(busy)) {
    const atMs = dayMs + 4 * HOUR_MS;
    const caller = roleSession(sharer.role, "nightly-load", { from, userAgent, atMs }, random);
    for (const secret of sharer.secrets) log.read(caller, atMs, secret);
  }
  return log.records;
}
