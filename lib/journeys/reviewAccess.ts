/**
 * reviewAccess: every week, tells the channel who read secrets, who had not before, what nobody read, and who was refused.
 * Whom to call new is looked up in the history before the week, as far back as the time allows, and is said with it.
 */

import type { Period } from "../detection/accessLog.ts";
import { HISTORY_DAYS } from "../detection/trailCoverage.ts";
import { pairsIn, type WeeklyReview, weeklyReview } from "../detection/weeklyReview.ts";
import { renderReview } from "../detection/weeklyReviewMessage.ts";
import { RekeyError } from "../errors.ts";
import { isManaged } from "../rotation/managed.ts";
import type { AccessPorts } from "./accessPorts.ts";
import { searchHistory } from "./searchHistory.ts";

const DAY_MS = 86_400_000;
/** Of the time, what the week itself may take. */
const WEEK_SHARE = 0.6;

/** @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_UNANSWERED if the event history or the secrets cannot be read */
export async function reviewAccess(
  ports: AccessPorts,
  period: Period,
  deadline: Date,
): Promise<WeeklyReview> {
  const { fromMs, toMs } = period;
  const startMs = ports.now().getTime();
  const place = await ports.accessLog.place();
  const all = await ports.store.list();
  const managed = all
    .filter(({ tags, deletedAt }) => isManaged(tags) && deletedAt === undefined)
    .map(({ arn, name }) => ({ key: `${place}/${name}`, name, arn }));
  const weekUntil = new Date(startMs + (deadline.getTime() - startMs) * WEEK_SHARE);
  const week = await searchHistory(ports, period, weekUntil);
  const reachMs = startMs - HISTORY_DAYS * DAY_MS;
  const isWhole = week.searched?.fromMs === fromMs;
  const before =
    isWhole && reachMs < fromMs
      ? await searchHistory(ports, { fromMs: reachMs, toMs: fromMs }, deadline)
      : undefined;
  const searched = week.searched ?? { fromMs: toMs, toMs };
  const malformed = week.malformed + (before?.malformed ?? 0);
  const [, region = ""] = place.split("/");
  const [account = ""] = place.split("/");
  const review = weeklyReview({
    events: week.events,
    fromMs: searched.fromMs,
    toMs,
    known: pairsIn(before?.events ?? []),
    knownSinceMs: before?.searched?.fromMs ?? searched.fromMs,
    ...(isWhole ? { managed } : {}),
    suppressions: await ports.watch.suppressions(account),
    gaps: [
      `only the event history of ${region} was searched; values that clients keep, copies, and what is done with a value stand in none`,
      isWhole
        ? ""
        : `the time was over before the whole of it was searched: from ${iso(searched.fromMs)} to ${iso(toMs)} only, so that nothing is said of secrets that nobody read`,
      malformed > 0 ? `${malformed} records could not be understood` : "",
    ].filter((gap) => gap !== ""),
  });
  const { totals, fresh, neverRead, from, to } = review;
  ports.tell({
    event: "access.reviewed",
    from,
    to,
    ...totals,
    newPairs: fresh.length,
    neverRead: neverRead?.length,
  });
  await post(ports, review);
  return review;
}

const iso = (ms: number) => new Date(ms).toISOString();

/** A channel that is down must not turn a review into a failure: it stands in the answer, too. */
async function post({ announcer, tell }: AccessPorts, review: WeeklyReview): Promise<void> {
  if (!announcer) return;
  try {
    await announcer.post(renderReview(review));
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    tell({ event: "slack.failed", code: error.code, message: error.message });
  }
}
