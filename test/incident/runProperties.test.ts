/** Whatever workers, people, clocks and networks do, in whatever order: what must hold of a run. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCondition } from "../../lib/incident/parseCondition.ts";
import type { Run } from "../../lib/incident/run.ts";
import type { Runbook, Step } from "../../lib/incident/runbook.ts";
import { type Outcome, PEOPLE, REQUESTER, RunWorld } from "./runWorld.ts";

type Shape = Pick<Step, "run" | "with" | "prove"> & { readonly when?: string; readonly people?: 1 | 2 };
const SHAPES: readonly Shape[] = [
  { run: "rotateEmergency", with: { secret: "{{secret}}" }, prove: "oldValueRefused", people: 1 },
  { run: "rotate", with: { secret: "{{secret}}" }, prove: "oldValueRefused", people: 1 },
  { run: "disableAwsKey", with: { accessKey: "AKIAABCDEFGHIJKLMNOP" }, prove: "keyInactive", people: 1 },
  { run: "enableAwsKey", with: { accessKey: "AKIAABCDEFGHIJKLMNOP" }, prove: "keyActive", people: 2 },
  { run: "blastRadius", with: { secret: "{{secret}}" }, prove: "coverageStated" },
  { run: "notify", with: { audience: "security", text: "It happened." }, prove: "messageTaken" },
  { run: "human", with: { record: "What was done" }, prove: "personConfirms" },
  { run: "verify", with: {}, prove: "everythingHolds", when: "not given(role)" },
  { run: "verify", with: {}, prove: "everythingHolds", when: "given(role)" },
];

const steps = fc
  .array(
    fc.record({
      shape: fc.constantFrom(...SHAPES),
      ifFails: fc.constantFrom("stop" as const, "continue" as const),
      ifSilent: fc.constantFrom("escalate" as const, "fail" as const),
      withinMinutes: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((list): Step[] =>
    list.map(({ shape: { when, people, ...shape }, ifFails, ifSilent, withinMinutes }, at) => {
      const condition = when === undefined ? undefined : parseCondition(when);
      return {
        ...shape,
        ...{
          id: `step${at}`,
          phase: "Contain",
          title: `Step ${at}`,
          prose: "Do it.",
          withinMinutes,
          ifFails,
        },
        ...(condition && !("wrong" in condition) && { when: condition }),
        ...(people && { approve: { people, withinMinutes: 10, ifSilent } }),
      };
    }),
  );

const runbookOf = (list: readonly Step[]): Runbook => ({
  ...{ id: "leak", title: "A leak", severity: "high", owner: "on-call", triggers: ["slack"], inputs: {} },
  ...{ reviewed: "2026-11-25", reviewEveryDays: 90, opening: "Begin.", steps: list, hash: "h1" },
});
const runOf = (): Run => ({
  ...{ id: "run-1", runbook: { id: "leak", hash: "h1" }, inputs: { secret: "shop/database" } },
  ...{ requestedBy: { person: REQUESTER }, startedAt: "2026-11-25T03:00:00.000Z", steps: {}, revision: 0 },
});

const RUNS = 1_000;

const person = fc.constantFrom(...PEOPLE.approvers, ...PEOPLE.responders, "UEVE");
const worker = fc.nat(1);
const deed = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("turn" as const),
      worker,
      fresh: fc.boolean(),
      rounds: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      worker,
      outcome: fc.constantFrom<Outcome>(
        "answered",
        "answered",
        "answered",
        "refused",
        "lost",
        "lostWithoutEffect",
        "died",
        "diedWithoutEffect",
      ),
    }),
  },
  // Twice or more on one button, an old button, or one that nobody has asked with.
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("click" as const),
      person,
      ago: fc.nat(2),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.constantFrom(1, 30, 61, 130, 599, 1_300),
      took: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), worker }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("change" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("silence" as const), canBeAsked: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("choose" as const),
      choose: fc.constantFrom("tryAgain" as const, "goOn" as const, "takeBack" as const),
      step: fc.nat(5),
      person,
    }),
  },
);
const deeds = fc.array(deed, { minLength: 20, maxLength: 150, size: "max" });
type Deed = typeof deed extends fc.Arbitrary<infer One> ? One : never;

function perform(world: RunWorld, one: Deed): void {
  switch (one.do) {
    case "turn":
      for (let round = 0; round < one.rounds; round += 1) world.turn(one.worker, one.fresh || round > 0);
      return;
    case "answer":
      world.answer(one.worker, one.outcome);
      return;
    case "click":
      for (let times = 0; times < one.times; times += 1)
        world.click(one.person, world.digests.at(-1 - one.ago) ?? "none");
      return;
    case "wait":
      world.wait(one.seconds, one.took);
      return;
    case "die":
      world.die(one.worker);
      return;
    case "change":
      world.change();
      return;
    case "silence":
      world.canBeAsked = one.canBeAsked;
      return;
    case "choose":
      world.choose({ choose: one.choose, step: `step${one.step}`, by: one.person });
  }
}

/** Nobody clicks and nothing fails: where does it come to rest? */
function rest(world: RunWorld): { readonly people: readonly string[] } | "ended" {
  world.canBeAsked = true;
  world.wait(300);
  for (let round = 0; round < 400; round += 1) {
    const decision = world.turn(0, true);
    world.answer(0, "answered");
    if (decision.do === "nothing") return "ended";
    if (decision.do === "leave") world.wait(130);
    if (decision.do === "wait" && decision.people.length > 0) return decision;
    if (decision.do === "wait")
      world.wait(Math.max(((decision.until?.getTime() ?? 0) - world.now.getTime()) / 1000, 1));
  }
  throw new Error("it never comes to rest");
}

test("no tick without a proof, no act without its consent, no consent used twice, nothing done twice unasked; and every run ends or waits for people it can name", () => {
  let [acts, ends, undone] = [0, 0, 0];
  const refusals = new Set<string>();
  fc.assert(
    fc.property(steps, deeds, fc.boolean(), (list, done, regrets) => {
      const world = new RunWorld(runbookOf(list), runOf());
      // The world itself looks at every act and every tick.
      for (const one of done) perform(world, one);
      acts += world.acts.length;
      for (const refusal of world.refusals) refusals.add(refusal);
      for (let round = 0; round < 60; round += 1) {
        const resting = rest(world);
        if (resting === "ended") break;
        expect(resting.people.length).toBeGreaterThan(0);
        for (const id of resting.people) expect([...PEOPLE.approvers, ...PEOPLE.responders]).toContain(id);
        cooperate(world);
        if (regrets && round < 3) takeBackAll(world, list);
      }
      expect(world.run.ended?.as).toBe("completed");
      // As a store gives it back.
      expect(JSON.parse(JSON.stringify(world.run))).toEqual(world.run);
      ends += 1;
      undone += world.acts.filter((key) => key.startsWith("undo")).length;
      for (const { id } of list) {
        const { status, proof, passedOverBy } = world.run.steps[id] ?? {};
        if (status === "done") expect(proof?.check).toBeDefined();
        else
          expect(status === "skipped" || status === "undone" || status === "failed", `${id} ${status}`).toBe(
            true,
          );
        if (passedOverBy !== undefined)
          expect([...PEOPLE.approvers, ...PEOPLE.responders]).toContain(passedOverBy);
      }
    }),
    { numRuns: RUNS },
  );
  // A world in which nothing happens would prove nothing.
  expect(ends).toBe(RUNS);
  expect(acts).toBeGreaterThan(500);
  expect(undone).toBeGreaterThan(10);
  expect([...refusals].sort()).toEqual([
    ...["answered", "ended", "expired", "notAllowed", "requester", "superseded", "twice", "used"],
  ]);
}, 120_000);

/** Everybody who is asked says yes; what failed is passed over. */
function cooperate(world: RunWorld): void {
  for (const id of ["UBEN", "UCLEO"]) {
    const digest = world.digests.at(-1);
    if (digest !== undefined) for (const one of new Set(world.digests)) world.click(id, one);
  }
  for (const [step, { status, undo }] of Object.entries(world.run.steps))
    if (status === "failed" || status === "unknown" || undo?.status === "failed")
      world.choose({ choose: "goOn", step, by: "UBEN" });
}

function takeBackAll(world: RunWorld, list: readonly Step[]): void {
  for (const { id } of list) world.choose({ choose: "takeBack", step: id, by: "UDAN" });
}
