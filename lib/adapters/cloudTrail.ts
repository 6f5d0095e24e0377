/**
 * CloudTrail's event history as the detection's AccessLog. LookupEvents takes two calls a second of everybody in an account
 * and Region together, the console among them, and the rate cannot be raised (CloudTrail's quota page, read November 2026),
 * so a quarter of it is left to the others.
 */
import { CloudTrailClient, LookupEventsCommand } from "@aws-sdk/client-cloudtrail";
import type { AccessLog } from "../detection/accessLog.ts";
import { RekeyError } from "../errors.ts";
import { awsError, bucket, ONCE } from "./awsCalls.ts";

const CALLS_PER_SECOND = 1.5;
const MOST_PER_PAGE = 50;

/**
 * @param client that sends once: what is throttled is asked again by who counts it, and at this pace
 * @param pace through which every call goes
 */
export function cloudTrailLog(
  client = new CloudTrailClient(ONCE),
  pace = bucket(1, CALLS_PER_SECOND),
): AccessLog {
  return {
    async place() {
      const [account, region] = await Promise.all([accountOf(client), client.config.region()]);
      return `${account}/${region}`;
    },

    async page(source, { fromMs, toMs }, token) {
      const [first, last] = secondsWithin(fromMs, toMs);
      if (last < first) return { records: [] };
      const request = new LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: "EventSource", AttributeValue: source }],
        StartTime: new Date(first * 1000),
        EndTime: new Date(last * 1000),
        MaxResults: MOST_PER_PAGE,
        ...(token === undefined ? {} : { NextToken: token }),
      });
      const answer = await pace(() => client.send(request)).catch((error: unknown) => {
        throw awsError(error, `look up what was recorded of ${source}`);
      });
      return {
        records: (answer.Events ?? []).map(({ CloudTrailEvent }) => parsed(CloudTrailEvent ?? "")),
        ...(answer.NextToken === undefined ? {} : { next: answer.NextToken }),
      };
    },
  };
}

/** Record times are whole seconds, and CloudTrail takes both ends as within. */
const secondsWithin = (fromMs: number, toMs: number) =>
  [Math.ceil(fromMs / 1000), Math.ceil(toMs / 1000) - 1] as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Handed on as it is, to be counted by who reads records.
    return text;
  }
}

async function accountOf(client: CloudTrailClient): Promise<string> {
  const { GetCallerIdentityCommand, STSClient } = await import("./iamClients.ts");
  const { region, credentials } = client.config;
  const sts = new STSClient({ ...ONCE, region, credentials });
  try {
    const { Account } = await sts.send(new GetCallerIdentityCommand({}));
    if (Account) return Account;
    throw new RekeyError("AWS_FAILED", "STS did not say which account this is");
  } catch (error) {
    throw awsError(error, "ask which account this is");
  } finally {
    sts.destroy();
  }
}
