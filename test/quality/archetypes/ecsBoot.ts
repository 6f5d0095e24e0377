/** Tasks start: releases, more of them by day, crash loops, and everything anew after a rotation. Each reads all it needs. */
import { executionOf, taskOf } from "../callers.ts";
import { MINUTE_MS, momentsIn, SECOND_MS, type Span, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Service, Tenant } from "../tenant.ts";

export function ecsBoot(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  for (const service of tenant.services)
    for (const atMs of startsOf(tenant, service, random.branch(service.name)))
      start(tenant, service, atMs, log, random);
  return log.records;
}

/** ECS reads for the task, or the program does, or, with a cache, nobody at the start. */
function start(tenant: Tenant, service: Service, atMs: number, log: Scribe, random: Random): void {
  if (service.reads === "caching") return;
  const { added } = service;
  const secrets = added && added.atMs <= atMs ? [...service.secrets, added.secret] : service.secrets;
  const isByEcs = service.reads === "valueFrom";
  const caller = (isByEcs ? executionOf : taskOf)(tenant, service, atMs, random);
  for (const [index, secret] of secrets.entries())
    log.read(caller, atMs + index * 40, secret, { isByName: !isByEcs });
}

function startsOf(tenant: Tenant, service: Service, random: Random): number[] {
  const { busy, rotations } = tenant;
  const releases = workMomentsIn(busy, service.tier === "production" ? 0.4 : 1, random);
  const consumed = rotations.filter(({ secret }) => service.secrets.includes(secret));
  const forced = [...new Set(consumed.map(({ promotedMs }) => promotedMs + MINUTE_MS))].filter((atMs) =>
    isIn(busy, atMs),
  );
  const added = service.added ? [service.added.atMs] : [];
  const deployments = [...releases, ...forced, ...added].flatMap((atMs) =>
    Array.from({ length: service.tasks }, (_, task) => atMs + (task + 1) * random.int(20, 90) * SECOND_MS),
  );
  const more = momentsIn(busy, service.tier === "production" ? 3 : 0.5, random);
  const crashes = random.chance(0.15) ? crashLoop(tenant, random) : [];
  return [...deployments, ...more, ...crashes];
}

/** A task that dies at once and is started again, a little later each time. */
function crashLoop({ watched }: Tenant, random: Random): number[] {
  let atMs = watched.fromMs + random.next() * (watched.toMs - watched.fromMs) * 0.9;
  return Array.from({ length: random.int(10, 60) }, (_, turn) => {
    atMs += Math.min(15 * MINUTE_MS, (turn + 1) * 20 * SECOND_MS);
    return atMs;
  });
}

const isIn = ({ fromMs, toMs }: Span, atMs: number) => atMs >= fromMs && atMs < toMs;
