/**
 * Tasks, by themselves or of a service. A task that is on its way out counts as STOPPED for `desiredStatus`, though its
 * processes may still run: whoever must know that nothing holds an old secret has to ask for both.
 */
import type {
  DescribeTasksRequest,
  ListTasksRequest,
  RunTaskRequest,
  StopTaskRequest,
} from "@aws-sdk/client-ecs";
import type { Operation } from "../service.ts";
import { describeTask } from "./describe.ts";
import type { ClusterRecord, EcsState } from "./model.ts";
import {
  invalid,
  page,
  requireCluster,
  requireList,
  requireService,
  requireTaskDefinition,
  requireText,
} from "./request.ts";
import type { TaskRunner } from "./tasks.ts";

type Token = { nextToken?: string; maxResults?: number };

export function taskOperations(state: EcsState, runner: TaskRunner): Readonly<Record<string, Operation>> {
  const find = (cluster: ClusterRecord, idOrArn: string) =>
    cluster.tasks.get(idOrArn.startsWith("arn:") ? idOrArn : arnOf(cluster, idOrArn));
  const arnOf = (cluster: ClusterRecord, id: string) => state.arn(`task/${cluster.name}/${id}`);

  return {
    RunTask(input: RunTaskRequest) {
      const cluster = requireCluster(state, input.cluster);
      const definition = requireTaskDefinition(state, input.taskDefinition);
      const count = input.count ?? 1;
      if (!Number.isInteger(count) || count < 1 || count > 10)
        throw invalid("Count must be between 1 and 10.");
      if (input.group?.startsWith("service:"))
        throw invalid("A task's group must not begin with 'service:'.");
      const tasks = Array.from({ length: count }, () =>
        runner.start({
          cluster,
          definition,
          group: input.group ?? `family:${definition.family}`,
          startedBy: input.startedBy,
          overrides: input.overrides,
        }),
      );
      return { tasks: tasks.map(describeTask), failures: [] };
    },

    StopTask({ cluster, task: idOrArn, reason = "" }: StopTaskRequest) {
      const task = find(requireCluster(state, cluster), requireText(idOrArn, "TaskId"));
      if (!task) throw invalid("The referenced task was not found.");
      runner.stop(task, "UserInitiated", reason);
      return { task: describeTask(task) };
    },

    ListTasks({
      serviceName,
      family,
      startedBy,
      desiredStatus = "RUNNING",
      ...input
    }: ListTasksRequest & Token) {
      const cluster = requireCluster(state, input.cluster);
      const service = serviceName === undefined ? undefined : requireService(cluster, serviceName);
      const tasks = [...cluster.tasks.values()].filter(
        (task) =>
          task.desiredStatus === desiredStatus &&
          (service === undefined || task.service === service) &&
          (family === undefined || task.definition.family === family) &&
          (startedBy === undefined || task.startedBy === startedBy),
      );
      const { page: found, nextToken } = page(tasks, input, 100, 100);
      return { taskArns: found.map(({ arn }) => arn), nextToken };
    },

    DescribeTasks(input: DescribeTasksRequest) {
      const cluster = requireCluster(state, input.cluster);
      const found = requireList(input.tasks, "Tasks", 100).map((one) => ({ one, task: find(cluster, one) }));
      return {
        tasks: found.flatMap(({ task }) => (task ? [describeTask(task)] : [])),
        failures: found
          .filter(({ task }) => !task)
          .map(({ one }) => ({ arn: one.startsWith("arn:") ? one : arnOf(cluster, one), reason: "MISSING" })),
      };
    },
  };
}
