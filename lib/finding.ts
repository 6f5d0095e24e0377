/** What one of the rooms noticed and a person should know, with the command that mends it. */

export type Severity = "low" | "medium" | "high" | "critical";

/** One fact behind a finding: an id, a time, a node's name. Never a value. */
export interface Evidence {
  readonly what: string;
  readonly is: string;
}

export interface Finding<Id extends string = string> {
  /** Of a closed list; each has a row in a runbook. */
  readonly id: Id;
  readonly severity: Severity;
  readonly secret: string;
  /** One sentence: what does not hold. */
  readonly says: string;
  readonly evidence: readonly Evidence[];
  /** One line for a POSIX shell, to be pasted as it is. */
  readonly mend: string;
}

export const SEVERITIES = ["critical", "high", "medium", "low"] as const satisfies readonly Severity[];

/** For sorting: the gravest first. */
export const byGravity = (a: { readonly severity: Severity }, b: { readonly severity: Severity }): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);

/** Words as one command of a shell; whatever a shell could take for more than text is quoted. */
export function commandLine(...words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(" ");
}
