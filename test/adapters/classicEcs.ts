/**
 * An ECS such as another author would write it, and older than service deployments: the classic operations alone, times in
 * whole seconds by a clock of its own, tasks that do not say which deployment started them. It knows nothing of the local
 * cloud in `test/standin`, so that nothing in `lib` can come to lean on that one's ways.
 */
import { randomUUID } from "node:crypto";

export interface Manners {
  /** How far its clock is ahead of ours; negative: behind. */
  readonly clockMs: number;
  /** What it answers to an operation that it does not have. */
  readonly unknown: { readonly status: number; readonly body: string };
  /** Whether it tells how a rollout stands, and which deployment came of a request. */
  readonly isTerse: boolean;
}

export interface ClassicTask {
  readonly arn: string;
  readonly service: string;
  readonly deployment: string;
  readonly createdAt: number;
  lastStatus: "PENDING" | "RUNNING" | "DEPROVISIONING" | "STOPPED";
  desired: "RUNNING" | "STOPPED";
  /** What its container was given when it started: secret ARN -> text. */
  held: ReadonlyMap<string, string>;
}

interface Deployment {
  readonly id: string;
  readonly createdAt: number;
  isDone: boolean;
}

interface ClassicService {
  readonly name: string;
  readonly wanted: number;
  readonly secretArns: readonly string[];
  deployments: Deployment[];
}

const PREFIX = "arn:aws:ecs:us-east-1:123456789012:";
const CLUSTER = "old-town";
/** From the decision to stop a task until it is gone. */
const DRAIN_MS = 400;
const PAGE = 1;

type Input = Readonly<Record<string, unknown>>;

export class ClassicEcs {
  readonly tasks: ClassicTask[] = [];
  readonly services = new Map<string, ClassicService>();
  deploymentsMade = 0;
  readonly #manners: Manners;
  readonly #read: (secretArn: string) => string;

  constructor(manners: Manners, read: (secretArn: string) => string) {
    this.#manners = manners;
    this.#read = read;
  }

  add(name: string, wanted: number, secretArns: readonly string[]): void {
    const service = { name, wanted, secretArns, deployments: [] };
    this.services.set(name, service);
    this.#deploy(service);
    for (const task of this.tasks) task.lastStatus = "RUNNING";
    this.#settle(service);
  }

  get live(): readonly ClassicTask[] {
    return this.tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED");
  }

  answer(operation: string, input: Input): object | undefined {
    switch (operation) {
      case "ListClusters":
        return { clusterArns: [`${PREFIX}cluster/${CLUSTER}`] };
      case "ListServices":
        return this.#page([...this.services.keys()].map(serviceArn), "serviceArns", input);
      case "DescribeServices":
        return this.#describeServices(input["services"] as string[]);
      case "ListTasks":
        return this.#page(this.#arnsOfTasks(input["desiredStatus"]), "taskArns", input);
      case "DescribeTasks":
        return { tasks: this.#found(input["tasks"] as string[]), failures: [] };
      case "DescribeTaskDefinition":
        return { taskDefinition: this.#definition(String(input["taskDefinition"])) };
      case "UpdateService":
        return this.#update(nameIn(input["service"]));
      default:
        return undefined;
    }
  }

  /** Its own clock, in whole seconds since 1970. */
  #now(): number {
    return Math.floor((Date.now() + this.#manners.clockMs) / 1000);
  }

  #update(name: string): object {
    const service = this.services.get(name);
    if (!service) throw new Error(`no service ${name}`);
    this.#deploy(service);
    const { deployments: _, ...rest } = this.#description(service);
    return { service: this.#manners.isTerse ? rest : this.#description(service) };
  }

  #deploy(service: ClassicService): void {
    this.deploymentsMade += 1;
    const deployment = { id: randomUUID(), createdAt: this.#now(), isDone: false };
    service.deployments.unshift(deployment);
    for (let number = 0; number < service.wanted; number++) {
      this.tasks.push({
        arn: `${PREFIX}task/${CLUSTER}/${randomUUID()}`,
        service: service.name,
        deployment: deployment.id,
        createdAt: this.#now(),
        lastStatus: "PENDING",
        desired: "RUNNING",
        held: new Map(service.secretArns.map((arn) => [arn, this.#read(arn)])),
      });
    }
    setTimeout(() => this.#settle(service), DRAIN_MS);
  }

  /** The new tasks run, and the old ones go, slowly. */
  #settle(service: ClassicService): void {
    const [newest] = service.deployments;
    const mine = this.tasks.filter((task) => task.service === service.name && task.lastStatus !== "STOPPED");
    for (const task of mine) {
      if (task.deployment === newest?.id) task.lastStatus = "RUNNING";
      else {
        task.desired = "STOPPED";
        task.lastStatus = "DEPROVISIONING";
      }
    }
    setTimeout(() => {
      for (const task of mine) if (task.desired === "STOPPED") task.lastStatus = "STOPPED";
      if (newest) newest.isDone = true;
      service.deployments = newest ? [newest] : [];
    }, DRAIN_MS);
  }

  #arnsOfTasks(desired: unknown): string[] {
    return this.tasks.filter((task) => task.desired === (desired ?? "RUNNING")).map(({ arn }) => arn);
  }

  #found(arns: readonly string[]): object[] {
    return this.tasks
      .filter(({ arn }) => arns.includes(arn))
      .map(({ arn, service, createdAt, lastStatus, desired }) => ({
        taskArn: arn,
        clusterArn: `${PREFIX}cluster/${CLUSTER}`,
        group: `service:${service}`,
        taskDefinitionArn: `${PREFIX}task-definition/${service}:1`,
        createdAt,
        lastStatus,
        desiredStatus: desired,
      }));
  }

  #describeServices(asked: readonly string[]): object {
    const known = asked.map((one) => this.services.get(nameIn(one))).filter((one) => one !== undefined);
    return { services: known.map((service) => this.#description(service)), failures: [] };
  }

  #description(service: ClassicService) {
    const running = (id: string) =>
      this.tasks.filter(({ deployment, lastStatus }) => deployment === id && lastStatus === "RUNNING").length;
    const pending = (id: string) =>
      this.tasks.filter(({ deployment, lastStatus }) => deployment === id && lastStatus === "PENDING").length;
    const ids = service.deployments.map(({ id }) => id);
    const sum = (count: (id: string) => number) => ids.reduce((total, id) => total + count(id), 0);
    return {
      serviceName: service.name,
      serviceArn: serviceArn(service.name),
      clusterArn: `${PREFIX}cluster/${CLUSTER}`,
      status: "ACTIVE",
      desiredCount: service.wanted,
      runningCount: sum(running),
      pendingCount: sum(pending),
      taskDefinition: `${PREFIX}task-definition/${service.name}:1`,
      deployments: service.deployments.map(({ id, createdAt, isDone }, place) => ({
        id,
        status: place === 0 ? "PRIMARY" : "ACTIVE",
        createdAt,
        taskDefinition: `${PREFIX}task-definition/${service.name}:1`,
        desiredCount: place === 0 ? service.wanted : 0,
        runningCount: running(id),
        pendingCount: pending(id),
        ...(this.#manners.isTerse ? {} : { rolloutState: isDone ? "COMPLETED" : "IN_PROGRESS" }),
      })),
    };
  }

  #definition(arn: string): object {
    const name = arn.split("/").at(-1)?.split(":")[0] ?? "";
    const secrets = (this.services.get(name)?.secretArns ?? []).map((valueFrom, number) => ({
      name: `SECRET_${number}`,
      valueFrom,
    }));
    return { taskDefinitionArn: arn, containerDefinitions: [{ name: "app", image: "app", secrets }] };
  }

  /** Pages of one, and an empty token where others leave it out. */
  #page(items: readonly string[], key: string, input: Input): object {
    const start = Number(input["nextToken"] ?? 0);
    const next = start + PAGE < items.length ? String(start + PAGE) : "";
    return { [key]: items.slice(start, start + PAGE), nextToken: next };
  }
}

/** The older form, without the cluster. */
const serviceArn = (name: string) => `${PREFIX}service/${name}`;
const nameIn = (id: unknown) => String(id).split("/").at(-1) ?? "";
