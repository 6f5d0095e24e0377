/** The trails of an account beside its event history: what DescribeTrails, GetTrailStatus and GetEventSelectors tell of them. */
import { AwsError, type AwsService } from "./service.ts";

export interface StandinTrail {
  readonly Name: string;
  readonly TrailARN: string;
  readonly HomeRegion: string;
  readonly S3BucketName: string;
  readonly IsMultiRegionTrail: boolean;
  readonly IsOrganizationTrail: boolean;
  readonly isLogging: boolean;
  /** Kept in another Region, which alone tells its selectors. */
  readonly isElsewhere?: boolean;
  /** As GetEventSelectors answers; one of the two kinds. */
  readonly selectors: Readonly<Record<string, unknown>>;
}

/** The service with the operations for trails; none are there until some are put into the list. */
export function withTrails(service: AwsService, trails: readonly StandinTrail[]): AwsService {
  const find = (name: string | undefined) => {
    const found = trails.find(({ Name, TrailARN }) => name === Name || name === TrailARN);
    if (!found) throw new AwsError("TrailNotFoundException", `Unknown trail: ${name}`);
    return found;
  };
  return {
    ...service,
    operations: {
      ...service.operations,
      DescribeTrails: () => ({
        trailList: trails.map(
          ({ isLogging: _isLogging, isElsewhere: _isElsewhere, selectors: _selectors, ...trail }) => trail,
        ),
      }),
      GetTrailStatus: ({ Name }) => ({ IsLogging: find(Name).isLogging }),
      GetEventSelectors({ TrailName }) {
        const { TrailARN, selectors, isElsewhere, HomeRegion } = find(TrailName);
        if (isElsewhere)
          throw new AwsError("InvalidHomeRegionException", `The trail's home Region is ${HomeRegion}.`);
        return { TrailARN, ...selectors };
      },
    },
    limits: [
      ...service.limits,
      { operations: ["DescribeTrails"], burst: 10, perSecond: 10 },
      { operations: ["GetTrailStatus"], burst: 10, perSecond: 10 },
      { operations: ["GetEventSelectors"], burst: 10, perSecond: 10 },
    ],
  };
}
