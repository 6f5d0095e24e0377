/**
 * Writes what is known of an incident into its page, and leaves what people wrote. Reads, merges, writes only if nobody wrote
 * in between, and reads back: what is answered is what stands there. If the page's marks no longer fit, nothing of it is
 * touched; what is known by now is put beside it, and that is said.
 */
import { RekeyError } from "../errors.ts";
import type { Moment } from "../incident/incidentTimes.ts";
import { merge } from "../incident/markedPage.ts";
import type { Pages, StoredPage } from "../incident/pages.ts";
import { type PostMortemFacts, type Reach, withoutNames, writePostMortem } from "../incident/postMortem.ts";
import type { PostMortems } from "../incident/postMortems.ts";
import type { Run } from "../incident/run.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { Ports } from "./ports.ts";

/** What is kept of an incident besides its run. */
export interface KeptIncident {
  readonly run: Run;
  /** As it was when the run began. */
  readonly runbook: Runbook;
  readonly noticed?: Moment;
  readonly firstUse?: Moment;
  readonly refusedClicks: PostMortemFacts["refusedClicks"];
}

/** Who read what, and the moments of it, by the clocks of those who recorded them. */
export interface Reached {
  readonly reach: Reach;
  readonly moments: readonly Moment[];
  readonly firstUse?: Moment;
}

export interface PostMortemPorts extends Pick<Ports, "tell" | "now"> {
  readonly runs: { read(id: string): Promise<KeptIncident | undefined> };
  readonly reached: (run: Run, runbook: Runbook) => Promise<Reached>;
  readonly pages: Pages;
}

export interface PostMortemAnswer {
  readonly run: string;
  readonly link: string;
  readonly document: string;
  readonly storedAt: string;
  /** Whether anything of it changed. */
  readonly isChanged: boolean;
  /** Sections that people have changed, and that were left to them. */
  readonly kept: readonly string[];
  /** Marks that do not fit, by line: nothing was written into the page. */
  readonly damage: readonly string[];
  /** Where what is known by now stands instead. */
  readonly beside?: string;
}

/** Each try is lost only to somebody who wrote. */
const MOST_TRIES = 10;

/** @throws RekeyError PAYLOAD_INVALID if there is no such run; RECORD_INVALID, AWS_* */
export async function postMortem(ports: PostMortemPorts, id: string): Promise<PostMortemAnswer> {
  const facts = await factsOf(ports, id);
  const fresh = writePostMortem(facts);
  const written = await bring(ports.pages, id, fresh);
  const { page, kept, damage, isChanged } = written;
  const beside = `${id}.rekey`;
  if (damage.length > 0) await bring(ports.pages, beside, fresh, true);
  const answer: PostMortemAnswer = {
    ...{ run: id, link: ports.pages.linkTo(id), document: ports.pages.placeOf(id) },
    ...{ storedAt: page.storedAt.toISOString(), isChanged, kept, damage },
    ...(damage.length > 0 && { beside: ports.pages.linkTo(beside) }),
  };
  ports.tell({ event: "postMortem.written", run: id, isChanged, kept: kept.length, damage: damage.length });
  return answer;
}

/** The page for those who read it without having to know who it was. Nothing is stored. */
export async function postMortemWithoutNames(
  ports: PostMortemPorts,
  id: string,
): Promise<{ readonly markdown: string }> {
  const facts = await factsOf(ports, id);
  return { markdown: withoutNames(writePostMortem(facts), facts) };
}

/** For whoever carries a run out. */
export const postMortems = (ports: PostMortemPorts): PostMortems => ({
  open: async ({ id }) => {
    const { link } = await postMortem(ports, id);
    return { link };
  },
});

async function factsOf({ runs, reached }: PostMortemPorts, id: string): Promise<PostMortemFacts> {
  const kept = await runs.read(id);
  if (!kept) throw new RekeyError("PAYLOAD_INVALID", `run: there is no run ${id}`);
  const { run, runbook, noticed, refusedClicks } = kept;
  const { reach, moments, firstUse = kept.firstUse } = await reached(run, runbook);
  const since = { ...(noticed && { noticed }), ...(firstUse && { firstUse }) };
  return { run, runbook, since, moments, blastRadius: reach, refusedClicks };
}

interface Brought {
  readonly page: StoredPage;
  readonly kept: readonly string[];
  readonly damage: readonly string[];
  readonly isChanged: boolean;
}

/** @param isOurs nobody but us writes it, and it is replaced whole */
async function bring(pages: Pages, name: string, fresh: string, isOurs = false): Promise<Brought> {
  let first: string | undefined;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const page = await pages.read(name);
    const { text, kept, damage } =
      page === undefined || isOurs ? { text: fresh, kept: [], damage: [] } : merge(page.text, fresh);
    // Also after a write: only what reads back is there.
    if (page?.text === text) return { page, kept, damage, isChanged: first !== undefined && first !== text };
    first ??= page?.text ?? "";
    await pages.write(name, text, page?.tag);
  }
  throw new RekeyError(
    "AWS_FAILED",
    `${pages.placeOf(name)} was changed by others ${MOST_TRIES} times in a row`,
  );
}
