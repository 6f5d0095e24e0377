/** AWSCURRENT is moved by hand to the version before, which the thief knows. */
import { type Attack, anyPerson, attackOf, stolen } from "../attack.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";
import { currentVersion } from "../tenant.ts";

export function labelMoved(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(anyPerson(tenant, "cli", startMs, random), random);
  const rotated = tenant.rotations.filter(({ by, promotedMs }) => by === "rekey" && promotedMs < startMs);
  const { secret } = random.pick(rotated);
  const current = currentVersion(secret, startMs).id;
  const before = secret.versions[secret.versions.findIndex(({ id }) => id === current) - 1];
  log.about(thief, startMs, "ListSecretVersionIds", secret);
  log.moveLabel(thief, startMs + 8_000, secret, { to: before?.id ?? current, from: current });
  return attackOf(log, [thief], [secret]);
}
