/** People on call look around, read a value of staging now and then, and one of production when they were let at it. */
import { personCaller } from "../callers.ts";
import { MINUTE_MS, SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function onCall(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const staging = tenant.secrets.filter(
    ({ tier, versions }) => tier === "staging" && isThere(versions, tenant),
  );
  // Over the whole history: a person reads a secret of staging a few times in a quarter.
  for (const atMs of workMomentsIn(tenant.whole, 0.5, random)) {
    const person = random.pick(tenant.people);
    const caller = personCaller(tenant, person, random.pick(["console", "cli"] as const), atMs, random);
    log.list(caller, atMs);
    for (const [index, secret] of random.some(staging, random.int(1, 2)).entries()) {
      log.about(caller, atMs + (index + 1) * 20 * SECOND_MS, "DescribeSecret", secret);
      if (random.chance(0.5))
        log.read(caller, atMs + (index + 1) * 30 * SECOND_MS, secret, { isByName: true });
    }
  }
  for (const approval of tenant.approvals) {
    const person = random.pick(tenant.people.filter(({ role }) => role === approval.principal));
    const secret = tenant.secrets.find(({ key }) => key === approval.secret);
    const atMs = approval.fromMs + random.int(2, 40) * MINUTE_MS;
    if (secret) log.read(personCaller(tenant, person, "cli", atMs, random), atMs, secret, { isByName: true });
  }
  return log.records;
}

const isThere = (versions: Tenant["secrets"][number]["versions"], { whole }: Tenant) =>
  (versions[0]?.currentFromMs ?? whole.toMs) < whole.fromMs;
