import { describe, expect, test } from "vitest";
import { decide } from "../../lib/rotation/decide.ts";
import type { Decision, Facts } from "../../lib/rotation/decision.ts";
import type { Rotation, WaveRecord } from "../../lib/rotation/intent.ts";
import { retreat } from "../../lib/rotation/wayBack.ts";
import { at, iso, rotation, wave } from "./facts.ts";

const staged = { current: "old", pending: "new", staged: true };
const promoted = { current: "new", pending: "new", staged: true };
const both = { from: "accepted", to: "accepted" } as const;
const dead = { from: "refused", to: "accepted" } as const;
const facts = (changes: Partial<Facts> = {}): Facts => ({ labels: staged, runWave: "rotate", ...changes });
const after = { stagedAt: iso(1), setAttempts: 1, setAt: iso(2), testedAt: iso(3), promotedAt: iso(4) };
const rolledOut = { ...after, rolledOutAt: iso(60) };
const credential = { label: "shop/database", takenBy: "server", revokes: true, quietUntil: at(60) } as const;
const straggler = { login: "shop_a", from: "10.0.0.9", program: "psql" };
const back = { code: "DEPLOYMENT_FAILED", because: "tasks crash", at: iso(30) };

type Row = readonly [
  promise: string,
  rotation: Rotation,
  facts: Facts,
  decision: Partial<Decision>,
  nowSeconds?: number,
];
const leaked = (changes: Partial<WaveRecord>) => rotation(changes, { emergency: true });

const rows: Row[] = [
  [
    "a rotation that has ended is left alone",
    rotation({}, { outcome: "rotated" }),
    facts(),
    { do: "nothing" },
  ],
  [
    "the new value is durable before anything else happens",
    rotation(),
    facts({ labels: { current: "old", staged: false } }),
    { do: "stage" },
  ],
  ["the target is asked before it is changed", rotation(), facts(), { do: "look", at: "target" }],
  [
    "a target that does not know the new value is taught it",
    rotation(),
    facts({ target: { from: "accepted", to: "refused" } }),
    { do: "set" },
  ],
  [
    "a target that knows both values is not set again",
    rotation({ setAttempts: 1, setAt: iso(2) }),
    facts({ target: both }),
    { do: "note", that: "tested" },
  ],
  [
    "a set that a crash cut short is made again, for its half may not be saved",
    rotation({ setAttempts: 1 }),
    facts({ target: both }),
    { do: "set" },
  ],
  [
    "a staged version that does not show yet is waited for",
    rotation({ stagedAt: iso(95) }),
    facts({ labels: { current: "old", staged: false } }),
    { do: "wait" },
  ],
  [
    "the label moves only after both values were tested",
    rotation({ testedAt: iso(3) }),
    facts({ target: both }),
    { do: "promote" },
  ],
  [
    "a document whose previous key would die before the rollout ends is not promoted",
    rotation({ testedAt: iso(3) }),
    facts({ target: both, promotableUntil: at(99) }),
    { do: "giveUp", code: "PENDING_EXPIRED" },
  ],
  [
    "a retire wave does not ask for the value that it drops",
    rotation({ wave: "retire", testedAt: iso(3) }, { waves: ["rotate", "retire"] }),
    facts({ runWave: "retire", target: { from: "refused", to: "accepted" } }),
    { do: "promote" },
  ],
  [
    "a value that stays refused after two attempts is given up",
    rotation({ setAttempts: 2 }),
    facts({ target: { from: "accepted", to: "refused" } }),
    { do: "giveUp", code: "PENDING_REFUSED" },
  ],
  [
    "a value in use that the target refuses is not rotated over",
    rotation(),
    facts({ target: { from: "refused", to: "refused" } }),
    { do: "giveUp", code: "OLD_VALUE_REFUSED" },
  ],
  [
    "a set that took the old value away is undone",
    rotation({ setAttempts: 2 }),
    facts({ target: { from: "refused", to: "accepted" } }),
    { do: "giveUp", code: "OLD_VALUE_REFUSED" },
  ],
  [
    "unreachable is not refused: look again",
    rotation(),
    facts({ target: { unreachable: "timeout" } }),
    { do: "wait", because: "timeout" },
  ],
  [
    "a target that stays unreachable leaves the run",
    rotation({}, { failures: 5 }),
    facts({ target: { unreachable: "timeout" } }),
    { do: "giveUp", code: "TARGET_UNREACHABLE" },
  ],
  [
    "somebody else's AWSPENDING is never overwritten",
    rotation(),
    facts({ labels: { current: "old", pending: "foreign", staged: false } }),
    { do: "giveUp", code: "FOREIGN_PENDING" },
  ],
  [
    "a label that moved before the promotion ends the rotation",
    rotation(),
    facts({ labels: { current: "third", pending: "new", staged: true } }),
    { do: "giveUp", code: "LABEL_MOVED" },
  ],
  [
    "a staged version that was taken away is not staged twice",
    rotation({ stagedAt: iso(1) }),
    facts({ labels: { current: "old", staged: false } }),
    { do: "giveUp", code: "LABEL_MOVED" },
  ],
  [
    "a secret without a publish wave waits for those that have one",
    rotation(),
    facts({ runWave: "publish" }),
    { do: "wait" },
  ],
  [
    "a promotion that was not noted before the crash is noted, not repeated",
    rotation({ testedAt: iso(3) }),
    facts({ labels: promoted }),
    { do: "note", that: "promoted" },
  ],
  [
    "no task is started before the new value is readable everywhere",
    rotation(after),
    facts({ labels: promoted, settled: false }),
    { do: "wait" },
  ],
  [
    "after the promotion the consumers are looked at",
    rotation(after),
    facts({ labels: promoted, settled: true }),
    { do: "look", at: "rollout" },
  ],
  [
    "while a rollout runs nothing is revoked",
    rotation(after),
    facts({ labels: promoted, rollout: { state: "running", because: "1 of 2", missing: [] } }),
    { do: "wait", because: "1 of 2" },
  ],
  [
    "a failed deployment starts the way back",
    rotation(after),
    facts({
      labels: promoted,
      rollout: { state: "failed", because: "crash", missing: [], failed: "shop/gateway" },
    }),
    { do: "giveUp", code: "DEPLOYMENT_FAILED", service: "shop/gateway" },
  ],
  [
    "a rollout that is through is noted",
    rotation(after),
    facts({ labels: promoted, rollout: { state: "through", because: "", missing: [] } }),
    { do: "note", that: "rolledOut" },
  ],
  [
    "then each credential is asked when it may die",
    rotation(rolledOut),
    facts({ labels: promoted }),
    { do: "look", at: "credentials" },
  ],
  [
    "the old value lives through its grace period",
    rotation(rolledOut),
    facts({ labels: promoted, credentials: [{ ...credential, quietUntil: at(500) }] }),
    { do: "wait", until: at(500) },
  ],
  [
    "who still uses the old value is looked for before it dies",
    rotation(rolledOut),
    facts({ labels: promoted, credentials: [credential] }),
    { do: "look", at: "stragglers" },
  ],
  [
    "a session on the old value keeps it alive and is named",
    rotation(rolledOut),
    facts({ labels: promoted, credentials: [{ ...credential, stragglers: [straggler] }] }),
    {
      do: "wait",
      forPerson: true,
      because:
        "shop_a is still logged in from 10.0.0.9 (psql); end these sessions or declare their service with rekey:consumers",
    },
  ],
  [
    "nobody left on it: confirmed",
    rotation(rolledOut),
    facts({ labels: promoted, credentials: [{ ...credential, stragglers: [] }] }),
    { do: "note", that: "confirmed" },
  ],
  [
    "an old value that still works is revoked",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({ labels: promoted, credentials: [{ ...credential, stragglers: [], target: both }] }),
    { do: "revoke", label: "shop/database" },
  ],
  [
    "an old value that is refused is noted as dead, and only then",
    rotation({ ...rolledOut, confirmedAt: iso(61), switchedOff: ["shop/database"] }),
    facts({
      labels: promoted,
      credentials: [{ ...credential, stragglers: [], target: { from: "refused", to: "accepted" } }],
    }),
    { do: "note", that: "revoked", label: "shop/database" },
  ],
  [
    "a revocation that a crash cut short is made again, for its half may not be saved",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({
      labels: promoted,
      credentials: [{ ...credential, stragglers: [], target: { from: "refused", to: "accepted" } }],
    }),
    { do: "revoke", label: "shop/database" },
  ],
  [
    "once the old value may be dead, a failed deployment is no reason to go back to it",
    rotation({ ...after, confirmedAt: iso(61) }),
    facts({ labels: promoted, rollout: { state: "failed", because: "crash", missing: [] } }),
    { do: "wait", forPerson: true },
  ],
  [
    "a label that was away and is back starts the rollout over",
    rotation({ ...rolledOut, displacedAt: iso(70) }),
    facts({ labels: promoted }),
    { do: "note", that: "returned" },
  ],
  [
    "a label that a person moved after the promotion is noted",
    rotation(after),
    facts({ labels: { current: "third", staged: true } }),
    { do: "note", that: "displaced" },
  ],
  [
    "the value is not withdrawn before the old one is readable everywhere",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ settled: false }),
    { do: "wait" },
  ],
  [
    "a label that a person moved on the way back may stand on the new value",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ labels: { current: "third", staged: true } }),
    { do: "wait", forPerson: true },
  ],
  [
    "a value that the target may have learnt is not forgotten because it cannot be read",
    rotation({ stagedAt: iso(1), setAttempts: 1, retreat: back }),
    facts({ labels: { current: "old", staged: false } }),
    { do: "wait", forPerson: true },
  ],
  [
    "the old value is kept while the new one is refused",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({
      labels: promoted,
      credentials: [{ ...credential, stragglers: [], target: { from: "accepted", to: "refused" } }],
    }),
    { do: "wait", forPerson: true },
  ],
  [
    "one credential's grace period does not keep another's old value alive",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({
      labels: promoted,
      credentials: [
        { ...credential, label: "jwt", quietUntil: at(5000) },
        { ...credential, stragglers: [], target: both },
      ],
    }),
    { do: "revoke", label: "shop/database" },
  ],
  [
    "when all old values are dead the rotation is finished",
    rotation({
      ...rolledOut,
      confirmedAt: iso(61),
      revoked: { "shop/database": iso(62) },
      revokedAt: iso(62),
    }),
    facts({ labels: promoted, credentials: [credential] }),
    { do: "finish", as: "rotated" },
  ],
  [
    "a wave that revokes nothing ends when it is quiet",
    rotation({ ...rolledOut, wave: "publish" }, { waves: ["publish", "rotate"] }),
    facts({ runWave: "publish", labels: promoted, credentials: [{ ...credential, revokes: false }] }),
    { do: "finish", as: "wave" },
  ],
  [
    "a label that a person moved after the promotion is not fought over",
    rotation({ ...after, displacedAt: iso(70) }),
    facts({ labels: { current: "third", staged: true } }),
    { do: "wait", forPerson: true },
  ],
  [
    "a label that shows elsewhere right after the promotion may only be late",
    rotation(after),
    facts({ labels: staged }),
    { do: "wait", because: "for the new value to be readable everywhere" },
    5,
  ],
  [
    "whoever moved a label back is given ten seconds for second thoughts",
    rotation({ ...after, displacedAt: iso(91) }),
    facts({ labels: staged }),
    { do: "wait" },
  ],
  [
    "and is then followed back",
    rotation({ ...after, displacedAt: iso(90) }),
    facts({ labels: staged }),
    { do: "giveUp", code: "LABEL_MOVED" },
  ],
  [
    "a label that a person moved back to a value that is dead waits for that person",
    rotation({ ...rolledOut, confirmedAt: iso(61), displacedAt: iso(70) }),
    facts({ labels: staged }),
    { do: "wait", forPerson: true },
  ],
  [
    "a promotion whose answer was lost is noted before anything is given up",
    rotation({ testedAt: iso(3), retreat: back }),
    facts({ labels: promoted }),
    { do: "note", that: "promoted" },
  ],
  [
    "an emergency waits for no other secret's wave",
    leaked({ testedAt: iso(3) }),
    facts({ runWave: "publish", target: both }),
    { do: "promote" },
  ],
  [
    "in an emergency it does not matter that the leaked value was made useless to us",
    leaked({ testedAt: iso(3) }),
    facts({ target: { from: "refused", to: "accepted" } }),
    { do: "promote" },
  ],
  [
    "an emergency still needs a new value that works",
    leaked({ setAttempts: 2 }),
    facts({ target: { from: "accepted", to: "refused" } }),
    { do: "giveUp", code: "PENDING_REFUSED" },
  ],
  [
    "in an emergency those who use the leaked value are asked for right after the promotion",
    leaked(after),
    facts({ labels: promoted, credentials: [credential] }),
    { do: "look", at: "stragglers", label: "shop/database" },
  ],
  [
    "they are written down before they are cut off",
    leaked(after),
    facts({ labels: promoted, credentials: [{ ...credential, stragglers: [straggler] }] }),
    { do: "note", that: "cut", label: "shop/database", cut: [straggler] },
  ],
  [
    "the leaked value is revoked before any service is redeployed, whoever is on it",
    leaked({ ...after, cut: { "shop/database": [straggler] } }),
    facts({
      labels: promoted,
      rollout: { state: "missing", because: "", missing: ["shop/gateway"] },
      credentials: [{ ...credential, stragglers: [straggler], target: both }],
    }),
    { do: "revoke", label: "shop/database" },
  ],
  [
    "a leaked value whose target is down does not hold up the services",
    leaked({ ...after, cut: { "shop/database": [] } }),
    facts({ labels: promoted, credentials: [{ ...credential, target: { unreachable: "timeout" } }] }),
    { do: "look", at: "rollout" },
  ],
  [
    "a leaked key that tasks take themselves dies with the last old task",
    leaked(after),
    facts({
      labels: promoted,
      rollout: { state: "running", because: "in progress", missing: [] },
      credentials: [{ ...credential, takenBy: "tasks" }],
    }),
    { do: "wait", because: "in progress" },
  ],
  [
    "and is asked for when that one is gone",
    leaked({ ...rolledOut, cut: { "shop/database": [] } }),
    facts({ labels: promoted, credentials: [{ ...credential, takenBy: "tasks" }] }),
    { do: "look", at: "revocation", label: "shop/database" },
  ],
  [
    "a failed deployment does not bring a leaked value back",
    leaked({ ...after, cut: { "shop/database": [] }, revoked: { "shop/database": iso(5) } }),
    facts({
      labels: promoted,
      rollout: { state: "failed", because: "tasks crash", missing: [], failed: "shop/gateway" },
      credentials: [credential],
    }),
    { do: "wait", forPerson: true },
  ],
  [
    "a retreat that finds the new value current turns round in an emergency, and the record says so",
    leaked({ ...after, retreat: back }),
    facts({ labels: promoted }),
    { do: "note", that: "returned" },
  ],
  [
    "a key that the document no longer has is dead, and no act is needed",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({
      labels: promoted,
      credentials: [{ ...credential, takenBy: "tasks", stragglers: [], target: dead }],
    }),
    { do: "note", that: "revoked", label: "shop/database" },
  ],
  [
    "a login that is refused is switched off all the same: a restart could bring it back",
    rotation({ ...rolledOut, confirmedAt: iso(61) }),
    facts({ labels: promoted, credentials: [{ ...credential, stragglers: [], target: dead }] }),
    { do: "revoke", label: "shop/database" },
  ],
  [
    "an emergency does not try for ever to revoke what a document from before it keeps",
    leaked({ ...rolledOut, cut: { "shop/database": [] }, switchedOff: ["shop/database"] }),
    facts({ labels: promoted, credentials: [{ ...credential, takenBy: "tasks", target: both }] }),
    { do: "finish", as: "rotated" },
  ],
  [
    "an emergency ends when the value is dead and the services are through",
    leaked({ ...rolledOut, cut: { "shop/database": [] }, revoked: { "shop/database": iso(5) } }),
    facts({ labels: promoted, credentials: [credential] }),
    { do: "finish", as: "rotated" },
  ],
  [
    "a value that was current is known to have been read, although nobody noted it and somebody moved the label on",
    rotation({ testedAt: iso(3) }),
    facts({ labels: { current: "by-hand", previous: "new", staged: true } }),
    { do: "note", that: "promoted" },
  ],
  [
    "the way back begins with the label",
    rotation({ ...after, retreat: back }),
    facts({ labels: promoted }),
    { do: "demote" },
  ],
  [
    "a way back that somebody undid is gone once more, and that is known before the label moves",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ labels: promoted }),
    { do: "note", that: "promoted" },
  ],
  [
    "the way back goes on with the services",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts(),
    { do: "look", at: "rollout" },
  ],
  [
    "the new value is kept while a task may hold it",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ rollout: { state: "missing", because: "to redeploy", missing: ["shop/gateway"] } }),
    { do: "wait" },
  ],
  [
    "a way back that fails too ends with both values alive and a person called",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ rollout: { state: "failed", because: "no capacity", missing: [] } }),
    { do: "wait", forPerson: true },
  ],
  [
    "the new value is withdrawn when no task can hold it",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
    facts({ rollout: { state: "through", because: "", missing: [] } }),
    { do: "withdraw" },
  ],
  [
    "then the rotation is rolled back",
    rotation({ ...after, retreat: { ...back, demotedAt: iso(31), withdrawnAt: iso(50) } }),
    facts(),
    { do: "finish", as: "rolledBack" },
  ],
  [
    "a value that a person made current on the way back has been promoted",
    rotation({ stagedAt: iso(1), setAttempts: 1, retreat: back }),
    facts({ labels: promoted }),
    { do: "note", that: "promoted" },
  ],
  [
    "given up before the promotion, no service is touched",
    rotation({ stagedAt: iso(1), setAttempts: 1, retreat: back }),
    facts(),
    { do: "withdraw" },
  ],
  [
    "a target that never learnt the new value is left alone, whatever it makes of the old one",
    rotation({ stagedAt: iso(1), retreat: back }),
    facts(),
    { do: "finish", as: "dropped" },
  ],
  [
    "and the secret is dropped",
    rotation({ stagedAt: iso(1), setAttempts: 1, retreat: { ...back, withdrawnAt: iso(40) } }),
    facts(),
    { do: "finish", as: "dropped" },
  ],
];

describe("decide", () => {
  test.each(rows.map((row) => [row[0], row] as const))("%s", (_promise, row) => {
    const [, intent, seen, decision, nowSeconds = 100] = row;
    expect(decide(intent, seen, at(nowSeconds))).toMatchObject(decision);
  });
});

describe("people are told", () => {
  const because = (intent: Rotation, seen: Facts) => {
    const decision = decide(intent, seen, at(100));
    return "because" in decision ? `${decision.do}: ${decision.because}` : decision.do;
  };
  const target = (from: "accepted" | "refused", to: "accepted" | "refused") =>
    facts({ target: { from, to } });
  const confirmed = rotation({ ...rolledOut, confirmedAt: iso(61) });
  const dying = (changes: Partial<NonNullable<Facts["credentials"]>[number]>) =>
    facts({ labels: promoted, credentials: [{ ...credential, ...changes }] });

  test.each<[string, Rotation, Facts, RegExp]>([
    [
      "which wave a secret waits for",
      rotation(),
      facts({ runWave: "publish" }),
      /^wait: .*the publish wave of other secrets/,
    ],
    [
      "why the value is staged before anything else",
      rotation(),
      facts({ labels: { current: "old", staged: false } }),
      /^stage: the new value must be durable before the target learns it$/,
    ],
    [
      "that a version just staged is not to be seen yet",
      rotation({ stagedAt: iso(95) }),
      facts({ labels: { current: "old", staged: false } }),
      /^wait: for the staged version to be readable$/,
    ],
    [
      "that a version is missing when ten seconds have passed",
      rotation({ stagedAt: iso(90) }),
      facts({ labels: { current: "old", staged: false } }),
      /^giveUp: the staged version was taken away$/,
    ],
    [
      "why the target is told",
      rotation({ stagedAt: iso(1) }),
      target("accepted", "refused"),
      /^set: the target does not accept both values for good yet$/,
    ],
    [
      "why the label moves",
      rotation({ stagedAt: iso(1), setAttempts: 1, setAt: iso(2), testedAt: iso(3) }),
      target("accepted", "accepted"),
      /^promote: the target accepts both values$/,
    ],
    [
      "that setting was begun twice and did not end",
      rotation({ stagedAt: iso(1), setAttempts: 2 }),
      target("accepted", "accepted"),
      /^giveUp: setting the new value at the target was begun twice and did not end$/,
    ],
    [
      "that both values are refused after two tries",
      rotation({ stagedAt: iso(1), setAttempts: 2 }),
      target("refused", "refused"),
      /^giveUp: the target refuses the new value after it was set$/,
    ],
    [
      "that a document waited too long",
      rotation({ stagedAt: iso(1), setAttempts: 1, setAt: iso(2), testedAt: iso(3) }),
      facts({ target: both, promotableUntil: at(99) }),
      /^giveUp: the new document waited too long for its promotion: its previous key would die before the rollout ends$/,
    ],
    [
      "nothing of a document that may be promoted until this very moment",
      rotation({ stagedAt: iso(1), setAttempts: 1, setAt: iso(2), testedAt: iso(3) }),
      facts({ target: both, promotableUntil: at(100) }),
      /^promote: /,
    ],
    [
      "that there is no way back once the old value may be dead, and what to do",
      rotation({ ...after, confirmedAt: iso(50) }),
      facts({
        labels: promoted,
        rollout: { state: "failed", because: "tasks crash", missing: [], failed: "shop/gateway" },
      }),
      /^wait: tasks crash; the old value may be dead already, so there is no way back: the on-call must deploy shop\/gateway again$/,
    ],
    [
      "the same when ECS does not say which service it was",
      rotation({ ...after, confirmedAt: iso(50) }),
      facts({ labels: promoted, rollout: { state: "failed", because: "tasks crash", missing: [] } }),
      /^wait: .* the on-call must deploy it again$/,
    ],
    [
      "that a leaked value is never brought back",
      {
        ...rotation({ ...after, cut: { "shop/database": [] }, revoked: { "shop/database": iso(5) } }),
        emergency: true,
      },
      facts({
        labels: promoted,
        rollout: { state: "failed", because: "tasks crash. They do.", missing: [], failed: "shop/gateway" },
        credentials: [credential],
      }),
      /^wait: tasks crash\. They do; the leaked value is never brought back, so the on-call must deploy shop\/gateway again$/,
    ],
    [
      "the same of a service that ECS does not name",
      {
        ...rotation({ ...after, cut: { "shop/database": [] }, revoked: { "shop/database": iso(5) } }),
        emergency: true,
      },
      facts({
        labels: promoted,
        rollout: { state: "failed", because: "tasks crash", missing: [] },
        credentials: [credential],
      }),
      /^wait: tasks crash; the leaked value is never brought back, so the on-call must deploy it again$/,
    ],
    [
      "why a leaked value is revoked",
      { ...rotation({ ...after, cut: { "shop/database": [] } }), emergency: true },
      facts({ labels: promoted, credentials: [{ ...credential, target: both }] }),
      /^revoke: the old value has leaked$/,
    ],
    [
      "why an old value is revoked",
      confirmed,
      dying({ stragglers: [], target: both }),
      /^revoke: no running task can hold the old value$/,
    ],
    [
      "that all is well in the end",
      rotation({ ...rolledOut, confirmedAt: iso(61), revoked: { "shop/database": iso(62) } }),
      dying({}),
      /^finish: the new value works and the old one is refused$/,
    ],
    [
      "that the label was moved",
      rotation(),
      facts({ labels: { current: "third", pending: "new", staged: true } }),
      /^giveUp: AWSCURRENT was moved to another version/,
    ],
    [
      "which version somebody else's AWSPENDING sits on",
      rotation(),
      facts({ labels: { current: "old", pending: "foreign", staged: false } }),
      /^giveUp: AWSPENDING sits on version foreign, which is not ours/,
    ],
    [
      "that the staged version was taken away",
      rotation({ stagedAt: iso(1) }),
      facts({ labels: { current: "old", staged: false } }),
      /^giveUp: the staged version was taken away/,
    ],
    [
      "that the value in use is refused before we changed anything",
      rotation(),
      target("refused", "refused"),
      /^giveUp: the target refuses the value that is in use/,
    ],
    [
      "that the new value stays refused",
      rotation({ setAttempts: 2 }),
      target("accepted", "refused"),
      /^giveUp: the target refuses the new value after it was set/,
    ],
    [
      "that the old value was lost when the new one was set",
      rotation({ setAttempts: 2 }),
      target("refused", "accepted"),
      /^giveUp: the target refuses the old value after it was set/,
    ],
    [
      "that the new value is to be readable everywhere first",
      rotation(after),
      facts({ labels: promoted, settled: false }),
      /^wait: for the new value to be readable everywhere/,
    ],
    [
      "how long the old value lives on",
      rotation(rolledOut),
      dying({ quietUntil: at(500) }),
      /^wait: .*2026-11-24T12:08:20\.000Z/,
    ],
    [
      "how many sessions are on the old value beside the first",
      rotation(rolledOut),
      dying({ stragglers: [straggler, straggler, straggler] }),
      /^wait: shop_a is still logged in from 10\.0\.0\.9 \(psql\) and 2 more; end these sessions/,
    ],
    [
      "of a session without a program where it comes from",
      rotation(rolledOut),
      dying({ stragglers: [{ login: "shop_a", from: "10.0.0.9" }] }),
      /^wait: shop_a is still logged in from 10\.0\.0\.9; end these sessions/,
    ],
    [
      "which credential's new value is refused while its old one lives",
      confirmed,
      dying({ stragglers: [], target: { from: "accepted", to: "refused" } }),
      /^wait: shop\/database: the target refuses the new value, so the old one is kept/,
    ],
    [
      "that a target could not be asked before its old value is revoked",
      confirmed,
      dying({ stragglers: [], target: { unreachable: "timeout" } }),
      /^wait: timeout$/,
    ],
    [
      "that the way back failed, and that both values live",
      rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } }),
      facts({ rollout: { state: "failed", because: "no capacity", missing: [] } }),
      /^wait: the way back failed too: no capacity; both values stay accepted/,
    ],
    [
      "which wave has reached everybody",
      rotation({ ...rolledOut, wave: "publish" }, { waves: ["publish", "rotate"] }),
      facts({ runWave: "publish", labels: promoted, credentials: [{ ...credential, revokes: false }] }),
      /^finish: the publish wave has reached every consumer/,
    ],
  ])("%s", (_what, intent, seen, says) => {
    expect(because(intent, seen)).toMatch(says);
  });
});

describe("the old values' ends", () => {
  const one = (label: string, changes: Partial<NonNullable<Facts["credentials"]>[number]> = {}) => ({
    ...credential,
    label,
    stragglers: [],
    ...changes,
  });
  const confirmed = rotation({ ...rolledOut, confirmedAt: iso(61) });
  const next = (
    credentials: NonNullable<Facts["credentials"]>,
    intent: Rotation = confirmed,
    now = at(100),
  ) => decide(intent, facts({ labels: promoted, credentials }), now);

  test("the target is asked anew before an old value is revoked", () => {
    expect(next([one("a")])).toEqual({ do: "look", at: "revocation", label: "a" });
  });

  test("a value is at its end at the very moment that was told", () => {
    expect(next([one("a", { quietUntil: at(100) })])).toMatchObject({ do: "look", at: "revocation" });
    expect(next([one("a", { quietUntil: at(100.001) })])).toMatchObject({ do: "wait", until: at(100.001) });
  });

  test("what can be done is done before what is waited for, whichever stands first", () => {
    const waits = one("a", { quietUntil: at(500) });
    expect(next([waits, one("b")])).toMatchObject({ do: "look", label: "b" });
    expect(next([one("b"), waits])).toMatchObject({ do: "look", label: "b" });
  });

  test("of several waits the one that ends first is told: under way, then the nearest time, then a person", () => {
    const person = one("person", { stragglers: [straggler] });
    const soon = one("soon", { quietUntil: at(200) });
    const late = one("late", { quietUntil: at(900) });
    const busy = one("busy", { target: { unreachable: "timeout" } });
    expect(next([person, late, soon])).toMatchObject({ until: at(200) });
    expect(next([soon, late, person])).toMatchObject({ until: at(200) });
    expect(next([person, late, busy, soon])).toMatchObject({ because: "timeout" });
    expect(next([busy, person])).toMatchObject({ because: "timeout" });
    expect(next([late, person])).toMatchObject({ until: at(900) });
  });

  test("a wave that revokes nothing waits until the last of its credentials is quiet", () => {
    const publish = rotation({ ...rolledOut, wave: "publish" }, { waves: ["publish", "rotate"] });
    const quiet = (...seconds: number[]) =>
      seconds.map((until, place) => one(`${place}`, { revokes: false, quietUntil: at(until) }));
    expect(next(quiet(200, 900, 500), publish)).toMatchObject({ do: "wait", until: at(900) });
    expect(next(quiet(900, 200), publish)).toMatchObject({ do: "wait", until: at(900) });
    expect(next(quiet(50, 100), publish)).toMatchObject({ do: "finish", as: "wave" });
    expect(next([], publish)).toMatchObject({ do: "finish", as: "wave" });
  });

  test("a wave with an old value to revoke waits for that and not for the quiet of others", () => {
    const person = one("a", { stragglers: [straggler] });
    const quiet = one("b", { revokes: false, quietUntil: at(500) });
    expect(next([person, quiet])).toMatchObject({ do: "wait", forPerson: true });
  });
});

describe("a rotation", () => {
  test("that has not begun a wave is left alone", () => {
    expect(decide(rotation({}, { history: [] }), facts(), at(100))).toEqual({ do: "nothing" });
  });

  test("that failed without a service's name blames none", () => {
    const rollout = { state: "failed", because: "crash", missing: [] } as const;
    expect(decide(rotation(after), facts({ labels: promoted, rollout }), at(100))).toEqual({
      do: "giveUp",
      code: "DEPLOYMENT_FAILED",
      because: "crash",
    });
  });

  test("whose old value is refused once it was set is set once more", () => {
    const seen = facts({ target: { from: "refused", to: "accepted" } });
    expect(decide(rotation({ setAttempts: 1 }), seen, at(100)).do).toBe("set");
  });

  test("on its way back moves the label, and notes when it did before a service is deployed", () => {
    const way = (current: string, demotedAt?: string) =>
      decide(
        rotation({ ...after, retreat: { ...back, ...(demotedAt ? { demotedAt } : {}) } }),
        facts({ labels: { current, staged: true } }),
        at(100),
      );
    expect(way("new").do).toBe("demote");
    expect(way("new", iso(31))).toEqual({ do: "note", that: "promoted" });
    expect(way("old").do).toBe("demote");
    expect(way("old", iso(31))).toEqual({ do: "look", at: "rollout" });
  });
});

describe("a label that somebody moved by hand", () => {
  const third = facts({ labels: { current: "third", staged: true } });
  const late = { do: "wait", because: "for the new value to be readable everywhere" };
  const follow = {
    do: "wait",
    because: "somebody moved AWSCURRENT back to the old version by hand; about to follow",
  };
  const followed = {
    do: "giveUp",
    code: "LABEL_MOVED",
    because: "somebody moved AWSCURRENT back to the old version by hand, so the services follow it",
  };
  const untilItIsBack = (where: string) => ({
    do: "wait",
    because: `somebody moved AWSCURRENT ${where}; whoever did must move it to new: nothing is revoked until then`,
    forPerson: true,
  });
  const moved = rotation({ ...after, displacedAt: iso(70) });

  test.each<[string, Rotation, Facts, number, object]>([
    ["may be a late answer for almost two seconds", rotation(after), facts(), 5.999, late],
    [
      "is taken for moved two seconds after the promotion",
      rotation(after),
      facts(),
      6,
      { do: "note", that: "displaced" },
    ],
    [
      "is no late answer when it stands where it never stood",
      rotation(after),
      third,
      5,
      { do: "note", that: "displaced" },
    ],
    ["is left to second thoughts for almost ten seconds", moved, facts(), 79.999, follow],
    ["is followed back after ten seconds", moved, facts(), 80, followed],
    [
      "is not followed back to a value that may be dead",
      rotation({ ...rolledOut, confirmedAt: iso(61), displacedAt: iso(70) }),
      facts(),
      100,
      untilItIsBack("back to the old version by hand, whose value may be dead"),
    ],
    [
      "is not followed back to a value that has leaked",
      leaked({ ...after, displacedAt: iso(70) }),
      facts(),
      100,
      untilItIsBack("back to the old version by hand, whose value may be dead"),
    ],
    [
      "is not followed to a version that is not ours",
      moved,
      third,
      100,
      untilItIsBack("to version third by hand, which is not ours"),
    ],
  ])("%s", (_promise, intent, seen, seconds, decision) => {
    expect(decide(intent, seen, at(seconds))).toEqual(decision);
  });
});

test("an emergency waits ten seconds for a label that it may see late, and only then gives up", () => {
  const moved = facts({ labels: { current: "third", pending: "new", staged: true } });
  expect(decide(leaked({}), moved, at(9))).toMatchObject({ do: "wait" });
  expect(decide(leaked({}), moved, at(10))).toMatchObject({ do: "giveUp", code: "LABEL_MOVED" });
  expect(decide(rotation(), moved, at(9))).toMatchObject({ do: "giveUp", code: "LABEL_MOVED" });
});

describe("in an emergency a way back", () => {
  const everywhere = { do: "wait", because: "for the old value to be readable everywhere" };
  test.each<[string, string | undefined, number, object]>([
    ["turns round at once if the label had not moved", undefined, 30, { do: "note", that: "returned" }],
    ["does not trust a label that it has just moved", iso(31), 32.999, everywhere],
    ["turns round two seconds after the label moved", iso(31), 33, { do: "note", that: "returned" }],
    ["turns round however long ago the label moved", iso(31), 5000, { do: "note", that: "returned" }],
  ])("%s", (_promise, demotedAt, seconds, decision) => {
    const intent = leaked({ ...after, retreat: { ...back, ...(demotedAt ? { demotedAt } : {}) } });
    expect(decide(intent, facts({ labels: promoted }), at(seconds))).toEqual(decision);
  });
});

describe("the way back", () => {
  const begun = rotation({ ...after, retreat: back });
  const demoted = rotation({ ...after, retreat: { ...back, demotedAt: iso(31) } });
  const elsewhere = facts({ labels: { current: "third", staged: true } });

  test.each<[string, Rotation, Facts, object]>([
    [
      "says why the label goes back first",
      begun,
      facts({ labels: promoted }),
      { do: "demote", because: "tasks that start from now on must read the old value" },
    ],
    [
      "says why a label that is back already is moved once more",
      begun,
      facts(),
      { do: "demote", because: "to note when the old value was current again" },
    ],
    [
      "moves a label that stands elsewhere, as long as it has not moved it before",
      begun,
      elsewhere,
      { do: "demote", because: "to note when the old value was current again" },
    ],
    [
      "says that a label which somebody moved meanwhile keeps both values",
      demoted,
      elsewhere,
      {
        do: "wait",
        because:
          "AWSCURRENT was moved to another version on the way back, whose value may be the new one; both stay accepted until a person decides",
        forPerson: true,
      },
    ],
    [
      "says that it waits for the old value",
      demoted,
      facts({ settled: false }),
      { do: "wait", because: "for the old value to be readable everywhere" },
    ],
    [
      "tells how far the services are",
      demoted,
      facts({ settled: true, rollout: { state: "running", because: "1 of 2", missing: [] } }),
      { do: "wait", because: "1 of 2" },
    ],
    [
      "says why the new value may be withdrawn",
      demoted,
      facts({ rollout: { state: "through", because: "", missing: [] } }),
      { do: "withdraw", because: "no task can hold the new value" },
    ],
    [
      "names the version that must be readable for its value to be taken back",
      rotation({ stagedAt: iso(1), setAttempts: 1, retreat: back }),
      facts({ labels: { current: "old", staged: false } }),
      {
        do: "wait",
        because:
          "version new cannot be read, so its value cannot be taken back from the target; make it readable again",
        forPerson: true,
      },
    ],
    [
      "ends with the reason that it began for",
      rotation({ ...after, retreat: { ...back, demotedAt: iso(31), withdrawnAt: iso(50) } }),
      facts(),
      { do: "finish", as: "rolledBack", because: "tasks crash" },
    ],
  ])("%s", (_promise, intent, seen, decision) => {
    expect(decide(intent, seen, at(100))).toEqual(decision);
  });

  test.each<[string, WaveRecord, Facts, object]>([
    ["that nobody began is not gone", wave(after), facts(), { do: "nothing" }],
    [
      "of a value that is current although nobody promoted it begins with the note that it is",
      wave({ retreat: back }),
      facts({ labels: promoted }),
      { do: "note", that: "promoted" },
    ],
  ])("%s", (_promise, record, seen, decision) => {
    expect(retreat(record, seen)).toEqual(decision);
  });
});
