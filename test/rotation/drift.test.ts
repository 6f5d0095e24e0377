import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { commandLine } from "../../lib/finding.ts";
import { findConsumers } from "../../lib/rotation/consumers.ts";
import { DRIFT, judgeDrift, type SecretDrift } from "../../lib/rotation/drift.ts";
import { makeDriftReport, renderDrift } from "../../lib/rotation/driftReport.ts";
import type { FleetFacts } from "../../lib/rotation/fleet.ts";
import { currentSince } from "../../lib/rotation/secretStore.ts";
import { ARN, at, deployment, fleetWith, iso, service, valueFrom } from "./facts.ts";

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
      "a rotation that is open for longer is stuck",
      { open: open(-DAY - 1) },
      [["rotation-stuck", "npx sls invoke -f advance -d '{}'"]],
    ],
    ["tasks older than the value are behind", since(-100), [["consumer-behind", REDEPLOY]]],
    ["a task created in the moment of the promotion is not", since(-900), []],
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

  test("of the quiet day five things were looked at: labels, rotation, current, revoked, and the service twice", () => {
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
    const plain = {
      container: "app",
      variable: "DATABASE_PASSWORD",
      value: "plain-value",
      via: "environment",
    } as const;
    const [found] = judge(onFleet(fleetWith([valueFrom(ARN), plain]))).findings;
    expect(found?.id).toBe("key-shadowed");
    expect(found?.mend).toContain('c.environment=c.environment.filter(e=>e.name!=="DATABASE_PASSWORD")');
    expect(JSON.stringify(found)).not.toContain("plain-value");
  });
});

describe("the report", () => {
  const report = (changes: Partial<SecretDrift>) => makeDriftReport([judge(changes), judge()], at(0));

  test("counts what holds, what does not, and what could not be asked, apart", () => {
    const { findings: _, ...counts } = report({ ...credential([refused, { ...silent, where: "b:1" }], []) });
    expect(counts).toEqual({
      checkedAt: "2026-11-24T12:00:00.000Z",
      secrets: 2,
      checks: 12,
      holds: 10,
      couldNotAsk: 1,
      summary: "12 checks of 2 secrets, 1 do not hold, 1 could not be asked",
    });
  });

  test("says so when everything holds", () => {
    expect(report({}).summary).toBe("12 checks of 2 secrets, everything holds");
  });

  test("the message has each mend as code and no power from outside text", () => {
    const text = JSON.stringify(
      renderDrift(report({ unasked: ["<!channel> & co"], pendingVersionId: "stray" })),
    );
    expect(text).toContain(`\`${STAGE} AWSPENDING --remove-from-version-id stray\``);
    expect(text).toContain("&lt;!channel&gt; &amp; co");
    expect(text).not.toContain("<!channel>");
  });

  test("a message of very many findings stays under Slack's limits and counts the rest", () => {
    const many = Array.from({ length: 400 }, () => judge({ pendingVersionId: "stray" }));
    const { blocks } = renderDrift(makeDriftReport(many, at(0)));
    expect(blocks.length).toBeLessThanOrEqual(50);
    const texts = blocks.map((block) => (block["text"] as { text?: string } | undefined)?.text ?? "");
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(3000);
    const shown = texts.join("\n").split("`pending-left`").length - 1;
    expect(texts.at(-2)).toBe(`... and ${400 - shown} more`);
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
