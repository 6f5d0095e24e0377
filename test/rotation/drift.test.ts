import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { commandLine } from "../../lib/finding.ts";
import { findConsumers } from "../../lib/rotation/consumers.ts";
import { DRIFT, judgeDrift, type SecretDrift } from "../../lib/rotation/drift.ts";
import type { FleetFacts, TaskFacts } from "../../lib/rotation/fleet.ts";
import { currentSince } from "../../lib/rotation/secretStore.ts";
import { ARN, at, deployment, fleetWith, iso, service, task, valueFrom } from "./facts.ts";

const NAME = "shop/database";
const NODE = "db:5432";
const accepted = { where: NODE, verdict: "accepted" } as const;
const refused = { where: NODE, verdict: "refused" } as const;
const silent = { where: NODE, verdict: "silent", because: "ECONNREFUSED" } as const;

const onFleet = (fleet: FleetFacts, declaredConsumers: readonly string[] = []): Partial<SecretDrift> => ({
  fleet,
  consumers: findConsumers([{ arn: ARN, name: NAME, declaredConsumers }], fleet).get(ARN) ?? {
    services: [],
    tasks: [],
    missing: [],
  },
});

/** A quiet day: current since -2000 s, tasks from -900 s, the old value revoked and dead. */
const quiet = (changes: Partial<SecretDrift> = {}): SecretDrift => ({
  name: NAME,
  current: { versionId: "new", since: at(-2000) },
  previousVersionId: "old",
  credentials: [{ label: NAME, current: [accepted], revoked: [refused], revokedAt: at(-1000).toISOString() }],
  rotatingFields: [],
  unasked: [],
  ...onFleet(fleetWith([valueFrom(ARN)])),
  consumers: onFleet(fleetWith([valueFrom(ARN)])).consumers ?? { services: [], tasks: [], missing: [] },
  ...changes,
});
const credential = (current: readonly object[], revoked: readonly object[]): Partial<SecretDrift> => ({
  credentials: [{ label: NAME, current, revoked } as SecretDrift["credentials"][number]],
});
const judge = (changes: Partial<SecretDrift> = {}) =>
  judgeDrift(quiet(changes), { now: at(0), rolloutSeconds: 600 });
const open = (sinceSeconds: number) => ({ runId: "run", since: at(sinceSeconds), allowedSeconds: 86_400 });
const DAY = 86_400;
const since = (seconds: number) => ({ current: { versionId: "new", since: at(seconds) } });
const newest = (changes: object) => {
  const facts = fleetWith([valueFrom(ARN)], {
    services: [service("gateway", { deployments: [deployment(changes)] })],
  });
  return { ...since(-100), ...onFleet(facts) };
};
const lone = fleetWith([valueFrom(ARN)], { services: [] });
const loneTask = { ...lone, tasks: lone.tasks.map(({ service: _, ...rest }) => rest) };
const msFrom = (seconds: number, ms: number) => new Date(at(seconds).getTime() + ms);
const taskNamed = (id: string, changes: Partial<TaskFacts> = {}) =>
  task({ taskArn: `arn:aws:ecs:us-east-1:123456789012:task/shop/${id}`, ...changes });
const aloneNamed = (id: string, changes: Partial<TaskFacts> = {}): TaskFacts => {
  const { service: _, ...rest } = taskNamed(id, changes);
  return rest;
};
/** A second service on the same task definition. */
const worker = service("worker", { taskDefinitions: service().taskDefinitions });
const revokedAt = at(-1000).toISOString();
const withRevokedAt = (current: readonly object[], revoked: readonly object[]): Partial<SecretDrift> => ({
  credentials: [{ label: NAME, current, revoked, revokedAt } as SecretDrift["credentials"][number]],
});
/** What is known of a secret that could not be read, or must not be: no current value, nobody who answers. */
const nothing: Partial<SecretDrift> = {
  current: undefined as never,
  fleet: undefined as never,
  credentials: [],
};
const cannotBeAsked = { label: NAME, unasked: "its admin secret cannot be read", current: [], revoked: [] };
const noCredential = { label: NAME, malformed: "field password is missing", current: [], revoked: [] };
const pinned = valueFrom(`${ARN}:password:AWSPREVIOUS:`);
const plain = {
  container: "app",
  variable: "DATABASE_PASSWORD",
  value: "plain-value",
  via: "environment",
} as const;

const ROTATE = `npx sls invoke -f rotateAll -d '{"only":["shop/database"],"reason":"drift"}'`;
const VERIFY = `npx sls invoke -f verify -d '{"only":["shop/database"]}'`;
const REDEPLOY = "aws ecs update-service --cluster shop --service gateway --force-new-deployment";
const STAGE = "aws secretsmanager update-secret-version-stage --secret-id shop/database --version-stage";

describe("what does not hold", () => {
  const rows: [string, Partial<SecretDrift>, [id: string, mend: string][]][] = [
    ["on a quiet day nothing is found", {}, []],
    [
      "a secret that is to be deleted is restored",
      { deletedAt: at(9), credentials: [] },
      [["secret-deleted", "aws secretsmanager restore-secret --secret-id shop/database"]],
    ],
    [
      "a secret without AWSCURRENT gets it back on the previous version",
      { current: undefined as never, credentials: [] },
      [["current-missing", `${STAGE} AWSCURRENT --move-to-version-id old`]],
    ],
    [
      "without a previous version a value has to be put",
      { current: undefined as never, previousVersionId: undefined as never, credentials: [] },
      [
        [
          "current-missing",
          "aws secretsmanager put-secret-value --secret-id shop/database --secret-string file://value.json",
        ],
      ],
    ],
    [
      "a value that is no credential goes back to the previous one",
      { credentials: [{ label: NAME, malformed: "field password is missing", current: [], revoked: [] }] },
      [["current-malformed", `${STAGE} AWSCURRENT --move-to-version-id old --remove-from-version-id new`]],
    ],
    [
      "a node that refuses the value in use is named",
      credential([refused], []),
      [["current-refused", ROTATE]],
    ],
    [
      "where a rotation would be refused the line is the strategy's own",
      credential([{ ...refused, byHand: "redis-cli ..." }], []),
      [["current-refused", "redis-cli ..."]],
    ],
    [
      "a node that came back with the revoked value is one finding and not two",
      credential([refused], [accepted]),
      [["node-reverted", ROTATE]],
    ],
    [
      "a revoked value that works again is found",
      credential([accepted], [accepted]),
      [["revoked-accepted", ROTATE]],
    ],
    [
      "each node is judged by itself",
      credential([accepted, { ...refused, where: "b:1" }], [{ ...accepted, where: "c:1" }, refused]),
      [
        ["current-refused", ROTATE],
        ["revoked-accepted", ROTATE],
      ],
    ],
    [
      "a node that does not answer has not refused, and is asked for once",
      credential([silent], [silent]),
      [["could-not-ask", VERIFY]],
    ],
    [
      "a credential that could not be asked at all is no refusal",
      {
        credentials: [{ label: NAME, unasked: "its admin secret cannot be read", current: [], revoked: [] }],
      },
      [["could-not-ask", VERIFY]],
    ],
    ["whatever else could not be asked is said", { unasked: ["ECS is down"] }, [["could-not-ask", VERIFY]]],
    [
      "AWSPENDING on another version without a rotation is left over",
      { pendingVersionId: "stray" },
      [["pending-left", `${STAGE} AWSPENDING --remove-from-version-id stray`]],
    ],
    ["AWSPENDING on the current version does no harm", { pendingVersionId: "new" }, []],
    ["AWSPENDING of an open rotation is meant", { pendingVersionId: "next", open: open(-60) }, []],
    [
      "an open rotation keeps both values alive, and old tasks too",
      { ...credential([accepted], [accepted]), ...since(-100), open: open(-60) },
      [],
    ],
    [
      "while a rotation is open the value in use must work all the same",
      { ...credential([refused], []), open: open(-60) },
      [["current-refused", ROTATE]],
    ],
    ["a rotation that is open for a day is not stuck yet", { open: open(-DAY) }, []],
    [
      "a rotation that is open a millisecond longer is stuck",
      { open: { ...open(0), since: msFrom(-DAY, -1) } },
      [["rotation-stuck", "npx sls invoke -f advance -d '{}'"]],
    ],
    [
      "without AWSCURRENT a version that AWSPENDING was left on is found all the same",
      { ...nothing, pendingVersionId: "stray" },
      [
        ["current-missing", `${STAGE} AWSCURRENT --move-to-version-id old`],
        ["pending-left", `${STAGE} AWSPENDING --remove-from-version-id stray`],
      ],
    ],
    [
      "a secret that could not be read is not said to lack AWSCURRENT",
      { ...nothing, pendingVersionId: "stray", unasked: ["Secrets Manager is down"] },
      [["could-not-ask", VERIFY]],
    ],
    [
      "a credential that could not be asked is told of a secret without a current value too",
      { ...nothing, unasked: ["x"], credentials: [cannotBeAsked] },
      [
        ["could-not-ask", VERIFY],
        ["could-not-ask", VERIFY],
      ],
    ],
    [
      "a node that is silent about the revoked value alone could not be asked",
      credential([accepted], [silent]),
      [["could-not-ask", VERIFY]],
    ],
    [
      "a revoked value that works where the current one is not asked has the strategy's own line",
      credential([], [{ ...accepted, byHand: "redis-cli ..." }]),
      [["revoked-accepted", "redis-cli ..."]],
    ],
    [
      "a node that came back has the strategy's own line",
      credential([{ ...refused, byHand: "redis-cli ..." }], [accepted]),
      [["node-reverted", "redis-cli ..."]],
    ],
    ["tasks older than the value are behind", since(-100), [["consumer-behind", REDEPLOY]]],
    ["a task created in the moment of the promotion is not", since(-900), []],
    [
      "a task created a millisecond before the promotion is",
      { current: { versionId: "new", since: msFrom(-900, 1) } },
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "a task of no service that was created in the moment of the promotion stays",
      { ...since(-900), ...onFleet(loneTask) },
      [],
    ],
    [
      "a task of no service that was created a millisecond before the promotion is stopped",
      { current: { versionId: "new", since: msFrom(-900, 1) }, ...onFleet(loneTask) },
      [["consumer-behind", "aws ecs stop-task --cluster shop --task t1 --reason 'holds an old secret'"]],
    ],
    [
      "a value whose beginning nobody knows makes nobody late",
      { current: { versionId: "new", since: undefined } },
      [],
    ],
    [
      "a deployment that began after the promotion and is under way is given its time",
      newest({ createdAt: at(-90), status: "running" }),
      [],
    ],
    [
      "one that began in the moment of the promotion is given its time",
      newest({ createdAt: at(-100), status: "running" }),
      [],
    ],
    [
      "one that began a millisecond before the promotion is not",
      newest({ createdAt: msFrom(-100, -1), status: "running" }),
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "one that has a millisecond of its rollout left is given it",
      { ...newest({ createdAt: msFrom(-600, 1), status: "running" }), ...since(-800) },
      [],
    ],
    [
      "one that runs for exactly as long as a rollout may is late",
      { ...newest({ createdAt: at(-600), status: "running" }), ...since(-800) },
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "one that runs for longer than a rollout may is not",
      { ...newest({ createdAt: at(-700), status: "running" }), ...since(-800) },
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "one that failed is not",
      newest({ createdAt: at(-90), status: "failed" }),
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "one that began before the promotion is not",
      newest({ createdAt: at(-101), status: "running" }),
      [["consumer-behind", REDEPLOY]],
    ],
    [
      "a task of no service is stopped",
      { ...since(-100), ...onFleet(loneTask) },
      [["consumer-behind", "aws ecs stop-task --cluster shop --task t1 --reason 'holds an old secret'"]],
    ],
    [
      "a consumer that was declared and is not there could not be asked",
      onFleet(fleetWith([valueFrom(ARN)]), ["shop/legacy"]),
      [["could-not-ask", VERIFY]],
    ],
    [
      "a service that is not steady is no drift",
      onFleet(
        fleetWith([valueFrom(ARN)], { services: [service("gateway", { runningCount: 1, pendingCount: 1 })] }),
      ),
      [],
    ],
  ];

  test.each(rows)("%s", (_promise, changes, expected) => {
    const { checks, findings } = judge(changes);
    expect(findings.map(({ id, mend }) => [id, mend])).toEqual(expected);
    expect(checks).toBeGreaterThanOrEqual(findings.length);
    for (const { id, severity, secret, says } of findings) {
      expect(severity).toBe(DRIFT[id]);
      expect(secret).toBe(NAME);
      expect(says).toMatch(/^shop\/database: /);
    }
  });

  test("of the quiet day six things were looked at: labels, rotation, current, revoked, and the service twice", () => {
    // AWSCURRENT and AWSPENDING, two answers of the node, the service's definition and its tasks.
    expect(judge().checks).toBe(6);
  });

  test("evidence names versions, nodes, times and tasks", () => {
    const [found] = judge(since(-100)).findings;
    expect(Object.fromEntries(found?.evidence.map(({ what, is }) => [what, is]) ?? [])).toEqual({
      version: "new",
      since: "2026-11-24T11:58:20.000Z",
      tasks: "t1",
      oldest: "2026-11-24T11:45:00.000Z",
      running: "2 of 2",
      deployment: "ecs-svc/1 succeeded",
    });
  });

  test("the worst is said first", () => {
    const facts = { ...credential([refused], []), pendingVersionId: "stray", unasked: ["x"] };
    expect(judge(facts).findings.map(({ severity }) => severity)).toEqual(["critical", "medium", "low"]);
  });
});

describe("a finding tells", () => {
  const rows: [string, Partial<SecretDrift>, says: string, evidence: Record<string, string>][] = [
    [
      "a secret that is to be deleted, with the day",
      { ...nothing, deletedAt: at(9) },
      "is to be deleted, and no task can read it",
      { deleted: "2026-11-24T12:00:09.000Z" },
    ],
    [
      "a secret without AWSCURRENT, which has nothing to show",
      nothing,
      "no version carries AWSCURRENT, so no task can start",
      {},
    ],
    [
      "AWSPENDING that was left, with its version",
      { pendingVersionId: "stray" },
      "AWSPENDING was left on a version, and no rotation is open",
      { version: "stray" },
    ],
    [
      "a rotation that is stuck, with its run and its begin",
      { open: open(-DAY - 1) },
      "its rotation has been open for too long",
      { run: "run", since: "2026-11-23T11:59:59.000Z" },
    ],
    [
      "what a rotation that is stuck waits for",
      { open: { ...open(-DAY - 1), because: "db:5432 does not answer" } },
      "its rotation has been open for too long; it waits: db:5432 does not answer",
      { run: "run", since: "2026-11-23T11:59:59.000Z" },
    ],
    [
      "a question that could not be put, in the words it came with",
      { unasked: ["ECS is down"] },
      "ECS is down",
      {},
    ],
    [
      "why a credential could not be asked, and which",
      { credentials: [cannotBeAsked] },
      "its admin secret cannot be read",
      { credential: "shop/database" },
    ],
    [
      "why a value is no credential, with its version",
      { credentials: [noCredential] },
      "AWSCURRENT does not read as a credential: field password is missing",
      { version: "new" },
    ],
    [
      "why a node is silent",
      credential([silent], []),
      "ECONNREFUSED",
      { credential: "shop/database", node: "db:5432", version: "new" },
    ],
    [
      "which node is silent when it gives no reason",
      credential([{ where: NODE, verdict: "silent" }], []),
      "db:5432 could not be asked",
      { credential: "shop/database", node: "db:5432", version: "new" },
    ],
    [
      "a node that refuses the value in use",
      withRevokedAt([refused], [refused]),
      "db:5432 refuses the value of AWSCURRENT",
      { credential: "shop/database", node: "db:5432", version: "new" },
    ],
    [
      "a node that came back with the revoked value, and when that was revoked",
      withRevokedAt([refused], [accepted]),
      "db:5432 refuses AWSCURRENT and accepts the revoked value again",
      {
        credential: "shop/database",
        node: "db:5432",
        version: "new",
        revoked: "2026-11-24T11:43:20.000Z",
      },
    ],
    [
      "no time of a revocation that nobody knows, of a node that came back",
      credential([refused], [accepted]),
      "db:5432 refuses AWSCURRENT and accepts the revoked value again",
      { credential: "shop/database", node: "db:5432", version: "new" },
    ],
    [
      "a revoked value that works again, and when it was revoked",
      withRevokedAt([accepted], [accepted]),
      "db:5432 accepts a value that was revoked",
      { credential: "shop/database", node: "db:5432", revoked: "2026-11-24T11:43:20.000Z" },
    ],
    [
      "no time of a revocation that nobody knows, of a value that works again",
      credential([accepted], [accepted]),
      "db:5432 accepts a value that was revoked",
      { credential: "shop/database", node: "db:5432" },
    ],
    [
      "why a node is silent about the revoked value",
      credential([accepted], [silent]),
      "db:5432 could not be asked about the revoked value (ECONNREFUSED)",
      { credential: "shop/database", node: "db:5432" },
    ],
    [
      "that a node is silent about the revoked value when it gives no reason",
      credential([accepted], [{ where: NODE, verdict: "silent" }]),
      "db:5432 could not be asked about the revoked value",
      { credential: "shop/database", node: "db:5432" },
    ],
    [
      "where a version is pinned",
      onFleet(fleetWith([pinned])),
      "service shop/gateway, container app, variable DATABASE_PASSWORD is pinned to stage AWSPREVIOUS; take the pin off its valueFrom, or a rotation never reaches it",
      { container: "app", variable: "DATABASE_PASSWORD" },
    ],
    [
      "where a key is shadowed",
      onFleet(fleetWith([valueFrom(ARN), plain])),
      "service shop/gateway, container app, variable DATABASE_PASSWORD is set as plain environment and hides the secret that valueFrom gives it; remove the plain value",
      { container: "app", variable: "DATABASE_PASSWORD" },
    ],
    [
      "which consumer was declared and is not there",
      onFleet(fleetWith([valueFrom(ARN)]), ["shop/legacy"]),
      "its tag rekey:consumers names shop/legacy, and no such service was found",
      { service: "shop/legacy" },
    ],
    [
      "which task of no service is older than the value, and since when each is there",
      { ...since(-100), ...onFleet(loneTask) },
      "task t1 runs outside any service and is older than AWSCURRENT",
      {
        version: "new",
        since: "2026-11-24T11:58:20.000Z",
        task: "t1",
        created: "2026-11-24T11:45:00.000Z",
      },
    ],
    [
      "the old tasks of a service and the oldest of them, not the young one and not those of others",
      {
        ...since(-100),
        ...onFleet(
          fleetWith([valueFrom(ARN)], {
            services: [service(), service("other")],
            tasks: [
              taskNamed("t1"),
              taskNamed("t2", { createdAt: at(-960) }),
              taskNamed("t3", { createdAt: at(-90) }),
              taskNamed("t4", { service: "shop/other", taskDefinition: "other:1" }),
            ],
          }),
        ),
      },
      "2 task(s) of service shop/gateway are older than AWSCURRENT and do not run on it",
      {
        version: "new",
        since: "2026-11-24T11:58:20.000Z",
        tasks: "t1 t2",
        oldest: "2026-11-24T11:44:00.000Z",
        running: "2 of 2",
        deployment: "ecs-svc/1 succeeded",
      },
    ],
    [
      "no deployment of a service that has none, and how many of its tasks run",
      {
        ...since(-100),
        ...onFleet(
          fleetWith([valueFrom(ARN)], {
            services: [service("gateway", { deployments: [], runningCount: 1 })],
          }),
        ),
      },
      "1 task(s) of service shop/gateway are older than AWSCURRENT and do not run on it",
      {
        version: "new",
        since: "2026-11-24T11:58:20.000Z",
        tasks: "t1",
        oldest: "2026-11-24T11:45:00.000Z",
        running: "1 of 2",
      },
    ],
  ];

  test.each(rows)("%s", (_promise, changes, says, evidence) => {
    const [found, ...more] = judge(changes).findings;
    expect(more).toEqual([]);
    expect(found?.says).toBe(`shop/database: ${says}`);
    expect(found?.evidence.map(({ what, is }) => [what, is])).toEqual(Object.entries(evidence));
  });
});

describe("how many things were looked at", () => {
  const twoNodes = [accepted, { ...accepted, where: "b:1" }];
  const twoDead = [refused, { ...refused, where: "b:1" }];
  const rows: [string, Partial<SecretDrift>, checks: number][] = [
    ["the deletion of a secret that is to be deleted, and no more", { ...nothing, deletedAt: at(9) }, 1],
    ["the two labels of a secret without AWSCURRENT", nothing, 2],
    [
      "a question that could not be put, of a secret that could not be read",
      { ...nothing, unasked: ["x"] },
      1,
    ],
    ["a question that could not be put, beside all others", { unasked: ["x"] }, 7],
    ["without ECS the labels and the node's two answers", { fleet: undefined as never }, 4],
    [
      "while a rotation is open the labels, the rotation, the value in use and the service's definition",
      { open: open(-60) },
      5,
    ],
    ["a credential that could not be asked counts once", { credentials: [cannotBeAsked] }, 5],
    ["a value that is no credential counts once", { credentials: [noCredential] }, 5],
    ["each node counts for the value in use and for the revoked one", credential(twoNodes, twoDead), 8],
    ["a node that came back is one thing", credential([refused], [accepted]), 5],
    ["a node that is silent about both values is one thing", credential([silent], [silent]), 5],
    ["a node that is silent about the revoked value alone is two", credential([accepted], [silent]), 6],
    [
      "the tasks of a value whose beginning nobody knows are not looked at",
      { current: { versionId: "new", since: undefined } },
      5,
    ],
    [
      "each consumer that was declared and is not there counts",
      onFleet(fleetWith([valueFrom(ARN)]), ["shop/legacy", "shop/older"]),
      8,
    ],
    [
      "a service and a task of none count twice each",
      onFleet(fleetWith([valueFrom(ARN)], { tasks: [task(), aloneNamed("t2")] })),
      8,
    ],
    ["a definition with one trap counts once", onFleet(fleetWith([pinned])), 6],
    [
      "a definition with two traps counts for each",
      onFleet(fleetWith([pinned, { ...pinned, variable: "OLD_PASSWORD" }])),
      7,
    ],
    [
      "two services with a trap each count by themselves",
      onFleet(fleetWith([pinned], { services: [service(), worker], tasks: [] })),
      8,
    ],
    [
      "two tasks of no service with a trap each count by themselves",
      onFleet(fleetWith([pinned], { services: [], tasks: [aloneNamed("t1"), aloneNamed("t2")] })),
      8,
    ],
  ];

  test.each(rows)("%s", (_promise, changes, checks) => {
    expect(judge(changes).checks).toBe(checks);
  });
});

describe("since when a value is current", () => {
  const ours = (versionId: string) => ({ versionId, since: iso(-500) });
  const made = (seconds: number) => ({ versionId: "now", createdAt: at(seconds) });
  test.each([
    [
      "what we promoted counts from the promotion, not from its creation",
      {},
      made(-600),
      ours("now"),
      at(-500),
    ],
    ["what a person put after us counts from its creation", {}, made(-400), ours("other"), at(-400)],
    ["what nobody rotated counts from its creation", {}, made(-400), undefined, at(-400)],
    [
      "what somebody else's rotation promoted counts from its end",
      { lastRotatedAt: at(-300) },
      made(-400),
      undefined,
      at(-300),
    ],
    [
      "a rotation before the value was put says nothing about it",
      { lastRotatedAt: at(-450) },
      made(-400),
      ours("other"),
      at(-400),
    ],
    [
      "a label moved back by hand counts from the last change",
      { changedAt: at(-100), lastRotatedAt: at(-700) },
      made(-800),
      ours("other"),
      at(-100),
    ],
    ["what has no time has none", {}, { versionId: "now" }, ours("other"), undefined],
  ])("%s", (_promise, facts, version, promoted, expected) => {
    expect(currentSince(facts, version, promoted)).toEqual(expected);
  });
});

describe("traps in task definitions", () => {
  const definition = "arn:aws:ecs:us-east-1:123456789012:task-definition/gateway:1";

  test("a pinned version is taken off by registering the definition without it", () => {
    const [found, ...more] = judge(onFleet(fleetWith([valueFrom(`${ARN}:password:AWSPREVIOUS:`)]))).findings;
    expect(more).toEqual([]);
    expect(found?.id).toBe("version-pinned");
    expect(found?.mend).toContain(`s.valueFrom="${ARN}:password::"`);
    expect(found?.mend).toContain(`describe-task-definition --output json --task-definition ${definition} |`);
    expect(found?.mend).toMatch(
      /^aws ecs update-service --cluster shop --service gateway --task-definition "\$\(aws/,
    );
  });

  test("a shadowed key is told without the plain value that shadows it", () => {
    const [found] = judge(onFleet(fleetWith([valueFrom(ARN), plain]))).findings;
    expect(found?.id).toBe("key-shadowed");
    expect(found?.mend).toContain('c.environment=c.environment.filter(e=>e.name!=="DATABASE_PASSWORD")');
    expect(JSON.stringify(found)).not.toContain("plain-value");
  });
});

test("every finding has a row in the runbook, and every row a finding", () => {
  const runbook = readFileSync(fileURLToPath(new URL("../../runbooks/drift.md", import.meta.url)), "utf8");
  const rows = [...runbook.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, id]) => id);
  expect(rows).toEqual(Object.keys(DRIFT));
});

test.each([
  [["echo", "plain-text/1:2"], "echo plain-text/1:2"],
  [["echo", "two words"], "echo 'two words'"],
  [["echo", "it's; $(rm)"], String.raw`echo 'it'\''s; $(rm)'`],
  [["echo", ""], "echo ''"],
])("the words %j are one command: %s", (words, line) => {
  expect(commandLine(...words)).toBe(line);
});
