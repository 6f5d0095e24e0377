/** Where a container's lines are found in CloudWatch Logs: only with the awslogs driver, and from its first line on. */
import type { EcsState } from "./model.ts";
import type { TaskRunner } from "./tasks.ts";

export function readStream(
  state: EcsState,
  runner: Pick<TaskRunner, "logs">,
  group: string,
  stream: string,
): readonly string[] | undefined {
  const [taskId, name] = stream.split("/").reverse();
  for (const { tasks } of state.clusters.values()) {
    const task = [...tasks.values()].find(({ arn }) => arn.endsWith(`/${taskId}`));
    const container = task?.containers.find(({ definition }) => definition.name === name)?.definition;
    if (task === undefined || container?.logConfiguration?.logDriver !== "awslogs") continue;
    const { "awslogs-group": itsGroup, "awslogs-stream-prefix": prefix } =
      container.logConfiguration.options ?? {};
    if (itsGroup !== group || `${prefix}/${name}/${taskId}` !== stream) continue;
    const mine = runner.logs(task.arn).filter((line) => line.startsWith(`${name}| `));
    return mine.length === 0 ? undefined : mine.map((line) => line.slice(`${name}| `.length));
  }
  return undefined;
}
