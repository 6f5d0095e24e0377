/** Gathers the evidence pack of one stopped task: all questions at once, each with its own time, and with its own failure. */
import { hostsOf } from "../incident/dependencies.ts";
import {
  type Answer,
  answered,
  configurationAnswer,
  exitAnswer,
  healthAnswer,
  LOG_LINES,
  logsAnswer,
  type Pack,
  type Question,
  resourcesAnswer,
  unanswered,
} from "../incident/evidence.ts";
import { culpritOf } from "../incident/exitVerdict.ts";
import { scrub } from "../incident/scrub.ts";
import type { StopEvent, TaskStop } from "../incident/stopEvent.ts";
import type { ContainerShape, DefinitionFacts } from "../incident/taskFacts.ts";
import { inTime } from "./inTime.ts";
import type { StopPorts } from "./stopPorts.ts";

const ANSWER_MS = 25_000;
const HOUR_MS = 3_600_000;
/** A container's last lines come to CloudWatch some seconds after its end. */
const LOG_TRIES = 5;
const LOG_PAUSE_MS = 3_000;

export async function gatherPack(ports: StopPorts, event: StopEvent): Promise<Pack> {
  if (event.kind === "service") {
    const { eventName, reason } = event;
    return [answered("exit", [reason === "" ? eventName : `${eventName}: ${reason}`])];
  }
  const definition = ports.watch.definition(event.taskDefinition);
  // Each question that needs it meets its failure by itself.
  definition.catch(() => undefined);
  const ask = async (question: Question, answer: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await inTime(ports, ANSWER_MS, answer());
    } catch (error) {
      ports.tell({ event: "stop.evidence.missing", stop: event.name, question, error });
      return unanswered(question, error instanceof Error ? error.message : "the question failed");
    }
  };
  return Promise.all([
    ask("logs", async () => logs(ports, event, await definition)),
    ask("exit", async () => exitAnswer(event)),
    ask("health", () => health(ports, event)),
    ask("resources", async () => resources(ports, event, await definition)),
    ask("dependencies", async () => dependencies(ports, culpritIn(event, await definition))),
    ask("configuration", async () => configuration(ports, event, await definition)),
  ]);
}

function culpritIn(event: TaskStop, { containers }: DefinitionFacts): ContainerShape | undefined {
  const name = culpritOf(event.containers)?.name;
  return containers.find((one) => one.name === name) ?? containers.find(({ isEssential }) => isEssential);
}

async function logs(ports: StopPorts, event: TaskStop, definition: DefinitionFacts): Promise<Answer> {
  const container = culpritIn(event, definition);
  if (container?.logs === undefined) {
    const who = container === undefined ? "the container" : `container ${container.name}`;
    return unanswered("logs", `${who} does not log through the awslogs driver with a stream prefix`);
  }
  const { group, prefix, region } = container.logs;
  const stream = `${prefix}/${container.name}/${event.id.split("/").at(-1)}`;
  const names = definition.containers.flatMap(({ secrets }) => [...secrets.keys()]);
  let lines: readonly string[] = [];
  for (let tries = 0; tries < LOG_TRIES && lines.length === 0; tries += 1) {
    if (tries > 0) await ports.sleep(LOG_PAUSE_MS);
    lines = await ports.logs.tail({ group, stream, ...(region ? { region } : {}) }, LOG_LINES);
  }
  return logsAnswer(lines, names);
}

async function health(ports: StopPorts, event: TaskStop): Promise<Answer> {
  const [task, service] = await Promise.all([
    ports.watch.health(event.cluster, event.id),
    event.service === undefined ? undefined : ports.watch.service(event.cluster, event.service),
  ]);
  const groups = await Promise.all(
    (service?.targetGroups ?? []).map(async (group) => {
      const bad = await ports.usage.unhealthyTargets(group, ...lastHour(event));
      const name = group.split("/").at(-2) ?? group;
      return bad === undefined
        ? `target group ${name}: not measured`
        : `target group ${name}: at most ${bad} unhealthy targets in the last hour`;
    }),
  );
  return healthAnswer(task, service, groups);
}

async function resources(ports: StopPorts, event: TaskStop, definition: DefinitionFacts): Promise<Answer> {
  const name = culpritOf(event.containers)?.name;
  if (event.service === undefined) return resourcesAnswer({ cpu: [], memory: [] }, definition, name);
  const usage = await ports.usage.ofService(event.cluster, event.service, ...lastHour(event));
  return resourcesAnswer(usage, definition, name);
}

async function dependencies(ports: StopPorts, container: ContainerShape | undefined): Promise<Answer> {
  if (container === undefined)
    return unanswered("dependencies", "the container is not in the task definition");
  const hosts = await Promise.all(
    hostsOf(container).map(async ({ variable, host, port }) => {
      const how = await ports.reach.reach(host, port);
      return scrub(`${variable}: ${host}:${port} ${how}`);
    }),
  );
  const lines = [
    ...container.dependsOn.map((one) => `container ${one.container} must be ${one.condition.toLowerCase()}`),
    ...hosts,
    ...[...container.secrets].map(([variable, from]) => `${variable}: from ${from}`),
  ];
  return answered("dependencies", lines.length > 0 ? lines : ["its task definition names none"]);
}

async function configuration(
  ports: StopPorts,
  event: TaskStop,
  definition: DefinitionFacts,
): Promise<Answer> {
  const good =
    event.service === undefined
      ? undefined
      : await ports.watch.lastGood(event.cluster, event.service, event.taskDefinition);
  return configurationAnswer(good === undefined ? undefined : await ports.watch.definition(good), definition);
}

const lastHour = ({ atMs }: StopEvent) => [new Date(atMs - HOUR_MS), new Date(atMs + 60_000)] as const;
