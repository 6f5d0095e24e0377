/** Whether something was never seen before, or has been seen for longer than a day. */
import { fieldsOf, listOf, textOf } from "../fields.ts";
import { DAY_MS, factsOf, isSeeded, type Usual, wasKnown, wasUsual } from "./history.ts";
import { FACT } from "./lessons.ts";
import type { Mark } from "./mark.ts";
import { QUESTIONS } from "./refresh.ts";
import type { Newness, Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { View } from "./view.ts";

/** So many of them on one network are no thief: the account's way out of its own network has changed. */
const SHARED_BY = 3;
/** From so many networks come functions outside of a VPC and pipelines of others, and another one says nothing. */
const ROAMING = 6;
/** For so long a network must have been in use to be where somebody comes from. */
const STAYED_MS = 3 * DAY_MS;

const GROWING_DAYS = 2;
const GROWING_MS = 45 * DAY_MS;

type Question = readonly [subject: string, fact: string];

export const isNew = (what: Newness, event: SecretEvent, view: View): boolean =>
  questionsOf(what, event).some(([subject, fact]) => !wasKnown(view.usual, subject, fact, event.atMs)) &&
  !(what === "network" && isRoaming(event, view));

export function isUsual(what: Newness, event: SecretEvent, view: View): boolean {
  if (what === "growth") return isGrowing(event, view);
  const questions = questionsOf(what, event);
  return (
    questions.length > 0 &&
    questions.every(([subject, fact]) => wasUsual(view.usual, subject, fact, event.atMs))
  );
}

function questionsOf(what: Newness, event: SecretEvent): readonly Question[] {
  const { principal, secrets, network, client, action, region, account } = event;
  if (what === "region") return regionsIn(event).map((name): Question => [account, FACT.region(name)]);
  if (!principal) return [];
  const of = (fact: string): Question => [principal.key, fact];
  switch (what) {
    case "reader":
      return secrets.map(({ key }) => of(FACT.reads(key)));
    case "writer":
      return secrets.map(({ key }) => of(FACT.writes(key)));
    case "network":
      return [of(FACT.from(network.key))];
    case "client":
      return [of(FACT.with(client))];
    case "action":
      return [of(FACT.does(action, region))];
    case "growth":
      return [];
  }
}

/**
 * Anybody can ask and read like a tool. Where there is a history, it is one that asked like this on a day before, or that made
 * the secrets.
 */
export function isKnownTool({ principal, secrets, region, atMs }: SecretEvent, { usual }: View): boolean {
  if (!isSeeded(usual, atMs)) return true;
  const reader = principal?.key ?? "";
  const made =
    secrets.length > 0 && secrets.every(({ key }) => wasKnown(usual, reader, FACT.made(key), atMs));
  return made || QUESTIONS.some((action) => wasUsual(usual, reader, FACT.does(action, region), atMs));
}

/** To which a secret is copied. */
const regionsIn = ({ request }: SecretEvent): readonly string[] =>
  listOf(request["addReplicaRegions"])
    .map((replica) => textOf(fieldsOf(replica)["region"]) ?? textOf(fieldsOf(replica)["Region"]))
    .filter((region) => region !== undefined);

/** Or has seldom stayed on one, so that no network is newer than another. */
function isRoaming({ principal }: SecretEvent, { usual }: View): boolean {
  const networks = factsOf(usual, principal?.key ?? "", FACT.from(""));
  const homes = networks.filter(([, { firstMs, lastMs }]) => lastMs - firstMs >= STAYED_MS);
  return homes.length * 2 <= networks.length || networks.length >= ROAMING;
}

/** As far as is known by now; who changes the way out of a network does so for everybody, but not in the same second. */
export function isSharedNetwork(
  usual: Usual,
  { secrets, network }: Pick<Mark, "secrets" | "network">,
): boolean {
  const [account = ""] = secrets[0]?.split("/") ?? [];
  return factsOf(usual, account, FACT.at(network, "")).length >= SHARED_BY;
}

/** Who has begun to read another secret on several days lately is not to be told of for one more. */
function isGrowing({ principal, atMs }: SecretEvent, { usual }: View): boolean {
  if (!isSeeded(usual, atMs)) return false;
  const begun = factsOf(usual, principal?.key ?? "", FACT.readsAny)
    .map(([, { firstMs }]) => firstMs)
    .filter((firstMs) => firstMs < atMs - DAY_MS && firstMs > atMs - GROWING_MS);
  return new Set(begun.map((firstMs) => Math.floor(firstMs / DAY_MS))).size >= GROWING_DAYS;
}

/** Compared with what the secret had before; the first setting changes nothing. */
export function changes(
  what: Extract<Test, { changes: unknown }>["changes"],
  { request, secrets, atMs }: SecretEvent,
  { usual }: View,
): boolean {
  if (what === "rotation function") {
    const given = textOf(request["rotationLambdaARN"]);
    return given !== undefined && secrets.some(({ key }) => isAnother(lastOf(key, FACT.rotates("")), given));
  }
  const days = fieldsOf(request["rotationRules"])["automaticallyAfterDays"];
  return (
    typeof days === "number" &&
    secrets.some(({ key }) => {
      const before = Number(lastOf(key, FACT.every("")));
      return Number.isFinite(before) && days > before;
    })
  );

  function lastOf(subject: string, prefix: string): string | undefined {
    const before = factsOf(usual, subject, prefix).filter(([, { firstMs }]) => firstMs < atMs);
    return before.toSorted(([, a], [, b]) => b.lastMs - a.lastMs)[0]?.[0];
  }
}

const isAnother = (before: string | undefined, given: string) => before !== undefined && before !== given;
