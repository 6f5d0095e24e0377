/**
 * What accounts record when a tool sets up secrets with a long-term key, and what they record when somebody with the same key
 * takes them seconds later. User agents say nothing here: all are the same.
 */
import { expect, test } from "vitest";
import { replay } from "../../lib/detection/replay.ts";
import { RULES } from "../../lib/detection/rules.ts";
import { ACCOUNT, REGION, record, VERSION } from "./records.ts";

const USER = {
  type: "IAMUser",
  arn: `arn:aws:iam::${ACCOUNT}:user/deploy`,
  accountId: ACCOUNT,
  accessKeyId: "AKIAEXAMPLE",
  userName: "deploy",
};
const NAMES = Array.from({ length: 20 }, (_, index) => `stage/secret-${index}`);
const arnOf = (name: string) =>
  `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-Ab3dE${name.at(-1)}`;
const START = Date.parse("2026-11-24T12:00:00Z");

type Changes = Readonly<Record<string, unknown>>;

const call = (atSeconds: number, eventName: string, requestParameters: unknown, changes: Changes = {}) =>
  record({
    eventTime: new Date(START + atSeconds * 1000).toISOString(),
    eventName,
    userIdentity: USER,
    userAgent: "aws-sdk-go-v2/1.32.0",
    sourceIPAddress: "203.0.113.7",
    requestParameters,
    ...changes,
  });

const about = (name: string) => ({ secretId: arnOf(name) });
const lookedAt = (name: string, at: number) => [
  call(at, "DescribeSecret", about(name)),
  call(at, "GetResourcePolicy", about(name)),
  call(at + 1, "GetSecretValue", { ...about(name), versionId: VERSION }),
];

/** Ten at a time, as the tool does. */
const when = (place: number) => Math.floor(place / 10) * 3;

const apply = NAMES.flatMap((name, place) => [
  call(
    when(place),
    "CreateSecret",
    { name, clientRequestToken: VERSION },
    { responseElements: { arn: arnOf(name) } },
  ),
  call(when(place), "DescribeSecret", about(name)),
  call(when(place), "GetResourcePolicy", about(name)),
  call(when(place) + 1, "PutSecretValue", { ...about(name), clientRequestToken: VERSION }),
  call(when(place) + 1, "GetSecretValue", { ...about(name), versionId: VERSION }),
]);
const plan = NAMES.flatMap((name, place) => lookedAt(name, 60 + when(place)));
const destroy = NAMES.flatMap((name, place) => [
  ...lookedAt(name, 600 + when(place)),
  call(640 + when(place), "DeleteSecret", { ...about(name), forceDeleteWithoutRecovery: true }),
]);
const TOOL = [...apply, ...plan, ...destroy];

const TAKEN_AT = 20;
const listAndTake = [
  call(TAKEN_AT, "ListSecrets", { maxResults: 100 }),
  ...NAMES.map((name, place) => call(TAKEN_AT + 1 + Math.floor(place / 5), "GetSecretValue", about(name))),
];
const batches = ["", "token"].map((nextToken, place) =>
  call(TAKEN_AT + place, "BatchGetSecretValue", {
    filters: [{ key: "tag-key", values: ["!no-such-tag"] }],
    ...(nextToken ? { nextToken } : {}),
  }),
);

const found = (records: readonly unknown[]) =>
  replay(RULES, [Buffer.from(JSON.stringify({ Records: records }))]).findings.map(
    ({ rules, first, secrets }) => ({
      rules,
      first: first.at,
      secrets: secrets.length,
    }),
  );

test("a tool that makes, compares and removes twenty secrets is no finding", () => {
  expect(found(TOOL)).toEqual([]);
});

test("who lists and takes them with the tool's key, seconds after it made them, is one", () => {
  expect(found([...TOOL, ...listAndTake])).toEqual([
    { rules: ["enumerateThenTake", "rapidRetrieval"], first: "2026-11-24T12:00:20.000Z", secrets: 20 },
    { rules: ["longTermKey"], first: "2026-11-24T12:00:21.000Z", secrets: 20 },
  ]);
});

test("who takes them all at once is one, though no record names a secret", () => {
  expect(found([...TOOL, ...batches])).toEqual([
    { rules: ["batchOfEverything"], first: "2026-11-24T12:00:20.000Z", secrets: 0 },
    { rules: ["longTermKey"], first: "2026-11-24T12:00:20.000Z", secrets: 0 },
  ]);
});

test("who deletes them with the tool's key is one", () => {
  const ransom = NAMES.slice(0, 5).map((name) =>
    call(TAKEN_AT, "DeleteSecret", { ...about(name), forceDeleteWithoutRecovery: true }),
  );
  expect(found([...apply, ...ransom])).toEqual([
    { rules: ["forcedDeletion", "manyDeletions"], first: "2026-11-24T12:00:20.000Z", secrets: 5 },
  ]);
});
