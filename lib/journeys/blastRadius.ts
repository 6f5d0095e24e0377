/**
 * blastRadius: who was given a secret in a window, and how that is known. Reads only: CloudTrail's event history, Secrets
 * Manager's description of the secret, ECS, and Rekey's own records. No value is read.
 */
import { type BlastRadius, isOf, blastRadius as judge } from "../detection/blastRadius.ts";
import { writeBlastRadius } from "../detection/blastRadiusMarkdown.ts";
import { drawBlastRadius } from "../detection/blastRadiusPicture.ts";
import { SAME_CALL_MS } from "../detection/moments.ts";
import type { SecretEvent, SecretRef } from "../detection/secretEvent.ts";
import { secretRef } from "../detection/secretRefs.ts";
import { coverageOf, reachOf, type TrailFacts } from "../detection/trailCoverage.ts";
import { isRead } from "../detection/versionProof.ts";
import { inferVersions, type KnownToday, timelineOf } from "../detection/versionTimeline.ts";
import { RekeyError } from "../errors.ts";
import { commandLine } from "../finding.ts";
import type { SecretHistory } from "../rotation/intent.ts";
import { holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import type { AccessPorts } from "./accessPorts.ts";
import type { RadiusRequest } from "./accessRequest.ts";
import { possibleReaders } from "./possibleReaders.ts";
import { proveReads } from "./proveReads.ts";
import { searchHistory } from "./searchHistory.ts";

export interface BlastRadiusAnswer extends BlastRadius {
  /** Searches what this answer did not come to. */
  readonly goesOn?: string;
  /** Kills the value that is current, if it was given out. */
  readonly rotates?: string;
  readonly markdown: string;
  readonly svg: string;
}

/** Of the time, what the search for reads may take; the rest is for proving their versions. */
const SEARCH_SHARE = 0.75;
/** CloudTrail's records of a move may take so long to arrive. */
const DELIVERY_MS = 20 * 60_000;

/** @throws RekeyError PAYLOAD_INVALID; AWS_DENIED, AWS_FAILED, AWS_UNANSWERED if the event history cannot be read */
export async function blastRadius(
  ports: AccessPorts,
  request: RadiusRequest,
  deadline: Date,
): Promise<BlastRadiusAnswer> {
  const place = await ports.accessLog.place();
  const facts = await describe(ports, request.secret);
  const secret = refOf(request.secret, facts, place);
  const { fromMs, toMs } = request;
  const startMs = ports.now().getTime();
  const searchUntil = new Date(startMs + (deadline.getTime() - startMs) * SEARCH_SHARE);
  // A Decrypt is never earlier than its read by more than the two may be apart.
  const reachMs = reachOf(request, startMs);
  const period = { fromMs: reachMs - SAME_CALL_MS, toMs: Math.min(toMs + SAME_CALL_MS, startMs) };
  const [account = ""] = place.split("/");
  const watched = await ports.watch.known(account);
  const ourRoles = watched?.ourRoles ?? new Set();
  const [history, trails, possible, remembered] = await Promise.all([
    searchHistory(ports, period, searchUntil),
    trailsOrReason(ports),
    facts ? possibleReaders(ports, facts, ourRoles) : { readers: [], gaps: [] },
    facts ? ports.log.history(facts.arn) : NOTHING_REMEMBERED,
  ]);
  const searchedFromMs = Math.max(history.searched?.fromMs ?? toMs, reachMs);
  const related = history.events.filter((event) => isOf(event, secret));
  const known = knownToday(facts, remembered, { searchedFromMs, toMs, nowMs: startMs });
  const timeline = timelineOf(related, searchedFromMs, known);
  const unnamed = inferVersions(related, timeline).filter((one) => isUnnamed(one, fromMs, toMs));
  const proofs = await proveReads(ports, secret, unnamed, deadline);
  const coverage = coverageOf(
    {
      place,
      asked: { from: iso(fromMs), to: iso(toMs) },
      ...(history.searched && searchedFromMs < toMs
        ? { searched: { from: iso(searchedFromMs), to: iso(toMs) } }
        : {}),
      pages: history.pages + proofs.pages,
      provable: { asked: proofs.asked, of: unnamed.length },
      malformed: history.malformed,
    },
    trails,
    new Date(startMs),
    [...(facts ? [] : [UNKNOWN_SECRET]), ...possible.gaps],
  );
  const revoked = new Map([...(watched?.secrets.get(secret.key)?.retired ?? []), ...known.revoked]);
  const question = { secret, fromMs, toMs, timeline, revoked, possible: possible.readers, coverage };
  const radius = judge([...history.events, ...proofs.events], question);
  return answerOf(ports, radius, request.secret, searchedFromMs > reachMs ? searchedFromMs : undefined);
}

const iso = (ms: number) => new Date(ms).toISOString();
const NOTHING_REMEMBERED: SecretHistory = { credentials: {} };
const UNKNOWN_SECRET =
  "Secrets Manager knows no such secret, or Rekey may not describe it: it was searched for by what it is called here, so that a mistyped name finds nothing";

function answerOf(
  { tell }: AccessPorts,
  radius: BlastRadius,
  named: string,
  unsearchedToMs: number | undefined,
): BlastRadiusAnswer {
  const isCurrentOut = radius.versions.some(({ isCurrent, reads }) => isCurrent && reads > 0);
  const call = (name: string, payload: unknown) =>
    commandLine("npx", "sls", "invoke", "-f", name, "-d", JSON.stringify(payload));
  const commands = {
    ...(unsearchedToMs === undefined
      ? {}
      : { goesOn: call("blastRadius", { secret: named, from: radius.from, to: iso(unsearchedToMs) }) }),
    ...(isCurrentOut
      ? {
          rotates: call("rotateAll", {
            emergency: true,
            only: [radius.secret.name],
            reason: "its value was given out, see its blast radius",
          }),
        }
      : {}),
  };
  const { totals, secret, from, to } = radius;
  tell({
    event: "blastRadius.told",
    secret: secret.name,
    from,
    to,
    ...totals,
    isWhole: unsearchedToMs === undefined,
  });
  return {
    ...radius,
    ...commands,
    markdown: writeBlastRadius(radius, commands),
    svg: drawBlastRadius(radius),
  };
}

/** A secret that is gone still has a past. */
async function describe({ store }: AccessPorts, secret: string): Promise<SecretFacts | undefined> {
  try {
    return await store.describe(secret);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "SECRET_UNREADABLE") return undefined;
    throw error;
  }
}

/** @throws RekeyError PAYLOAD_INVALID for a secret of another account or Region, whose history is not here */
function refOf(named: string, facts: SecretFacts | undefined, place: string): SecretRef {
  const [account = "", region = ""] = place.split("/");
  if (facts) return { key: `${place}/${facts.name}`, name: facts.name, arn: facts.arn };
  const ref = secretRef(named, { account, region });
  if (ref.key.startsWith(`${place}/`)) return ref;
  const [owner, home] = ref.key.split("/");
  throw new RekeyError(
    "PAYLOAD_INVALID",
    `secret belongs to account ${owner} in ${home}, and the event history here is that of ${account} in ${region}; invoke the function that is deployed there`,
  );
}

function isUnnamed(event: SecretEvent, fromMs: number, toMs: number): boolean {
  const isBatch = event.action === "BatchGetSecretValue" && event.outcome === "allowed";
  const isInside = event.atMs >= fromMs && event.atMs < toMs;
  return isInside && (isBatch || isRead(event)) && event.version?.known !== "proven";
}

/**
 * What is current now was current in the window as well only if nothing can have moved the label unseen: since the window, or
 * so lately that its record is still on the way.
 */
function knownToday(
  facts: SecretFacts | undefined,
  { current, credentials }: SecretHistory,
  {
    searchedFromMs,
    toMs,
    nowMs,
  }: { readonly searchedFromMs: number; readonly toMs: number; readonly nowMs: number },
): KnownToday {
  const dead = Object.values(credentials).flatMap(({ revoked }) => (revoked ? [revoked] : []));
  const revoked = new Map(dead.map(({ versionId, at }) => [versionId, Date.parse(at)]));
  const holder = facts && holderOf(facts, "AWSCURRENT")?.versionId;
  if (facts === undefined || holder === undefined) return { revoked };
  const sinceMs = current?.versionId === holder ? Date.parse(current.since) : undefined;
  const changedMs = facts.changedAt?.getTime() ?? nowMs;
  if (sinceMs !== undefined && sinceMs < toMs)
    return { currentVersionId: holder, currentSinceMs: sinceMs, revoked };
  const isSettled = changedMs < nowMs - DELIVERY_MS || changedMs < searchedFromMs;
  return changedMs < toMs && isSettled ? { currentVersionId: holder, revoked } : { revoked };
}

async function trailsOrReason({ trails }: AccessPorts): Promise<readonly TrailFacts[] | string> {
  try {
    return await trails.trails();
  } catch (error) {
    if (error instanceof RekeyError) return error.message;
    throw error;
  }
}
