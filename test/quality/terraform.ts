/** What Terraform does to learn how things are, before it plans, applies or destroys. */
import type { Caller } from "./callers.ts";
import type { Scribe } from "./scribe.ts";
import type { Secret, Tenant } from "./tenant.ts";

/** Not what RDS manages, nor the canary, nor what a pipeline made later. */
export const managedSecrets = ({ secrets, canaries, whole }: Tenant): Secret[] =>
  secrets.filter(
    (secret) =>
      !secret.name.startsWith("rds!") &&
      !canaries.includes(secret) &&
      (secret.versions[0]?.currentFromMs ?? whole.toMs) < whole.fromMs,
  );

export function refresh(log: Scribe, caller: Caller, startMs: number, secrets: readonly Secret[]): void {
  for (const [index, secret] of secrets.entries()) {
    // Ten at a time, as it does unless told otherwise.
    const atMs = startMs + Math.floor(index / 10) * 700 + (index % 10) * 15;
    log.about(caller, atMs, "DescribeSecret", secret);
    log.about(caller, atMs + 120, "GetResourcePolicy", secret);
    log.read(caller, atMs + 240, secret);
  }
}
