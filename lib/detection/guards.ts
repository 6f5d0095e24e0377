/** Whether a call is about something that guards secrets: what rotates them, encrypts them, or watches over them. */
import { fieldsOf, listOf, textOf } from "../fields.ts";
import { factsOf } from "./history.ts";
import { FACT } from "./lessons.ts";
import type { Guard } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import type { View } from "./view.ts";

const ACCOUNT_OF_KEY = /^arn:[\w-]+:kms:[\w-]*:(\d{12}):/;

export function guards(what: Guard, event: SecretEvent, { known, usual }: View): boolean {
  const { account, request, keyArn } = event;
  const learnt = (prefix: string) => factsOf(usual, account, prefix).map(([name]) => name);
  switch (what) {
    case "a rotation function": {
      const asked = lastPart(textOf(request["functionName"]));
      const ours = [...known.rotationFunctions, ...learnt(FACT.rotator(""))].map(lastPart);
      const isOurs = asked !== undefined && [...known.watch].some((beginning) => asked.startsWith(beginning));
      return isOurs || (asked !== undefined && ours.includes(asked));
    }
    case "a key of secrets": {
      const asked = lastPart(keyArn);
      return asked !== undefined && [...known.keys, ...learnt(FACT.key(""))].map(lastPart).includes(asked);
    }
    case "a key of another account": {
      const owner = ACCOUNT_OF_KEY.exec(textOf(request["kmsKeyId"]) ?? "")?.[1];
      return owner !== undefined && owner !== account && !known.accounts.has(owner);
    }
    case "our watch": {
      const named = [request["name"], request["rule"], request["functionName"]].map(textOf).map(lastPart);
      return named.some(
        (name) => name !== undefined && [...known.watch].some((beginning) => name.startsWith(beginning)),
      );
    }
    case "what a trail records":
      return narrows(event);
  }
}

/** Of an ARN, a path, or a name with a version behind it. */
function lastPart(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, name] = /:function:([^:]+)/.exec(text) ?? [];
  return name ?? text.split("/").at(-1);
}

function narrows({ action, request }: SecretEvent): boolean {
  if (action === "StopLogging" || action === "DeleteTrail") return true;
  if (action === "UpdateTrail") return request["isMultiRegionTrail"] === false;
  if (action !== "PutEventSelectors") return false;
  const basic = listOf(request["eventSelectors"]).map(fieldsOf);
  const advanced = listOf(request["advancedEventSelectors"]).map(fieldsOf);
  return !basic.some(showsReads) && !advanced.some(showsManagement);
}

function showsReads(selector: Readonly<Record<string, unknown>>): boolean {
  return (
    selector["includeManagementEvents"] !== false &&
    selector["readWriteType"] !== "WriteOnly" &&
    listOf(selector["excludeManagementEventSources"]).length === 0
  );
}

/** Any further condition on management events leaves some of them out. */
function showsManagement(selector: Readonly<Record<string, unknown>>): boolean {
  const fields = listOf(selector["fieldSelectors"]).map(fieldsOf);
  return fields.length === 1 && listOf(fields[0]?.["equals"]).includes("Management");
}
