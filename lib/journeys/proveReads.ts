/** Looks up the KMS records of reads that do not tell their version, as many as the time allows. */
import { isOf } from "../detection/blastRadius.ts";
import { keyWindowsFor } from "../detection/keyWindows.ts";
import type { SecretEvent, SecretRef } from "../detection/secretEvent.ts";
import { readPeriod, type SearchPorts } from "./searchHistory.ts";

const KMS = "kms.amazonaws.com";
/** Of one window, where KMS is in heavy use. */
const MOST_PAGES = 12;
/** Some two minutes of calls: an answer is waited for by a person. */
const MOST_WINDOWS = 200;

export interface Proofs {
  /** Decrypts of the secret. */
  readonly events: readonly SecretEvent[];
  /** Reads around whose moments every KMS record was read. */
  readonly asked: number;
  readonly pages: number;
}

/** @param reads of the secret that do not name their version */
export async function proveReads(
  ports: SearchPorts,
  secret: SecretRef,
  reads: readonly SecretEvent[],
  deadline: Date,
): Promise<Proofs> {
  const events: SecretEvent[] = [];
  let [asked, pages] = [0, 0];
  for (const { reads: count, ...window } of keyWindowsFor(reads).slice(0, MOST_WINDOWS)) {
    if (ports.now() >= deadline) break;
    const found = await readPeriod(ports, KMS, window, deadline, MOST_PAGES);
    if (found === undefined) continue;
    events.push(...found.events.filter((event) => isOf(event, secret)));
    asked += count;
    pages += found.pages;
  }
  return { events, asked, pages };
}
