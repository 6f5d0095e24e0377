/** Whether a test of a rule holds for one event. */
import { fieldsOf, listOf } from "./fields.ts";
import { openingOf } from "./policy.ts";
import type { Test } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";

export function holds(test: Test, event: SecretEvent): boolean {
  if ("all" in test) return test.all.every((one) => holds(one, event));
  if ("any" in test) return test.any.some((one) => holds(one, event));
  if ("not" in test) return !holds(test.not, event);
  if ("equals" in test) return event.request[test.parameter] === test.equals;
  if ("parameter" in test) return (event.request[test.parameter] ?? undefined) !== undefined;
  if ("is" in test)
    return Object.entries(test.is).every(([name, wanted]) => isOneOf(named(name, event), wanted));
  if ("accessKey" in test) return event.principal?.accessKeyId?.startsWith("AKIA") === true;
  if ("principal" in test) return isForeign(event);
  if ("policy" in test) {
    const opening = openingOf(event.request["resourcePolicy"], event.account);
    return test.policy === "public" ? opening.isPublic : opening.foreign.length > 0;
  }
  return asksForEverything(event);
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
      return String(event[name as "service" | "action" | "outcome" | "client"]);
  }
}

const isOneOf = (value: string | undefined, wanted: unknown) =>
  Array.isArray(wanted) ? wanted.includes(value) : value === wanted;

/** A service calls for an account from outside of it, and is nobody's. */
function isForeign({ principal, account }: SecretEvent): boolean {
  if (!principal || principal.kind === "service" || principal.account === "" || account === "") return false;
  return principal.account !== account;
}

/** A filter's value that begins with an exclamation mark leaves out what it names. */
function asksForEverything({ action, request }: SecretEvent): boolean {
  if (action !== "BatchGetSecretValue" || listOf(request["secretIdList"]).length > 0) return false;
  const values = listOf(request["filters"]).flatMap((filter) => listOf(fieldsOf(filter)["values"]));
  return values.every((value) => typeof value === "string" && value.startsWith("!"));
}
