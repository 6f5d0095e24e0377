/**
 * A task's containers: their ports, and the environment that each is given. Secrets come first in it, so that a plain
 * variable of the same name hides one: the trap that a real task definition can still hold.
 */
import { freePort } from "./health.ts";
import { type ContainerRecord, type TaskRecord, toEnvironment } from "./model.ts";
import { type ContainerProcess, startContainer } from "./processes.ts";
import type { ResolvedSecrets, TaskIdentity } from "./secrets.ts";

interface Surroundings {
  readonly baseEnv: Readonly<Record<string, string>>;
  taskEnv(task: TaskIdentity): Readonly<Record<string, string>>;
  readonly secrets: ResolvedSecrets["env"];
  onLine(line: string): void;
}

export async function assignPorts(task: TaskRecord): Promise<void> {
  for (const { definition, ports } of task.containers) {
    for (const { containerPort = 0, hostPort = 0 } of definition.portMappings ?? [])
      ports.push({ containerPort, hostPort: hostPort > 0 ? hostPort : await freePort() });
  }
}

/**
 * Starts all of them. Those that did start stand in `processes` also when another did not, so that they can be ended.
 * @throws what kept the first of them from starting
 */
export async function startContainers(
  task: TaskRecord,
  processes: Map<ContainerRecord, ContainerProcess>,
  surroundings: Surroundings,
): Promise<void> {
  const started = await Promise.allSettled(
    task.containers.map(async (container) => {
      const { name = "" } = container.definition;
      const process = await startContainer(
        commandOf(task, container),
        environmentOf(task, container, surroundings),
        (line) => surroundings.onLine(`${name}| ${line}`),
      );
      processes.set(container, process);
    }),
  );
  const broken = started.find((one) => one.status === "rejected");
  if (broken) throw broken.reason;
}

function commandOf(task: TaskRecord, container: ContainerRecord): readonly string[] {
  if (task.deployment?.fault === "crash") return ["false"];
  const { entryPoint = [], command = [] } = container.definition;
  return [...entryPoint, ...(overrideOf(task, container)?.command ?? command)];
}

function environmentOf(
  task: TaskRecord,
  container: ContainerRecord,
  { baseEnv, taskEnv, secrets }: Surroundings,
) {
  const port = container.ports[0]?.hostPort;
  return {
    ...baseEnv,
    ...taskEnv(identify(task)),
    ...secrets.get(container.definition.name ?? ""),
    ...toEnvironment(container.definition.environment),
    ...toEnvironment(overrideOf(task, container)?.environment),
    ...(port === undefined ? {} : { PORT: String(port) }),
  };
}

const overrideOf = (task: TaskRecord, { definition }: ContainerRecord) =>
  task.overrides.containerOverrides?.find(({ name }) => name === definition.name);

export const identify = (task: TaskRecord): TaskIdentity => ({
  taskArn: task.arn,
  family: task.definition.family,
  executionRoleArn: task.definition.input.executionRoleArn,
  taskRoleArn: task.overrides.taskRoleArn ?? task.definition.input.taskRoleArn,
});
