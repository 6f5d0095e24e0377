/** Whether something was never seen before, or has been seen for longer than a day. */
import { fieldsOf, listOf, textOf } from "./fields.ts";
import { DAY_MS, factsOf, wasKnown, wasUsual } from "./history.ts";
import { FACT } from "./lessons.ts";
import type { Newness, Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { View } from "./view.ts";

/** So many of them on one network are no thief: the account's way out of its own network has changed. */
const SHARED_BY = 3;
/** From so many networks come functions outside of a VPC and pipelines of others, and another one says nothing. */
const ROAMING = 6;
/** For so long a network must have been in use to be where somebody comes from. */
const STAYED_MS = 3 * DAY_MS;

type Question = readonly [subject: string, fact: string];

export const isNew = (what: Newness, event: SecretEvent, view: View): boolean =>
  questionsOf(what, event).some(([subject, fact]) => !wasKnown(view.usual, subject, fact, event.atMs)) &&
  !(what === "network" && (isShared(event, view) || isRoaming(event, view)));

export function isUsual(what: Newness, event: SecretEvent, view: View): boolean {
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
  }
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

function isShared({ account, network }: SecretEvent, { usual }: View): boolean {
  return factsOf(usual, account, FACT.at(network.key, "")).length >= SHARED_BY;
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
