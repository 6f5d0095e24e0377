/**
 * Which runbook answers what went wrong: one closed table. The rooms that notice things do not know this one, so their
 * words stand here as texts; a test holds them against what there is.
 */
export type Alert =
  | { readonly from: "detection"; readonly family: string; readonly rules: readonly string[] }
  | { readonly from: "drift" | "rotation" | "stop" };

/** By what a family of rules is about. Most of it begins with finding out whether it was somebody of ours. */
export const BY_FAMILY: Readonly<Record<string, string>> = {
  reading: "suspicious-access",
  searching: "suspicious-access",
  opening: "suspicious-access",
  writing: "suspicious-access",
  destroying: "suspicious-access",
  blinding: "suspicious-access",
  // Nobody's attack: something that should have happened has not.
  working: "drift",
};

/** Where one rule says enough to begin with containment. In the order in which they decide. */
export const BY_RULE: Readonly<Record<string, string>> = {
  // Whoever holds the key can do this again within the minute, under any other name.
  longTermKey: "aws-key-compromised",
  // The value has left the account, or anybody may have fetched it.
  foreignReader: "secret-compromised",
  publicPolicy: "secret-compromised",
  // With Rekey's own role, and not by Rekey: there is nobody to ask whether it was them.
  unledgeredRead: "secret-compromised",
  rotationAbandoned: "rotation-failed",
};

const BY_ROOM = {
  drift: "drift",
  rotation: "rotation-failed",
  stop: "container-stopped",
} as const;

/** @returns a runbook's id; a family that nobody knows is looked at, not dropped */
export function runbookFor(alert: Alert): string {
  if (alert.from !== "detection") return BY_ROOM[alert.from];
  const decisive = Object.keys(BY_RULE).find((rule) => alert.rules.includes(rule));
  const byRule = decisive === undefined ? undefined : BY_RULE[decisive];
  return (
    byRule ??
    (Object.hasOwn(BY_FAMILY, alert.family) ? BY_FAMILY[alert.family] : undefined) ??
    "suspicious-access"
  );
}
