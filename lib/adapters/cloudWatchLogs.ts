/** The last lines of one log stream. A stream that is not there yet has none: a container's driver makes it with its first line. */
import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { LogTail } from "../incident/taskFacts.ts";
import { awsError, CLIENT_OPTIONS, isSdkError } from "./awsCalls.ts";

export function cloudWatchLogs(
  clientFor: (region: string | undefined) => CloudWatchLogsClient = (region) =>
    new CloudWatchLogsClient({ ...CLIENT_OPTIONS, ...(region === undefined ? {} : { region }) }),
): LogTail {
  const clients = new Map<string | undefined, CloudWatchLogsClient>();
  return {
    async tail({ group, stream, region }, count) {
      const client = clients.get(region) ?? clientFor(region);
      clients.set(region, client);
      try {
        const { events } = await client.send(
          new GetLogEventsCommand({
            logGroupName: group,
            logStreamName: stream,
            limit: count,
            startFromHead: false,
          }),
        );
        return (events ?? []).map(({ message }) => message ?? "");
      } catch (error) {
        if (isSdkError(error, "ResourceNotFoundException")) return [];
        throw awsError(error, `read log stream ${stream} of ${group}`);
      }
    },
  };
}
