/**
 * CloudWatch as far as Rekey asks it: the log streams of tasks whose containers log through awslogs, and metrics that a test
 * has filed. A stream is there from a container's first line on; what is not measured has no values, and is no error.
 */

import type { GetMetricDataInput, MetricDataResult } from "@aws-sdk/client-cloudwatch";
import type { GetLogEventsRequest, OutputLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError, type AwsService } from "./service.ts";

/** @returns undefined where there is no such stream */
export type ReadStream = (group: string, stream: string) => readonly string[] | undefined;

export function logsService(readStream: ReadStream): AwsService {
  return {
    targetPrefix: "Logs_20140328",
    eventSource: "logs.amazonaws.com",
    isDataOnly: true,
    operations: {
      GetLogEvents({
        logGroupName = "",
        logStreamName = "",
        limit = 10_000,
        startFromHead = false,
      }: GetLogEventsRequest) {
        if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
          throw new AwsError("InvalidParameterException", "limit must be between 1 and 10000");
        const lines = readStream(logGroupName, logStreamName);
        if (lines === undefined)
          throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
        const page = startFromHead ? lines.slice(0, limit) : lines.slice(-limit);
        const events = page.map(
          (message): OutputLogEvent => ({ message, timestamp: Date.now(), ingestionTime: Date.now() }),
        );
        return { events, nextForwardToken: "f/1", nextBackwardToken: "b/1" };
      },
    },
    limits: [{ operations: ["GetLogEvents"], burst: 25, perSecond: 25 }],
  };
}

export class Metrics {
  /** `namespace/metric/dimension values, by name` -> one value a minute, oldest first. */
  readonly #filed = new Map<string, readonly number[]>();

  file(
    namespace: string,
    metric: string,
    dimensions: Readonly<Record<string, string>>,
    values: readonly number[],
  ): void {
    this.#filed.set(keyOf(namespace, metric, dimensions), values);
  }

  service(): AwsService {
    return {
      targetPrefix: "GraniteServiceVersion20100801",
      eventSource: "monitoring.amazonaws.com",
      isDataOnly: true,
      operations: { GetMetricData: (input: GetMetricDataInput) => this.#data(input) },
      limits: [{ operations: ["GetMetricData"], burst: 50, perSecond: 50 }],
    };
  }

  #data({ MetricDataQueries = [], ScanBy }: GetMetricDataInput) {
    const results = MetricDataQueries.map(({ Id, MetricStat, Expression }): MetricDataResult => {
      if ((MetricStat === undefined) === (Expression === undefined))
        throw new AwsError("ValidationError", "A query has either a MetricStat or an Expression.");
      const { Namespace = "", MetricName = "", Dimensions = [] } = MetricStat?.Metric ?? {};
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value ?? ""]));
      const values = MetricStat
        ? this.#filed.get(keyOf(Namespace, MetricName, dimensions))
        : this.#search(Expression ?? "");
      const Values = ScanBy === "TimestampAscending" ? [...(values ?? [])] : [...(values ?? [])].reverse();
      return { Id, StatusCode: "Complete", Values, Timestamps: [] };
    });
    return { MetricDataResults: results };
  }

  /** `SEARCH('{Namespace,Dimension,...} MetricName="..." Dimension="..."', ...)`, each pair to be met. */
  #search(expression: string): readonly number[] {
    const [, namespace = ""] = /^SEARCH\('\{([^,}]+)/.exec(expression) ?? [];
    const pairs = [...expression.matchAll(/(\w+)="([^"]+)"/g)].map(([, name, value]) =>
      name === "MetricName" ? `/${value}/` : `${name}=${value}`,
    );
    return [...this.#filed]
      .filter(([key]) => key.startsWith(`${namespace}/`) && pairs.every((pair) => key.includes(pair)))
      .flatMap(([, values]) => values);
  }
}

const keyOf = (namespace: string, metric: string, dimensions: Readonly<Record<string, string>>) =>
  `${namespace}/${metric}/${Object.entries(dimensions)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(",")}`;
