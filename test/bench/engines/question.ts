/**
 * What every engine is asked of the trail's files: who read values with GetSecretValue and was not refused, how often, and
 * how many secrets. Each engine is a process of its own, which says in one line what it found, how long that took, from the
 * first file to the answer, and how much memory the process ever had.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export interface Answer {
  readonly principal: string;
  readonly reads: number;
  /** Distinct ones. */
  readonly secrets: number;
}

export interface Told {
  readonly answers: readonly Answer[];
  readonly seconds: number;
  readonly peakMiB: number;
}

export class Tally {
  readonly #readers = new Map<string, { reads: number; secrets: Set<string> }>();

  add(principal: string, secret: string): void {
    const known = this.#readers.get(principal) ?? { reads: 0, secrets: new Set() };
    known.reads++;
    known.secrets.add(secret);
    this.#readers.set(principal, known);
  }

  answers(): readonly Answer[] {
    const all = [...this.#readers].map(([principal, { reads, secrets }]) => ({
      principal,
      reads,
      secrets: secrets.size,
    }));
    return all.sort((a, b) => (a.principal < b.principal ? -1 : 1));
  }
}

/** Asks an engine about the folder that the process was given, and tells. */
export async function answer(
  engine: (files: readonly string[]) => readonly Answer[] | Promise<readonly Answer[]>,
): Promise<void> {
  const [folder = ""] = process.argv.slice(2);
  const names = readdirSync(folder).filter((name) => name.endsWith(".json.gz"));
  const files = names.toSorted().map((name) => join(folder, name));
  const begun = performance.now();
  const answers = await engine(files);
  const seconds = (performance.now() - begun) / 1000;
  const told: Told = { answers, seconds, peakMiB: process.resourceUsage().maxRSS / 1024 };
  console.log(JSON.stringify(told));
}
