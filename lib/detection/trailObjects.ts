/**
 * Which files of a trail an event of S3 speaks of: an "Object Created" of EventBridge, or a notification that the bucket sends
 * by itself, in which keys are encoded as in a form. Whatever is no file of events is left out, and counted by its reason.
 */
import { fieldsOf, textOf } from "../fields.ts";

export interface TrailObject {
  readonly bucket: string;
  readonly key: string;
  /** Under which the file lies. */
  readonly account: string;
}

export interface TrailObjects {
  readonly objects: readonly TrailObject[];
  /** Why something is not looked at -> how often. */
  readonly ignored: Readonly<Record<string, number>>;
}

/** An organisation's trail has its id in between. The layout: CloudTrail user guide, "Finding your CloudTrail log files". */
const FILE =
  /^AWSLogs\/(?:o-[a-z0-9]+\/)?(\d{12})\/CloudTrail\/[a-z0-9-]+\/\d{4}\/\d{2}\/\d{2}\/[\w.-]+\.json\.gz$/;

/** @returns undefined if this is no event of S3 at all */
export function trailObjectsIn(event: unknown): TrailObjects | undefined {
  const named = namedIn(event);
  if (named === undefined) return undefined;
  const objects: TrailObject[] = [];
  const ignored: Record<string, number> = {};
  for (const one of named) {
    const found = typeof one === "string" ? one : judged(one);
    if (typeof found === "string") ignored[found] = (ignored[found] ?? 0) + 1;
    else objects.push(found);
  }
  return { objects, ignored };
}

interface Named {
  readonly bucket: string;
  readonly key: string;
}

/** @returns of each thing that the event speaks of its name, or why it has none */
function namedIn(event: unknown): readonly (Named | string)[] | undefined {
  const fields = fieldsOf(event);
  if (fields["source"] === "aws.s3" && fields["detail-type"] === "Object Created")
    return [nameOf(fields["detail"], (key) => key)];
  // What S3 sends when somebody sets the notification up.
  if (fields["Event"] === "s3:TestEvent") return ["it is S3's test of its notifications"];
  const { Records } = fields;
  if (!Array.isArray(Records) || !Records.some((one) => fieldsOf(one)["s3"] !== undefined)) return undefined;
  return Records.map((one: unknown) => {
    const { eventName, s3 } = fieldsOf(one);
    if (!textOf(eventName)?.startsWith("ObjectCreated:")) return "nothing was created";
    return nameOf(s3, decoded);
  });
}

function nameOf(named: unknown, decode: (key: string) => string | undefined): Named | string {
  const { bucket, object } = fieldsOf(named);
  const name = textOf(fieldsOf(bucket)["name"]);
  // As it is, since the file has this name and no other; what it may be is said above.
  const encoded = fieldsOf(object)["key"];
  const key = typeof encoded === "string" ? decode(encoded) : undefined;
  return name === undefined || key === undefined
    ? "the event names no bucket and key"
    : { bucket: name, key };
}

function decoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function judged({ bucket, key }: Named): TrailObject | string {
  const [, account] = FILE.exec(key) ?? [];
  if (account !== undefined) return { bucket, key, account };
  if (key.includes("/CloudTrail-Digest/")) return "it is a digest, which has no events";
  return "it is no file of a trail";
}
