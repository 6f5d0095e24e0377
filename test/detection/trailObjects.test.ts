import { describe, expect, test } from "vitest";
import { trailObjectsIn } from "../../lib/detection/trailObjects.ts";

const FILE =
  "AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/24/123456789012_CloudTrail_eu-central-1_20261124T1205Z_aB3dEf6hIj9kLm2n.json.gz";
const ORGANISATION = FILE.replace("AWSLogs/", "AWSLogs/o-a1b2c3d4e5/");
const DIGEST =
  "AWSLogs/123456789012/CloudTrail-Digest/eu-central-1/2026/11/24/123456789012_CloudTrail-Digest_eu-central-1_trail_eu-central-1_20261124T120500Z.json.gz";

const byEventBridge = (key: unknown) => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: "trail" }, object: { key, size: 7 }, reason: "PutObject" },
});
const byBucket = (...keys: readonly unknown[]) => ({
  Records: keys.map((key) => ({
    eventSource: "aws:s3",
    eventName: "ObjectCreated:Put",
    s3: { bucket: { name: "trail" }, object: { key } },
  })),
});

describe("a file of a trail is found", () => {
  test.each([
    ["in an event of EventBridge", byEventBridge(FILE), FILE],
    ["in a notification of the bucket's", byBucket(FILE), FILE],
    ["of an organisation", byEventBridge(ORGANISATION), ORGANISATION],
    ["whose name is encoded as in a form", byBucket(FILE.replaceAll("_", "%5F")), FILE],
  ])("%s", (_where, event, key) => {
    expect(trailObjectsIn(event)).toEqual({
      objects: [{ bucket: "trail", key, account: "123456789012" }],
      ignored: {},
    });
  });
});

describe("left out, and counted by its reason, is", () => {
  test.each([
    ["a digest", byEventBridge(DIGEST), "it is a digest, which has no events"],
    ["a file of somebody else's", byBucket("AWSLogs/readme.txt"), "it is no file of a trail"],
    // What a bucket's own notification encodes, EventBridge does not.
    ["a name with a percent sign", byEventBridge(FILE.replace("_", "%5F")), "it is no file of a trail"],
    ["a file below another prefix", byEventBridge(`logs/${FILE}`), "it is no file of a trail"],
    ["a name that breaks the line", byEventBridge(`${FILE}\n`), "it is no file of a trail"],
    ["a name that nothing encodes to", byBucket("%E0%A4%A"), "the event names no bucket and key"],
    ["a key that is no text", byEventBridge(7), "the event names no bucket and key"],
    [
      "S3's own test",
      { Service: "Amazon S3", Event: "s3:TestEvent" },
      "it is S3's test of its notifications",
    ],
    ["a removal", { Records: [{ eventName: "ObjectRemoved:Delete", s3: {} }] }, "nothing was created"],
  ])("%s", (_what, event, why) => {
    expect(trailObjectsIn(event)).toEqual({ objects: [], ignored: { [why]: 1 } });
  });

  test("each of several, beside the file that is looked at", () => {
    expect(trailObjectsIn(byBucket(DIGEST, FILE, DIGEST))).toEqual({
      objects: [{ bucket: "trail", key: FILE, account: "123456789012" }],
      ignored: { "it is a digest, which has no events": 2 },
    });
  });
});

test.each([
  [undefined],
  [null],
  [[]],
  ["Records"],
  [{ Records: [] }],
  [{ Records: [{ eventID: "a" }] }],
  [{ source: "aws.ecs" }],
])("%j is no event of S3", (event) => {
  expect(trailObjectsIn(event)).toBeUndefined();
});
