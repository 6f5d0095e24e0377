/** Which trails an account has, and what each keeps: the detection's TrailCoverage. */
import {
  CloudTrailClient,
  DescribeTrailsCommand,
  GetEventSelectorsCommand,
  type GetEventSelectorsCommandOutput,
  GetTrailStatusCommand,
  type Trail,
} from "@aws-sdk/client-cloudtrail";
import type { TrailCoverage, TrailFacts } from "../detection/trailCoverage.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

const KMS = "kms.amazonaws.com";

export function cloudTrailTrails(client = new CloudTrailClient(CLIENT_OPTIONS)): TrailCoverage {
  return {
    async trails() {
      try {
        // Also those of other Regions that keep this one's events.
        const { trailList = [] } = await client.send(
          new DescribeTrailsCommand({ includeShadowTrails: true }),
        );
        return await Promise.all(trailList.map((trail) => factsOf(client, trail)));
      } catch (error) {
        throw awsError(error, "ask which trails there are");
      }
    },
  };
}

async function factsOf(client: CloudTrailClient, trail: Trail): Promise<TrailFacts> {
  const name = trail.TrailARN ?? trail.Name ?? "";
  const [status, selectors] = await Promise.all([
    client.send(new GetTrailStatusCommand({ Name: name })).catch(nobodyCanTell),
    client.send(new GetEventSelectorsCommand({ TrailName: name })).catch(nobodyCanTell),
  ]);
  return {
    name: trail.Name ?? name,
    homeRegion: trail.HomeRegion ?? "",
    isMultiRegion: trail.IsMultiRegionTrail ?? false,
    isOrganization: trail.IsOrganizationTrail ?? false,
    isLogging: status?.IsLogging ?? false,
    ...(trail.S3BucketName ? { bucket: trail.S3BucketName } : {}),
    ...(selectors ? keptBy(selectors) : {}),
  };
}

/** A trail of the organisation, or of another Region, does not answer for itself here; that it is there is worth saying. */
function nobodyCanTell(error: unknown): undefined {
  const { name = "" } = error as { readonly name?: string };
  if (/AccessDenied|InvalidHomeRegion|TrailNotFound|NotOrganization|UnsupportedOperation/.test(name))
    return undefined;
  throw error;
}

/** Selectors of the older kind, or of the newer; a trail has one or the other. */
export function keptBy({
  EventSelectors = [],
  AdvancedEventSelectors = [],
}: Pick<GetEventSelectorsCommandOutput, "EventSelectors" | "AdvancedEventSelectors">): {
  readonly logsReads: boolean;
  readonly logsKms: boolean;
} {
  const basic = EventSelectors.filter(
    ({ IncludeManagementEvents = true, ReadWriteType = "All" }) =>
      IncludeManagementEvents && ReadWriteType !== "WriteOnly",
  ).map(({ ExcludeManagementEventSources = [] }) => !ExcludeManagementEventSources.includes(KMS));
  const advanced = AdvancedEventSelectors.map(({ FieldSelectors = [] }) => FieldSelectors)
    .filter((fields) =>
      fields.some(({ Field, Equals = [] }) => Field === "eventCategory" && Equals.includes("Management")),
    )
    .filter(
      (fields) => !fields.some(({ Field, Equals = [] }) => Field === "readOnly" && Equals.includes("false")),
    )
    .map((fields) =>
      fields.every(
        ({ Field, Equals, NotEquals = [] }) =>
          Field !== "eventSource" ||
          (!NotEquals.includes(KMS) && (Equals === undefined || Equals.includes(KMS))),
      ),
    );
  const kept = [...basic, ...advanced];
  return { logsReads: kept.length > 0, logsKms: kept.includes(true) };
}
