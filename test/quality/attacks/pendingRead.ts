/** The value that a rotation is about to bring is read before it is anybody's, by somebody who does not rotate. */
import { type Attack, attackOf, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function pendingRead(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const running = tenant.rotations.filter(
    ({ by, startMs: atMs }) => by === "rekey" && atMs >= tenant.watched.fromMs,
  );
  const next = running.filter((one) => one.startMs > startMs);
  // While the next rotation stands between its two halves; there is nothing pending at other times.
  const { secret, newVersion, promotedMs } = random.pick(next.length > 0 ? next : running);
  const atMs = promotedMs - random.int(5, 25) * SECOND_MS;
  const thief = stolen(taskOf(tenant, random.pick(tenant.services), atMs, random), random);
  log.about(thief, atMs, "DescribeSecret", secret);
  log.read(thief, atMs + 3 * SECOND_MS, secret, { label: "AWSPENDING", given: newVersion });
  return attackOf(log, [thief], [secret]);
}
