/** Whether a test of a rule holds for one event. */
import { fieldsOf, listOf } from "../fields.ts";
import { guards } from "./guards.ts";
import { ledgerLacks } from "./ledger.ts";
import { changes, isKnownTool, isNew, isUsual } from "./newness.ts";
import { openingOf } from "./policy.ts";
import type { Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { hasTrait } from "./secretTraits.ts";
import type { View } from "./view.ts";

export function holds(test: Test, event: SecretEvent, view: View): boolean {
  if ("all" in test) return test.all.every((one) => holds(one, event, view));
  if ("any" in test) return test.any.some((one) => holds(one, event, view));
  if ("not" in test) return !holds(test.not, event, view);
  if ("equals" in test) return event.request[test.parameter] === test.equals;
  if ("parameter" in test) return (event.request[test.parameter] ?? undefined) !== undefined;
  if ("is" in test)
    return Object.entries(test.is).every(([name, wanted]) => isOneOf(named(name, event), wanted));
  if ("accessKey" in test)
    return (
      event.principal?.accessKeyId?.startsWith(test.accessKey === "long-term" ? "AKIA" : "ASIA") === true
    );
  if ("who" in test)
    return test.who === "person" ? event.principal?.isPerson === true : isForeign(event, view);
  if ("policy" in test) {
    const opening = openingOf(event.request["resourcePolicy"], event.account);
    if (test.policy === "public") return opening.isPublic;
    return opening.foreign.some((account) => !view.known.accounts.has(account));
  }
  if ("batch" in test) return asksForEverything(event);
  if ("part" in test) return view.refreshed.has(event.eventId) && isKnownTool(event, view);
  if ("isNew" in test) return isNew(test.isNew, event, view);
  if ("isUsual" in test) return isUsual(test.isUsual, event, view);
  if ("writes" in test) return event.newVersion !== undefined;
  if ("changes" in test) return changes(test.changes, event, view);
  if ("touches" in test) return guards(test.touches, event, view);
  if ("secret" in test) return hasTrait(test.secret, event, view);
  return ledgerLacks(test.ledger, event, view);
}

function named(name: string, event: SecretEvent): string | undefined {
  switch (name) {
    case "principal":
      return event.principal?.kind;
    case "network":
      return event.network.kind;
    case "label":
      return event.version?.label;
    default:
      return String(event[name as "service" | "action" | "outcome" | "client" | "errorCode"]);
  }
}

const isOneOf = (value: string | undefined, wanted: unknown) =>
  Array.isArray(wanted) ? wanted.includes(value) : value === wanted;

/** A service calls for an account from outside of it, and is nobody's. */
function isForeign({ principal, account }: SecretEvent, { known }: View): boolean {
  if (!principal || principal.kind === "service" || principal.account === "" || account === "") return false;
  return principal.account !== account && !known.accounts.has(principal.account);
}

/** A filter's value that begins with an exclamation mark leaves out what it names. */
function asksForEverything({ action, request }: SecretEvent): boolean {
  if (action !== "BatchGetSecretValue" || listOf(request["secretIdList"]).length > 0) return false;
  const values = listOf(request["filters"]).flatMap((filter) => listOf(fieldsOf(filter)["values"]));
  return values.every((value) => typeof value === "string" && value.startsWith("!"));
}
