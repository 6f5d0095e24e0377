/** Trails as the SDK brings them from the local cloud, and what their selectors keep. */
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloudTrailTrails, keptBy } from "../../lib/adapters/cloudTrailTrails.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";
import type { StandinTrail } from "../standin/trails.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ processes: false });
});
afterAll(() => cloud?.stop());

const KMS = "kms.amazonaws.com";
const management = { Field: "eventCategory", Equals: ["Management"] };

test.each<[string, Parameters<typeof keptBy>[0], ReturnType<typeof keptBy>]>([
  ["everything", { EventSelectors: [{}] }, { logsReads: true, logsKms: true }],
  [
    "writes alone",
    { EventSelectors: [{ ReadWriteType: "WriteOnly" }] },
    { logsReads: false, logsKms: false },
  ],
  [
    "all but KMS",
    { EventSelectors: [{ ReadWriteType: "All", ExcludeManagementEventSources: [KMS] }] },
    { logsReads: true, logsKms: false },
  ],
  [
    "data events alone",
    { EventSelectors: [{ IncludeManagementEvents: false }] },
    { logsReads: false, logsKms: false },
  ],
  [
    "everything, newer",
    { AdvancedEventSelectors: [{ FieldSelectors: [management] }] },
    { logsReads: true, logsKms: true },
  ],
  [
    "writes alone, newer",
    { AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "readOnly", Equals: ["false"] }] }] },
    { logsReads: false, logsKms: false },
  ],
  [
    "all but KMS, newer",
    {
      AdvancedEventSelectors: [{ FieldSelectors: [management, { Field: "eventSource", NotEquals: [KMS] }] }],
    },
    { logsReads: true, logsKms: false },
  ],
  [
    "objects of S3, newer",
    { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "eventCategory", Equals: ["Data"] }] }] },
    { logsReads: false, logsKms: false },
  ],
])("a trail that keeps %s", (_what, selectors, kept) => {
  expect(keptBy(selectors)).toEqual(kept);
});

test("trails are told with what they keep; of one that does not answer for itself that is left open", async () => {
  const trail: StandinTrail = {
    Name: "all",
    TrailARN: "arn:aws:cloudtrail:us-east-1:123456789012:trail/all",
    HomeRegion: "us-east-1",
    S3BucketName: "files",
    IsMultiRegionTrail: false,
    IsOrganizationTrail: false,
    isLogging: false,
    selectors: { EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true }] },
  };
  const listed = cloudTrailTrails(
    new CloudTrailClient({
      endpoint: cloud.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "operator", secretAccessKey: "local" },
    }),
  );
  expect(await listed.trails()).toEqual([]);
  cloud.trails.push(trail, {
    ...trail,
    Name: "elsewhere",
    TrailARN: "arn:aws:cloudtrail:eu-west-1:123456789012:trail/elsewhere",
    HomeRegion: "eu-west-1",
    isLogging: true,
    isElsewhere: true,
  });
  expect(await listed.trails()).toEqual([
    {
      name: "all",
      homeRegion: "us-east-1",
      isMultiRegion: false,
      isOrganization: false,
      isLogging: false,
      bucket: "files",
      logsReads: true,
      logsKms: true,
    },
    {
      name: "elsewhere",
      homeRegion: "eu-west-1",
      isMultiRegion: false,
      isOrganization: false,
      isLogging: true,
      bucket: "files",
    },
  ]);
});
