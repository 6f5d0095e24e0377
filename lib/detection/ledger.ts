/**
 * Whether a call with one of our own roles is one that we made. Before it calls anything, an invocation of ours writes down
 * the mark that all its calls then carry in their user agent: a call without one, or with one that is not written down, was
 * made by somebody who has our credentials.
 */
import { wasKnown } from "./history.ts";
import { isWithin } from "./known.ts";
import { FACT } from "./lessons.ts";
import type { Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { isOurs, knownSecretsOf, type View } from "./view.ts";

/** Clocks of Lambda and CloudTrail, and the second to which a record is rounded. */
const MARGIN_MS = 60_000;
/** Six attempts of ten seconds each, and the waits between them. */
const REPEATED_MS = 120_000;
/** A rotation's own calls beside its open time: the labels are read once more after it has ended. */
const AROUND_ROTATION_MS = 300_000;

const LOOKS = [
  "DescribeSecret",
  "ListSecrets",
  "ListSecretVersionIds",
  "GetSecretValue",
  "GetRandomPassword",
];
const STEPS = ["PutSecretValue", "UpdateSecretVersionStage", "TagResource", "UntagResource"];

export function ledgerLacks(
  what: Extract<Test, { ledger: unknown }>["ledger"],
  event: SecretEvent,
  view: View,
): boolean {
  if (!isOurs(view, event) || event.service !== "secretsmanager") return false;
  return what === "has no such call" ? isUnmarked(event, view) : isOffScript(event, view);
}

function isUnmarked(
  { ourMark, atMs, principal }: SecretEvent,
  { known: { invocations }, usual }: View,
): boolean {
  if (invocations === undefined) return false;
  const invocation = ourMark && invocations.get(ourMark.invocation);
  if (ourMark === undefined || invocation === undefined || !isWithin(atMs, invocation, MARGIN_MS))
    return true;
  // An attempt that is repeated carries the mark of its call; a mark that somebody read in CloudTrail comes later.
  const call = FACT.call(ourMark.invocation, ourMark.call);
  return wasKnown(usual, principal?.key ?? "", call, atMs - REPEATED_MS);
}

function isOffScript(event: SecretEvent, view: View): boolean {
  if (LOOKS.includes(event.action)) return false;
  if (!STEPS.includes(event.action)) return true;
  const known = knownSecretsOf(view, event);
  return !known.some(({ rotations }) =>
    rotations?.some((rotation) => isWithin(event.atMs, rotation, AROUND_ROTATION_MS)),
  );
}
