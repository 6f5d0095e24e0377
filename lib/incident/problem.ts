/** A mistake in a runbook's page, as the build tells it. */

export interface Problem {
  /** From the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly what: string;
  readonly fix: string;
}

export type Complain = (line: number, what: string, fix: string) => void;

/** As compilers write it, so that editors jump there. */
export const toldAs = ({ file, line, what, fix }: Problem): string => `${file}:${line}: ${what}; ${fix}`;
