/** Somebody in the place of a person who signed in: one secret of production, and nothing else. */
import { type Attack, anyPerson, attackOf, inProduction, stolen } from "../attack.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function personTargeted(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const person = anyPerson(tenant, "console", startMs, random);
  const thief = { ...stolen(person, random, person.userAgent), isFromConsole: true };
  const secret = random.pick(inProduction(tenant, startMs));
  log.read(thief, startMs, secret);
  return attackOf(log, [thief], [secret]);
}
