/** A CloudTrail record, as any of the roads brings it, to one event; and what is no record is counted, never thrown. */

import { type Fields, fieldsOf, listOf, textOf } from "../fields.ts";
import { concernsSecrets } from "./concerns.ts";
import { principalOf } from "./principal.ts";
import type { SecretEvent, VersionRead } from "./secretEvent.ts";
import { secretRefsOf } from "./secretRefs.ts";
import { clientOf, networkOf, ourMarkOf } from "./surroundings.ts";

export type Extracted =
  | { readonly event: SecretEvent }
  /** A record of something that has nothing to do with secrets. */
  | { readonly ignored: true }
  | { readonly malformed: string };

export function extract(record: unknown): Extracted {
  const fields = fieldsOf(record);
  const source = textOf(fields["eventSource"]);
  const action = textOf(fields["eventName"]);
  if (source === undefined || action === undefined)
    return { malformed: "eventSource or eventName is missing" };
  const service = source.replace(/\.amazonaws\.com(\.cn)?$/, "");
  const request = fieldsOf(fields["requestParameters"]);
  if (!concernsSecrets(service, action, request)) return { ignored: true };
  const eventId = textOf(fields["eventID"]);
  if (eventId === undefined) return { malformed: "eventID is missing" };
  const atMs = Date.parse(textOf(fields["eventTime"]) ?? "");
  if (Number.isNaN(atMs)) return { malformed: "eventTime is not a time" };
  return { event: eventOf(fields, { eventId, atMs, service, action, request }) };
}

function eventOf(
  fields: Fields,
  core: Pick<SecretEvent, "eventId" | "atMs" | "service" | "action" | "request">,
): SecretEvent {
  const principal = principalOf(fields);
  const account =
    textOf(fields["recipientAccountId"]) ?? textOf(fieldsOf(fields["userIdentity"])["accountId"]) ?? "";
  const region = textOf(fields["awsRegion"]) ?? "";
  const errorCode = textOf(fields["errorCode"]);
  const version = versionOf(core.service, core.action, core.request);
  const keyArn = core.service === "kms" ? keyArnOf(fields) : undefined;
  const newVersion = newVersionOf(core, fieldsOf(fields["responseElements"]));
  const userAgent = textOf(fields["userAgent"]);
  const ourMark = ourMarkOf(userAgent);
  return {
    ...core,
    account,
    region,
    outcome: outcomeOf(errorCode),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(principal === undefined ? {} : { principal }),
    secrets: secretRefsOf(fields, { account, region }),
    ...(version === undefined ? {} : { version }),
    network: networkOf(textOf(fields["sourceIPAddress"]), textOf(fields["vpcEndpointId"])),
    client: clientOf(userAgent),
    ...(keyArn === undefined ? {} : { keyArn }),
    ...(ourMark === undefined ? {} : { ourMark }),
    ...(newVersion === undefined ? {} : { newVersion }),
  };
}

/** The request of an UpdateSecret has a token in any case; its answer has a version only if there is a new one. */
function newVersionOf(
  { service, action, request }: Pick<SecretEvent, "service" | "action" | "request">,
  response: Fields,
): string | undefined {
  if (service !== "secretsmanager" || !WRITES.includes(action)) return undefined;
  const made = textOf(response["versionId"]) ?? textOf(response["VersionId"]);
  const changesElse = ["description", "kmsKeyId", "type"].some((name) => request[name] !== undefined);
  if (made !== undefined || (action === "UpdateSecret" && changesElse)) return made;
  return textOf(request["clientRequestToken"]) ?? (action === "UpdateSecret" ? undefined : "unknown");
}

function keyArnOf(fields: Fields): string | undefined {
  const [resource] = listOf(fields["resources"]);
  return textOf(fieldsOf(resource)["ARN"]) ?? textOf(fieldsOf(fields["requestParameters"])["keyId"]);
}

const WRITES = ["PutSecretValue", "UpdateSecret", "CreateSecret"];

function outcomeOf(errorCode: string | undefined): SecretEvent["outcome"] {
  if (errorCode === undefined) return "allowed";
  return /AccessDenied|Unauthorized|NotAuthorized/.test(errorCode) ? "denied" : "failed";
}

/** A default read is one of AWSCURRENT; which version that was, its record does not say. */
function versionOf(service: string, action: string, request: Fields): VersionRead | undefined {
  if (service === "kms" && action === "Decrypt") {
    const id = textOf(fieldsOf(request["encryptionContext"])["SecretVersionId"]);
    return id === undefined ? { known: "unknown" } : { id, known: "proven" };
  }
  if (service !== "secretsmanager" || action !== "GetSecretValue") return undefined;
  const id = textOf(request["versionId"]);
  const label = textOf(request["versionStage"]);
  if (id !== undefined) return { id, ...(label === undefined ? {} : { label }), known: "proven" };
  return { label: label ?? "AWSCURRENT", known: "unknown" };
}
