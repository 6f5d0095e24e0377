/** What may happen in a run, as data that fast-check makes and shrinks: a layout, and disturbances with calls in between. */
import fc from "fast-check";
import type { ErrorCode } from "../../lib/errors.ts";
import type { Laws } from "./laws.ts";
import { move, put } from "./person.ts";
import { type Layout, REQUEST, type World } from "./world.ts";

const pair = (secret: string, more: object = {}) => ({ secret, kind: "pair", ...more }) as const;
const keys = (secret: string, more: object = {}) =>
  ({ secret, kind: "keys", graceSeconds: 30, isPublished: true, ...more }) as const;

export const LAYOUTS: readonly Layout[] = [
  { credentials: [pair("database")], services: { web: ["database"] } },
  {
    credentials: [pair("database"), pair("cache", { graceSeconds: 20 })],
    services: { web: ["database", "cache"], api: ["cache"] },
  },
  {
    credentials: [
      pair("bundle", { field: "CACHE_PASSWORD", graceSeconds: 15 }),
      pair("bundle", { field: "DATABASE_PASSWORD" }),
    ],
    services: { web: ["bundle"], api: ["bundle"] },
  },
  {
    credentials: [
      pair("bundle", { field: "DATABASE_PASSWORD" }),
      keys("bundle", { field: "JWT_KEY" }),
      pair("cache"),
    ],
    services: { web: ["bundle", "cache"], api: ["cache"] },
  },
  { credentials: [keys("tokens"), pair("database")], services: { web: ["tokens", "database"] } },
  {
    credentials: [keys("tokens", { isPublished: false }), keys("sessions", { graceSeconds: 90 })],
    services: { web: ["tokens", "sessions"] },
  },
];

/** How often each comes up, beside the others. */
const DISTURBANCES = {
  nothing: 2,
  call: 2,
  tick: 2,
  crash: 4,
  freeze: 2,
  replaceTask: 3,
  scaleOut: 2,
  otherPipeline: 2,
  labelBack: 1,
  labelForth: 1,
  labelElsewhere: 1,
  pendingOff: 1,
  putSame: 1,
  putWrong: 1,
  restart: 3,
  badDeployment: 3,
  trouble: 3,
  time: 3,
  guest: 1,
  emergency: 3,
} as const;
export type Kind = keyof typeof DISTURBANCES;

/** After `calls` calls in an order drawn from `order` (0: first come, first served), this happens. */
export interface Step {
  readonly calls: number;
  readonly order: number;
  readonly happens: Kind;
  readonly which: number;
  readonly how: number;
}

export interface Script {
  readonly layout: number;
  /** Delays of tasks, and how stale readings are; 0: none. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

export const scripts: fc.Arbitrary<Script> = fc.record({
  layout: fc.nat(LAYOUTS.length - 1),
  seed: fc.nat(0xffff),
  steps: fc.array(
    fc.record({
      calls: fc.nat(50),
      order: fc.nat(0xffff),
      happens: fc.constantFrom(
        ...(Object.keys(DISTURBANCES) as Kind[]).flatMap((kind) =>
          Array<Kind>(DISTURBANCES[kind]).fill(kind),
        ),
      ),
      which: fc.nat(12),
      how: fc.nat(5),
    }),
    { maxLength: 8 },
  ),
});

const TROUBLES: readonly (readonly [calls: string, code: ErrorCode])[] = [
  ["store.", "AWS_THROTTLED"],
  ["store.moveCurrent", "AWS_FAILED"],
  ["store.stage", "AWS_FAILED"],
  ["fleet.deploy", "AWS_DENIED"],
  ["fleet.deploy", "AWS_FAILED"],
  ["fleet.deploy", "AWS_UNANSWERED"],
  ["fleet.", "AWS_THROTTLED"],
  ["log.", "AWS_FAILED"],
  ["log.saveRotation", "AWS_THROTTLED"],
  ["target.", "TARGET_UNREACHABLE"],
  ["target.save", "TARGET_UNREACHABLE"],
  ["target.accept", "TARGET_UNREACHABLE"],
  ["", "AWS_FAILED"],
];

const at = <T>(items: readonly T[], which: number): T | undefined => items[which % Math.max(items.length, 1)];

export function happen(world: World, laws: Laws, { happens, which, how }: Step): void {
  const { schedule, fleet, records } = world;
  const worker = at(
    world.workers.filter(({ alive }) => alive),
    which,
  );
  const secret = at([...world.secrets.all.values()], which);
  const service = at(fleet.services, which);
  schedule.trace?.(`-- ${happens} ${which} ${how}`);
  switch (happens) {
    case "nothing":
      return;
    case "call":
      world.start("rotateAll", 60_000 + how * 60_000);
      return;
    case "emergency":
      if (!secret) return;
      world.start("rotateAll", 120_000 + how * 60_000, {
        ...REQUEST,
        emergency: true,
        only: [secret.name],
        reason: "it leaked",
      });
      return;
    case "tick":
      world.start("advance", 30_000 + how * 30_000);
      return;
    case "crash":
      if (worker) schedule.kill(worker, how);
      return;
    case "freeze":
      // Longer than its lease, too, and in the middle of anything.
      if (worker) schedule.freeze(worker, 10_000 + how * 60_000);
      return;
    case "replaceTask": {
      const task = at(
        fleet.tasks.filter(({ stopping }) => !stopping),
        which,
      );
      const owner = fleet.services.find(({ name }) => name === task?.service);
      if (!task || !owner) return;
      fleet.stop(task);
      fleet.start(owner);
      return;
    }
    case "scaleOut":
      if (!service || service.desired > 4) return;
      service.desired++;
      fleet.start(service);
      return;
    case "otherPipeline":
      if (!service) return;
      laws.foreign(service.name);
      fleet.deploy(service);
      return;
    case "badDeployment":
      service?.fates.push(how % 2 === 0 ? "crash" : "hang");
      return;
    case "labelBack":
      move(world, laws, secret, secret?.holder("AWSPREVIOUS"));
      return;
    case "labelForth":
      move(world, laws, secret, secret?.holder("AWSPENDING"));
      return;
    case "labelElsewhere":
      move(world, laws, secret, at([...(secret?.versions.keys() ?? [])], how));
      return;
    case "pendingOff":
      if (secret) secret.move("AWSPENDING", undefined, schedule.now);
      return;
    case "putSame":
    case "putWrong":
      put(world, laws, secret, happens === "putWrong");
      return;
    case "restart":
      at([...world.targets.values()], which)?.restart();
      for (const { arn } of world.secrets.all.values()) laws.disturbed(arn);
      laws.changed();
      return;
    case "trouble": {
      const [calls, code] = at(TROUBLES, which) ?? ["", "AWS_FAILED"];
      if ("target.".startsWith(calls) || calls.startsWith("target.")) laws.unreachable();
      // A deployment is asked for once, so that throttled means refused; other calls are sent again after one that was not heard.
      const isRefused = calls === "fleet." && code === "AWS_THROTTLED";
      world.troubles.push({
        calls,
        code,
        unheard: how % 2 === 1 && !isRefused,
        left: 1 + Math.floor(how / 2),
      });
      return;
    }
    case "time":
      schedule.pass(1_000 * 4 ** how);
      return;
    case "guest": {
      const target = at([...world.targets.values()], which);
      if (target) target.guest = target.guest === undefined ? target.accepted[0] : undefined;
      for (const rotation of records.openRotations()) laws.disturbed(rotation.secretArn);
    }
  }
}
