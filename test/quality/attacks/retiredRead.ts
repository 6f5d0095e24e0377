/** A version that was revoked is asked for, by its id or by the label of the one before. */
import { type Attack, anyPerson, attackOf, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";
import { currentVersion } from "../tenant.ts";

export function retiredRead(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const own = random.chance(0.5)
    ? taskOf(tenant, random.pick(tenant.services), startMs, random)
    : anyPerson(tenant, "cli", startMs, random);
  const thief = stolen(own, random);
  const rotated = tenant.rotations.filter(
    ({ by, revokedMs }) => by === "rekey" && revokedMs + 3_600_000 < startMs,
  );
  const { secret } = random.pick(rotated);
  const current = currentVersion(secret, startMs).id;
  const before = secret.versions[secret.versions.findIndex(({ id }) => id === current) - 1]?.id ?? current;
  log.read(
    thief,
    startMs,
    secret,
    random.chance(0.5) ? { versionId: before } : { label: "AWSPREVIOUS", given: before },
  );
  return attackOf(log, [thief], [secret]);
}
