/**
 * Which secrets a record is about. The places, most telling first, were read off recorded data and the service's own
 * documentation: CloudTrail has no one field for it, and a denied read has it in the sentence of its error alone.
 */
import { type Fields, fieldsOf, listOf, textOf } from "../fields.ts";
import type { SecretRef } from "./secretEvent.ts";

interface Place {
  readonly account: string;
  readonly region: string;
}

/** Far above the twenty that the service takes: what exceeds it was not written by CloudTrail. */
const MOST_IN_BATCH = 100;

const ARN = /^arn:[\w-]+:secretsmanager:([\w-]*):(\d{12}):secret:(.+)$/;
const SUFFIX = /^(.+)-([A-Za-z0-9]{6})$/;
const IN_ROTATION_ID =
  /^Rotation-(arn:[\w-]+:secretsmanager:.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const IN_MESSAGE = /on resource: (.+?)(?: because .*| with an explicit deny.*)?$/;
const IN_TEXT = /arn:[\w-]+:secretsmanager:[\w-]*:\d{12}:secret:[\w/+=.@!-]+/;

export function secretRefsOf(record: Fields, place: Place): readonly SecretRef[] {
  const request = fieldsOf(record["requestParameters"]);
  const response = fieldsOf(record["responseElements"]);
  const about = fieldsOf(record["additionalEventData"]);
  const batch = listOf(request["secretIdList"]).slice(0, MOST_IN_BATCH).map(textOf);
  if (batch.length > 0) return distinct(batch, place);
  const encryption = fieldsOf(request["encryptionContext"]);
  const isOfSecretsManager = record["eventSource"] === "secretsmanager.amazonaws.com";
  const told = [
    textOf(encryption["SecretARN"]),
    ...(isOfSecretsManager
      ? [
          // Both spellings occur; the second in records from before 2024.
          textOf(response["arn"]) ?? textOf(response["aRN"]) ?? textOf(response["ARN"]),
          textOf(request["secretId"]),
          textOf(about["ARN"]),
          textOf(about["SecretId"]),
          textOf(fieldsOf(record["serviceEventDetails"])["secretId"]),
          IN_ROTATION_ID.exec(textOf(record["requestID"]) ?? "")?.[1],
          listOf(record["resources"])
            .map((one) => textOf(fieldsOf(one)["ARN"]))
            .find((arn) => arn !== undefined && ARN.test(arn)),
          record["eventName"] === "CreateSecret" ? textOf(request["name"]) : undefined,
          textOf(about["Name"]),
          inMessage(textOf(record["errorMessage"])),
        ]
      : []),
  ].filter((text) => text !== undefined);
  const full = told.find((text) => ARN.test(text) && isSuffixed(text));
  return distinct([full ?? told[0]], place);
}

function inMessage(message: string | undefined): string | undefined {
  if (message === undefined) return undefined;
  const named = IN_MESSAGE.exec(message)?.[1]?.trim();
  // A list of everything is denied on `*`.
  return named === "*" ? undefined : (named ?? IN_TEXT.exec(message)?.[0]);
}

function distinct(texts: readonly (string | undefined)[], place: Place): readonly SecretRef[] {
  const refs = texts.filter((text) => text !== undefined).map((text) => secretRef(text, place));
  return [...new Map(refs.map((ref) => [ref.key, ref])).values()];
}

/** @param text a name, a partial ARN or a full one */
export function secretRef(text: string, { account, region }: Place): SecretRef {
  const [, arnRegion, arnAccount, resource] = ARN.exec(text) ?? [];
  if (resource === undefined) return { key: `${account}/${region}/${text}`, name: text };
  const isFull = isSuffixed(text);
  const name = isFull ? (SUFFIX.exec(resource)?.[1] ?? resource) : resource;
  return {
    key: `${arnAccount}/${arnRegion || region}/${name}`,
    name,
    ...(isFull ? { arn: text } : {}),
  };
}

/**
 * Whether an ARN ends in the six random characters that Secrets Manager adds. A partial ARN may end in a word of six letters
 * (`my-secret`); six random characters are all small letters once in two hundred times.
 */
function isSuffixed(arn: string): boolean {
  const suffix = SUFFIX.exec(arn)?.[2];
  return suffix !== undefined && !/^[a-z]{6}$/.test(suffix);
}
