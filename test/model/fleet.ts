/**
 * ECS, as much of it as matters: tasks that read their secrets some time after they were created and hold them until they
 * are gone, rolling deployments, the circuit breaker, and rollbacks that roll back no secret.
 */
import type {
  DeploymentFacts,
  DeploymentStatus,
  FleetFacts,
  ServiceFacts,
  TaskDefinitionFacts,
  TaskFacts,
} from "../../lib/rotation/fleet.ts";
import type { Schedule } from "./schedule.ts";

const CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/shop";
const ROUND_MS = 3_000;

/** How a deployment goes: its tasks crash, or never turn healthy. */
export type Fate = "good" | "crash" | "hang";

interface Deployment {
  readonly id: string;
  readonly createdAt: number;
  readonly fate: Fate;
  status: DeploymentStatus;
  rounds: number;
}

export interface Task {
  readonly id: string;
  readonly service: string;
  readonly createdAt: number;
  startedAt: number | undefined;
  readonly startedBy: string;
  /** Secret ARN -> version, from when it has read them. */
  held: ReadonlyMap<string, string> | undefined;
  stopping: boolean;
}

export interface Service {
  readonly name: string;
  readonly secrets: readonly string[];
  readonly deployments: Deployment[];
  desired: number;
  /** What tasks are started as now; after a rollback, ECS's own way back. */
  primary: string;
  /** The fate of the deployments to come; then they are good. */
  readonly fates: Fate[];
}

export class Fleet {
  readonly services: Service[];
  tasks: Task[] = [];
  readonly #schedule: Schedule;
  readonly #below: (count: number) => number;
  readonly #read: (service: Service) => ReadonlyMap<string, string>;
  readonly #definitions = new Map<string, TaskDefinitionFacts>();
  #ids = 0;
  onChange: () => void = () => {};

  constructor(
    schedule: Schedule,
    services: readonly { name: string; secrets: readonly string[] }[],
    below: (count: number) => number,
    read: (service: Service) => ReadonlyMap<string, string>,
  ) {
    this.#schedule = schedule;
    this.#below = below;
    this.#read = read;
    this.services = services.map(({ name, secrets }): Service => {
      const createdAt = schedule.now - 1_000_000;
      const first: Deployment = {
        id: `ecs-svc/${name}-0`,
        createdAt,
        fate: "good",
        status: "succeeded",
        rounds: 0,
      };
      const service = { name, secrets, deployments: [first], desired: 2, primary: first.id, fates: [] };
      const arn = definitionOf(name);
      const references = secrets.map((value, place) => ({
        container: "app",
        variable: `SECRET_${place}`,
        value,
        via: "valueFrom" as const,
      }));
      this.#definitions.set(arn, { arn, references });
      for (let count = 0; count < service.desired; count++) {
        const task = this.#newTask(service, first.id, createdAt);
        task.startedAt = createdAt + 5_000;
        task.held = read(service);
      }
      return service;
    });
  }

  /** Creates a task; it reads its secrets later, when its image is there. */
  start(service: Service, startedBy = service.primary): void {
    const task = this.#newTask(service, startedBy, this.#schedule.now);
    this.#schedule.after(500 + 500 * this.#below(20), () => {
      if (!this.tasks.includes(task)) return;
      task.held = this.#read(service);
      task.startedAt = this.#schedule.now;
      this.onChange();
    });
  }

  stop(task: Task): void {
    if (task.stopping) return;
    task.stopping = true;
    this.#schedule.after(500 + 500 * this.#below(10), () => {
      this.tasks = this.tasks.filter((one) => one !== task);
      this.onChange();
    });
  }

  deploy(service: Service): string {
    for (const one of service.deployments) if (one.status === "running") one.status = "superseded";
    const id = `ecs-svc/${service.name}-${++this.#ids}`;
    const createdAt = this.#schedule.now;
    const fate = service.fates.shift() ?? "good";
    service.deployments.unshift({ id, createdAt, fate, status: "running", rounds: 0 });
    service.primary = id;
    this.#roll(service, id);
    return id;
  }

  /** A rolled-back service runs what it ran before, as tasks that start now and read what is current now. */
  rollBack(service: Service): void {
    const running = service.deployments.find(({ status }) => status === "running");
    if (!running) return;
    running.status = "failed";
    service.primary = `${running.id}-back`;
    this.#roll(service, service.primary);
  }

  #roll(service: Service, id: string): void {
    this.#schedule.after(ROUND_MS, () => {
      if (service.primary !== id) return;
      const deployment = service.deployments.find((one) => one.id === id);
      if (deployment && deployment.status !== "running") return;
      if (deployment && this.#fails(service, deployment)) return;
      const own = this.tasks.filter((task) => task.startedBy === id && !task.stopping);
      const others = this.tasks.filter((task) => task.service === service.name && !own.includes(task));
      // A way back keeps what still runs of the good revision; only the failed deployment's tasks are replaced.
      const failed = id.endsWith("-back") ? id.slice(0, -"-back".length) : undefined;
      const old = failed === undefined ? others : others.filter((task) => task.startedBy === failed);
      const kept = failed === undefined ? [] : others.filter((task) => !old.includes(task) && !task.stopping);
      const ready = own.filter((task) => task.held !== undefined).length + kept.length;
      if (own.length + kept.length < service.desired) this.start(service, id);
      const leaving = old.find((task) => !task.stopping);
      if (leaving && ready > 0 && ready + old.length > service.desired) this.stop(leaving);
      if (old.length === 0 && ready >= service.desired) {
        if (deployment) deployment.status = "succeeded";
        return;
      }
      this.#roll(service, id);
    });
  }

  /** @returns whether it has failed now, by its circuit breaker */
  #fails(service: Service, deployment: Deployment): boolean {
    if (deployment.fate === "good") return false;
    deployment.rounds++;
    const own = this.tasks.filter((task) => task.startedBy === deployment.id && !task.stopping);
    if (deployment.fate === "crash") {
      for (const task of own.filter(({ held }) => held !== undefined)) this.stop(task);
      if (deployment.rounds >= 4) this.rollBack(service);
    }
    if (own.length === 0 && deployment.rounds < 4) this.start(service, deployment.id);
    if (deployment.status === "running") this.#roll(service, deployment.id);
    return true;
  }

  #newTask(service: Service, startedBy: string, createdAt: number): Task {
    const id = `arn:aws:ecs:us-east-1:123456789012:task/shop/${++this.#ids}`;
    const task: Task = {
      id,
      service: service.name,
      createdAt,
      startedAt: undefined,
      startedBy,
      held: undefined,
      stopping: false,
    };
    this.tasks.push(task);
    return task;
  }

  facts(names?: readonly string[]): FleetFacts {
    const services = this.services.filter(({ name }) => names === undefined || names.includes(name));
    return {
      services: services.map((service) => this.#serviceFacts(service)),
      tasks: this.tasks.map(taskFacts),
      taskDefinitions: this.#definitions,
    };
  }

  #serviceFacts({ name, desired, deployments }: Service): ServiceFacts {
    const own = this.tasks.filter((task) => task.service === name && !task.stopping);
    const runningCount = own.filter(({ held }) => held !== undefined).length;
    return {
      name,
      cluster: CLUSTER,
      serviceArn: `arn:aws:ecs:us-east-1:123456789012:service/${name}`,
      active: true,
      controller: "ECS",
      desiredCount: desired,
      runningCount,
      pendingCount: own.length - runningCount,
      taskDefinitions: [definitionOf(name)],
      deployments: deployments.slice(0, 10).map(
        (one): DeploymentFacts => ({
          deploymentId: one.id,
          serviceDeploymentArn: one.id,
          createdAt: new Date(one.createdAt),
          status: one.status,
        }),
      ),
    };
  }
}

function taskFacts(task: Task): TaskFacts {
  return {
    taskArn: task.id,
    cluster: CLUSTER,
    service: task.service,
    taskDefinition: definitionOf(task.service),
    createdAt: new Date(task.createdAt),
    ...(task.startedAt === undefined ? {} : { startedAt: new Date(task.startedAt) }),
    startedBy: task.startedBy,
    overrides: [],
  };
}

const definitionOf = (service: string) =>
  `arn:aws:ecs:us-east-1:123456789012:task-definition/${service.replace("/", "-")}:1`;
