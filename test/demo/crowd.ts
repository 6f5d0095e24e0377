/** The clients' process, seen from the demo: fed with the load balancer's targets, and its reports added up. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Cloud } from "../standin/cloud.ts";
import { requestsIn, type TrafficFailure, type TrafficReport } from "./traffic.ts";
import { SERVICES } from "./world.ts";

export interface Crowd {
  readonly reports: readonly TrafficReport[];
  readonly failures: readonly TrafficFailure[];
  requests(): number;
  /** The keys that everything ran on at first; undefined until the first answers are in. */
  firstGeneration(): string | undefined;
  /** The keys that the task at this port answers with; undefined until it has answered. */
  generationAt(port: number): string | undefined;
  /** Lets what is in flight end, and adds it. */
  stop(): Promise<void>;
  /** At once; what is in flight is not counted. */
  kill(): void;
}

const STOP_TIMEOUT_MS = 10_000;

/** @param perSecond requests; fewer where a busy machine must still answer every one in time */
export function startCrowd(cloud: Cloud, perSecond = 450): Crowd {
  const child = fork(fileURLToPath(new URL("./traffic.ts", import.meta.url)), [String(perSecond)], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit");
  const reports: TrafficReport[] = [];
  const failures: TrafficFailure[] = [];
  const generations = new Map<number, string>();
  let requests = 0;
  let first: string | undefined;
  const tell = () => {
    const targets = Object.fromEntries(SERVICES.map((name) => [name, cloud.ecs.targets(name)]));
    // The child may be ending: then nobody needs targets any more.
    if (child.connected) child.send({ targets }, () => undefined);
  };
  tell();
  cloud.ecs.emitter.on("targets", tell);
  child.on("message", (report: TrafficReport) => {
    reports.push(report);
    failures.push(...report.failures);
    requests += requestsIn(report);
    first ??= Object.keys(report.byGeneration)[0];
    for (const [port, generation] of Object.entries(report.generationAt))
      generations.set(Number(port), generation);
  });
  return {
    reports,
    failures,
    requests: () => requests,
    firstGeneration: () => first,
    generationAt: (port) => generations.get(port),
    async stop() {
      cloud.ecs.emitter.off("targets", tell);
      if (child.connected) child.send({ stop: true }, () => undefined);
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(late);
    },
    kill() {
      cloud.ecs.emitter.off("targets", tell);
      child.kill("SIGKILL");
    },
  };
}
