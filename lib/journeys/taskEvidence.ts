/** A stopped task's evidence, and what changed in its definition, as steps of a runbook. */
import { RekeyError } from "../errors.ts";
import { definitionDiff } from "../incident/definitionDiff.ts";
import type { Task } from "../incident/effect.ts";
import type { Pack } from "../incident/evidence.ts";
import type { Findings } from "../incident/incidentStore.ts";
import { isRefusal, readStopEvent } from "../incident/stopEvent.ts";
import { stopVerdict } from "../incident/stopVerdict.ts";
import type { ConsumerFleet } from "../rotation/fleet.ts";
import { gatherStop } from "./gatherStop.ts";
import { gatherPack } from "./stopEvidence.ts";
import type { StopPorts } from "./stopPorts.ts";

/** Of a task that is not there any more; ECS forgets it after about an hour. */
export interface StoppedTasks {
  /** @returns what ECS would have said of it in an event, or undefined */
  stopped(cluster: string, task: string): Promise<unknown>;
}

type Found = Promise<Pick<Findings, "lines" | "gave">>;

export async function taskEvidence(ports: StopPorts, tasks: StoppedTasks, { order }: Task): Found {
  const [cluster, task] = [String(order.inputs.cluster), String(order.inputs.task)];
  const event = readStopEvent(await tasks.stopped(cluster, task));
  if (isRefusal(event) || event.kind !== "task")
    throw new RekeyError("PAYLOAD_INVALID", `task: ECS knows no stopped task ${task} any more`);
  const [pack, facts] = await Promise.all([gatherPack(ports, event), gatherStop(ports, event)]);
  const verdict = stopVerdict(event, facts);
  const stop = verdict.kind === "alert" ? verdict.cause : undefined;
  return {
    lines: [`${event.name}: ${verdict.kind === "alert" ? verdict.says : verdict.kind}`, ...linesOf(pack)],
    gave: {
      ...(stop === undefined ? {} : { stop }),
      ...(event.service === undefined ? {} : { service: event.service }),
    },
  };
}

const linesOf = (pack: Pack): string[] =>
  pack.flatMap(({ question, lines, missing }) =>
    missing === undefined
      ? lines.map((line) => `${question}: ${line}`)
      : [`${question}: not available: ${missing}`],
  );

export async function definitionChanges({ watch }: StopPorts, fleet: ConsumerFleet, { order }: Task): Found {
  const [cluster, service] = [order.inputs.cluster, order.inputs.service].map((one) =>
    String(one).split("/").at(-1),
  );
  const { services } = await fleet.survey();
  const found = services.find(({ name }) => name === `${cluster}/${service}`);
  const now = found?.taskDefinitions[0];
  if (found === undefined || now === undefined)
    throw new RekeyError("PAYLOAD_INVALID", `service: there is no ${service} in the cluster ${cluster}`);
  const good = await watch.lastGood(found.cluster, String(service), now);
  if (good === undefined)
    return { lines: ["there is no other revision that is known to have run well"], gave: { changed: false } };
  const [before, after] = await Promise.all([watch.definition(good), watch.definition(now)]);
  const lines = definitionDiff(before, after);
  const compared = `${now.split("/").at(-1)} against ${good.split("/").at(-1)}, which ran well`;
  return {
    lines: [`${compared}: ${lines.length === 0 ? "no difference" : `${lines.length} differences`}`, ...lines],
    gave: { changed: lines.length > 0 },
  };
}
