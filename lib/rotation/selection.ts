/**
 * Which managed secrets a request means, and which of their credentials are due. A pattern that matches nothing is an
 * error and not an empty selection: a mistyped `except` would rotate what somebody meant to leave alone.
 */
import picomatch from "picomatch";
import { RekeyError } from "../errors.ts";
import type { RotationRequest, SecretHistory } from "./intent.ts";
import type { ManagedCredential, ManagedSecret } from "./managed.ts";

interface Named {
  readonly arn: string;
  readonly name: string;
}

export interface Selection<Secret> {
  readonly selected: readonly Secret[];
  /** Named exactly in `only`, but without any `rekey:*` tag. */
  readonly unmanaged: readonly Named[];
}

/**
 * @param others secrets that are not managed, to tell "does not exist" from "is not managed"
 * @throws RekeyError PAYLOAD_INVALID, naming each pattern that matches nothing
 */
export function select<Secret extends Named>(
  request: Pick<RotationRequest, "only" | "except">,
  managed: readonly Secret[],
  others: readonly Named[],
): Selection<Secret> {
  const problems: string[] = [];
  const unmanaged = new Map<string, Named>();
  const matching = (list: "only" | "except", patterns: readonly string[]) => {
    const found = new Set<Secret>();
    for (const [position, pattern] of patterns.entries()) {
      const hits = managed.filter((secret) => matches(pattern, secret));
      for (const hit of hits) found.add(hit);
      if (hits.length > 0) continue;
      const exact = others.find((secret) => secret.name === pattern || secret.arn === pattern);
      if (exact && list === "only") unmanaged.set(exact.arn, exact);
      else problems.push(`${list}[${position}]: ${JSON.stringify(pattern)} matches no managed secret`);
    }
    return found;
  };
  const only = request.only === undefined ? new Set(managed) : matching("only", request.only);
  const except = matching("except", request.except ?? []);
  if (problems.length > 0) throw new RekeyError("PAYLOAD_INVALID", problems.join("; "));
  return {
    selected: managed.filter((secret) => only.has(secret) && !except.has(secret)),
    unmanaged: [...unmanaged.values()],
  };
}

/** `bash`: a star crosses slashes, because names like `shop/production/redis` are one word to whoever types `*redis`. */
function matches(pattern: string, { arn, name }: Named): boolean {
  if (pattern === name || pattern === arn) return true;
  const isMatch = picomatch(pattern, { bash: true, dot: true });
  return isMatch(name) || isMatch(arn);
}

const DAY_MS = 86_400_000;

/**
 * The credentials of a secret that have reached their interval.
 *
 * @param currentSince creation of the AWSCURRENT version: what stands in for a rotation that Rekey has no record of
 */
export function dueCredentials(
  secret: ManagedSecret,
  history: SecretHistory | undefined,
  currentSince: Date | undefined,
  now: Date,
): readonly ManagedCredential[] {
  return secret.credentials.filter((credential) => {
    const recorded = history?.credentials[credential.label]?.rotatedAt;
    const since = recorded === undefined ? currentSince : new Date(recorded);
    return since === undefined || now.getTime() - since.getTime() >= credential.intervalDays * DAY_MS;
  });
}
