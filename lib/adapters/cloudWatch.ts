/**
 * CPU and memory of an ECS service, and the health of a target group, from CloudWatch. ECS measures a service as a whole, in
 * percent of what its tasks reserve; single tasks are measured only where Container Insights is on.
 */
import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { UsageMeter } from "../incident/taskFacts.ts";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

export function cloudWatch(client = new CloudWatchClient(CLIENT_OPTIONS)): UsageMeter {
  async function ask(doing: string, queries: MetricDataQuery[], from: Date, to: Date) {
    const request = {
      MetricDataQueries: queries,
      StartTime: from,
      EndTime: to,
      ScanBy: "TimestampAscending",
    } as const;
    const got = await client.send(new GetMetricDataCommand(request)).catch((error: unknown) => {
      throw awsError(error, doing);
    });
    const values = (id: string) =>
      (got.MetricDataResults ?? []).filter(({ Id }) => Id === id).flatMap(({ Values }) => Values ?? []);
    return { values };
  }

  return {
    async ofService(cluster, service, from, to) {
      const query = (Id: string, MetricName: string): MetricDataQuery => ({
        Id,
        MetricStat: {
          Metric: {
            Namespace: "AWS/ECS",
            MetricName,
            Dimensions: [
              { Name: "ClusterName", Value: cluster.split("/").at(-1) },
              { Name: "ServiceName", Value: service },
            ],
          },
          Period: 60,
          Stat: "Maximum",
        },
      });
      const queries = [query("cpu", "CPUUtilization"), query("memory", "MemoryUtilization")];
      const { values } = await ask(`measure service ${service}`, queries, from, to);
      return { cpu: values("cpu"), memory: values("memory") };
    },

    async unhealthyTargets(targetGroup, from, to) {
      const [, group] = /:(targetgroup\/[\w-]+\/[0-9a-f]+)$/.exec(targetGroup) ?? [];
      if (group === undefined) return undefined;
      // The metric is filed under the load balancer, too, whose name the service does not know: hence a search.
      const query = (Id: string, namespace: string): MetricDataQuery => ({
        Id,
        Expression: `SEARCH('{${namespace},LoadBalancer,TargetGroup} MetricName="UnHealthyHostCount" TargetGroup="${group}"', 'Maximum', 60)`,
      });
      const queries = [query("application", "AWS/ApplicationELB"), query("network", "AWS/NetworkELB")];
      const { values } = await ask(`look at ${group}`, queries, from, to);
      const counts = [...values("application"), ...values("network")];
      return counts.length === 0 ? undefined : Math.max(...counts);
    },
  };
}
