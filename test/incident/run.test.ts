/** One run of `secret-compromised`, decision by decision. */
import { describe, expect, test } from "vitest";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { digestOf, judgeClick, type People, REFUSALS, whoMayAnswer } from "../../lib/incident/approval.ts";
import { judgeChoice } from "../../lib/incident/choice.ts";
import type { Decision, Facts } from "../../lib/incident/decision.ts";
import { next } from "../../lib/incident/next.ts";
import { type Event, record } from "../../lib/incident/record.ts";
import type { Run } from "../../lib/incident/run.ts";

const runbook = await loadRunbook("secret-compromised");
const PEOPLE: People = { approvers: ["UANN", "UBEN", "UCLEO"], responders: ["UDAN"] };
const START = Date.parse("2026-11-25T03:00:00Z");
const KILL = { step: "killOld", undo: false };
const REACH = { step: "reach", undo: false };

/** A run, a clock, and one worker that has the lease. */
class Night {
  now = new Date(START);
  run: Run;
  people = PEOPLE;

  constructor(
    inputs: Run["inputs"] = { secret: "shop/database" },
    requestedBy: Run["requestedBy"] = { person: "UANN" },
  ) {
    this.run = {
      ...{ id: "run-1", runbook: { id: runbook.id, hash: runbook.hash }, inputs, requestedBy },
      ...{ startedAt: this.now.toISOString(), steps: {}, revision: 0 },
    };
  }

  next(facts: Partial<Facts> = {}): Decision {
    const decision = next(this.run, runbook, { worker: "one", people: this.people, ...facts }, this.now);
    if (decision.do !== "record" || decision.event.what !== "leased") return decision;
    this.write(decision.event);
    return this.next(facts);
  }

  /** Lets it go on until it no longer only writes things down. */
  on(facts: Partial<Facts> = {}): Decision {
    const decision = this.next(facts);
    if (decision.do !== "record") return decision;
    this.write(decision.event);
    return this.on();
  }

  write(event: Event): void {
    this.run = record(this.run, event, this.now);
  }

  later(seconds: number): this {
    this.now = new Date(this.now.getTime() + seconds * 1000);
    return this;
  }

  click(by: string, digest = this.asked(), note?: string): string {
    const judged = judgeClick(
      this.run,
      runbook.steps,
      { by, digest, ...(note && { note }) },
      this.people,
      this.now,
    );
    if ("refused" in judged) return judged.refused;
    this.write(judged.event);
    return "taken";
  }

  asked(step = "killOld"): string {
    return this.run.steps[step]?.request?.digest ?? "";
  }
  status(step: string): string | undefined {
    return this.run.steps[step]?.status;
  }
}

const seen = (digest = "version v1 is current") => ({
  befores: [{ place: KILL, digest, shows: "AWSCURRENT is v1", isAlready: false }],
});
const passed = (place = KILL, check = "oldValueRefused") => ({
  proofs: [
    {
      ...{ place, verdict: "passed" as const },
      proof: { check, shows: "refused on both nodes", at: "2026-11-25T03:04:00.000Z" },
    },
  ],
});
const absent = {
  proofs: [{ place: KILL, verdict: "absent" as const, because: "the old value still works" }],
};
const silent = {
  proofs: [{ place: KILL, verdict: "couldNotAsk" as const, because: "no route to the database" }],
};

/** Up to the question, with everything that only reads out of the way. */
function asking(inputs?: Run["inputs"]): Night {
  const night = new Night(inputs);
  night.write({ what: "skipped", place: REACH, because: "not of interest here" });
  night.on(seen());
  return night;
}
function acting(): Night {
  const night = asking();
  expect(night.click("UBEN")).toBe("taken");
  const decision = night.next(seen());
  if (decision.do !== "act") throw new Error(decision.do);
  night.write(decision.event);
  return night;
}

describe("a step", () => {
  test("looks, asks, looks again, acts, and is ticked when the proof passes", () => {
    const night = new Night();
    const order = { place: KILL, action: "rotateEmergency", inputs: { secret: "shop/database" } };
    expect(night.next()).toEqual({ do: "look", at: "before", order });
    const asked = night.next(seen());
    expect(asked).toMatchObject({
      do: "record",
      event: {
        what: "asked",
        place: KILL,
        request: { people: 1, expiresAt: "2026-11-25T03:10:00.000Z", given: [] },
      },
    });
    if (asked.do === "record") night.write(asked.event);
    expect(night.status("killOld")).toBe("waiting");
    night.write({ what: "skipped", place: REACH, because: "not of interest here" });
    expect(night.next()).toEqual({
      do: "wait",
      because: '"Kill the leaked value" needs consent',
      until: new Date("2026-11-25T03:10:00Z"),
      people: ["UBEN", "UCLEO"],
      isOverdue: false,
    });
    expect(night.click("UBEN")).toBe("taken");
    expect(night.next()).toMatchObject({ do: "look", at: "before" });
    const act = night.next(seen());
    expect(act).toMatchObject({ do: "act", order, event: { what: "began", approval: night.asked() } });
    if (act.do === "act") night.write(act.event);
    expect(night.status("killOld")).toBe("acting");
    night.write({ what: "answered", place: KILL, gave: { services: ["main/shop"] } });
    expect(night.next()).toEqual({ do: "look", at: "proof", order, check: "oldValueRefused" });
    night.on(passed());
    expect(night.run.steps["killOld"]).toMatchObject({
      status: "done",
      proof: { shows: "refused on both nodes" },
    });
  });

  test("is not ticked because its act was answered: without proof in time it has failed", () => {
    const night = acting();
    night.write({ what: "answered", place: KILL });
    expect(night.next(absent)).toMatchObject({
      do: "wait",
      until: new Date("2026-11-25T03:00:05Z"),
      people: [],
    });
    night.later(30 * 60);
    expect(night.on(absent)).toMatchObject({
      do: "wait",
      because: '"Kill the leaked value": done, and not proven: the old value still works',
      people: ["UANN", "UBEN", "UCLEO", "UDAN"],
    });
    expect(night.status("killOld")).toBe("failed");
  });

  test("is not ticked by the proof of something else", () => {
    const night = acting();
    night.write({ what: "answered", place: KILL });
    expect(night.next(passed(KILL, "keyInactive"))).toMatchObject({ do: "look", at: "proof" });
    expect(night.next(passed(REACH))).toMatchObject({ do: "look", at: "proof" });
  });

  test("that is already as it should be is proven, and neither asked about nor done", () => {
    const night = new Night();
    const isAlready = { befores: seen().befores.map((one) => ({ ...one, isAlready: true })) };
    expect(night.next(isAlready)).toMatchObject({ do: "look", at: "proof" });
    expect(night.next({ ...isAlready, ...passed() })).toMatchObject({
      do: "record",
      event: { what: "proven" },
    });
    expect(night.next({ ...isAlready, ...absent })).toMatchObject({ do: "record", event: { what: "asked" } });
  });

  test("whose condition does not hold is skipped, and one whose input is unknown fails", () => {
    const night = acting();
    night.write({ what: "answered", place: KILL });
    night.on(passed());
    expect(night.status("keyOff")).toBe("skipped");
    expect(night.status("endSessions")).toBe("skipped");
    // `killOld` gave no list of services, and the message names them.
    for (const step of ["allUpdated"])
      night.write({ what: "skipped", place: { step, undo: false }, because: "test" });
    night.on();
    expect(night.run.steps["tellEngineers"]).toMatchObject({
      status: "failed",
      because: "killOld.services is not known, and text needs it",
    });
  });
});

describe("consent", () => {
  test("is for what was so when people were asked: what changed since is asked about anew", () => {
    const night = asking();
    const first = night.asked();
    expect(night.click("UBEN")).toBe("taken");
    night.on(seen("version v2 is current"));
    night.on(seen("version v2 is current"));
    expect(night.status("killOld")).toBe("waiting");
    expect(night.asked()).not.toBe(first);
    expect(night.click("UBEN", first)).toBe("superseded");
  });

  test("is for this run, page, step, way, action, inputs, world and question, and for no other of any of them", () => {
    const { run } = new Night();
    const order = { place: KILL, action: "rotateEmergency" as const, inputs: { secret: "shop/database" } };
    const was = { digest: "v1", shows: "v1" };
    const digests = [
      digestOf(run, order, was, 1),
      digestOf({ ...run, id: "run-2" }, order, was, 1),
      digestOf({ ...run, runbook: { ...run.runbook, hash: "another" } }, order, was, 1),
      digestOf(run, { ...order, place: REACH }, was, 1),
      digestOf(run, { ...order, place: { ...KILL, undo: true } }, was, 1),
      digestOf(run, { ...order, action: "rotate" }, was, 1),
      digestOf(run, { ...order, inputs: { secret: "shop/redis" } }, was, 1),
      digestOf(run, order, { ...was, digest: "v2" }, 1),
      digestOf(run, order, undefined, 1),
      digestOf(run, order, was, 2),
    ];
    expect(new Set(digests).size).toBe(10);
    const two = { secret: "shop/database", hours: 3 };
    const turned = { hours: 3, secret: "shop/database" };
    expect(digestOf(run, { ...order, inputs: two }, was, 1)).toBe(
      digestOf(run, { ...order, inputs: turned }, was, 1),
    );
  });

  test("for something else begins nothing, even if the step is approved", () => {
    const night = asking();
    expect(night.click("UBEN")).toBe("taken");
    const begin = (approval?: string): Event => ({
      what: "began",
      place: KILL,
      ...(approval && { approval }),
    });
    for (const event of [begin("0".repeat(64)), begin()])
      expect(() => night.write(event)).toThrow(expect.objectContaining({ code: "RECORD_INVALID" }));
    night.write(begin(night.asked()));
    expect(night.status("killOld")).toBe("acting");
  });

  test("does not keep: approved and not begun in time, it is asked for again", () => {
    const night = asking();
    night.later(599);
    expect(night.click("UBEN")).toBe("taken");
    expect(night.later(1).next(seen())).toMatchObject({
      do: "record",
      event: { what: "lapsed", isSilence: false },
    });
  });

  test("that nobody gives is asked for three times, louder, and then the step has failed", () => {
    const night = asking();
    for (const isOverdue of [false, true, true]) {
      expect(night.next()).toMatchObject({ do: "wait", isOverdue });
      night.later(600).next();
      night.on(seen());
      night.on(seen());
    }
    expect(night.run.steps["killOld"]).toMatchObject({ status: "failed", because: "nobody answered" });
  });

  test.each<[string, (night: Night) => string]>([
    ["requester", (night) => night.click("UANN")],
    ["notAllowed", (night) => night.click("UDAN")],
    ["notAllowed", (night) => night.click("UEVE")],
    ["superseded", (night) => night.click("UBEN", "0".repeat(64))],
    ["expired", (night) => night.later(600).click("UBEN")],
    ["answered", (night) => [night.click("UBEN"), night.click("UBEN")][1] ?? ""],
    ["answered", (night) => [night.click("UBEN"), night.click("UCLEO")][1] ?? ""],
  ])("is refused as %s", (refusal, click) => {
    const night = asking();
    expect(click(night)).toBe(refusal);
    expect(REFUSALS).toHaveProperty(refusal);
  });

  test("is used up by the act, and by the end of the run", () => {
    const night = acting();
    expect(night.click("UCLEO")).toBe("used");
    const ended = asking();
    ended.write({ what: "cancelled", by: "UBEN", because: "a false alarm" });
    expect(ended.click("UBEN")).toBe("ended");
    expect(ended.next()).toEqual({ do: "nothing" });
  });

  test("that nobody may give is not waited for: the step says whom it lacks", () => {
    const night = new Night();
    night.people = { approvers: ["UANN"], responders: ["UDAN"] };
    night.on(seen());
    expect(night.run.steps["killOld"]).toMatchObject({
      status: "failed",
      because: "it needs 1 of the approvers besides the requester, and there are 0",
    });
  });

  test("of a run that a finding began may come from any approver", () => {
    const night = new Night({ secret: "shop/database" }, { rekey: "finding" });
    night.on(seen());
    expect(night.click("UANN")).toBe("taken");
  });
});

describe("what may have happened", () => {
  test("is unknown after a crash or a timeout, and is looked at before anything else", () => {
    const night = acting();
    expect(night.next()).toMatchObject({ do: "record", event: { what: "lost" } });
    night.on();
    expect(night.status("killOld")).toBe("unknown");
    expect(night.next()).toMatchObject({ do: "look", at: "proof" });
    night.on(passed());
    expect(night.status("killOld")).toBe("done");
  });

  test("is asked about anew, with a new question, when a minute shows no trace of it", () => {
    const night = acting();
    const first = night.asked();
    night.on();
    expect(night.later(59).next(absent)).toMatchObject({ do: "wait" });
    night.later(1).on(absent);
    night.on(seen());
    expect(night.status("killOld")).toBe("waiting");
    expect(night.asked()).not.toBe(first);
    expect(night.run.steps["killOld"]?.attempts).toBe(1);
  });

  test("that leaves no trace twice is not begun a third time", () => {
    const night = acting();
    night.on();
    night.later(60).on(absent);
    night.on(seen());
    expect(night.click("UCLEO")).toBe("taken");
    const again = night.next(seen());
    if (again.do !== "act") throw new Error(again.do);
    night.write(again.event);
    night.on();
    night.later(60).on(absent);
    expect(night.run.steps["killOld"]).toMatchObject({
      status: "failed",
      because: "begun 2 times, and nothing of it is there: the old value still works",
    });
  });

  test("is never repeated while nobody can be asked: an approver must say that the run goes on", () => {
    const night = acting();
    night.on();
    expect(night.later(3_600).on(silent)).toMatchObject({
      do: "wait",
      because: '"Kill the leaked value": no route to the database',
      people: ["UANN", "UBEN", "UCLEO", "UDAN"],
      isOverdue: true,
    });
    const goOn = (by: string) =>
      judgeChoice(night.run, runbook, { choose: "goOn", step: "killOld", by }, PEOPLE);
    expect(goOn("UDAN")).toEqual({ refused: "nobody knows how it ended; an approver must decide" });
    expect(goOn("UBEN")).toEqual({ event: { what: "goOn", step: "killOld", by: "UBEN" } });
    expect(
      judgeChoice(night.run, runbook, { choose: "cancel", because: "tired", by: "UBEN" }, PEOPLE),
    ).toEqual({
      refused: "something is under way; it is ended when that is known",
    });
  });
});

test("while consent is waited for, evidence is collected; no check goes ahead of what it checks", () => {
  const night = new Night();
  night.on(seen());
  const decision = night.next();
  expect(decision).toMatchObject({ do: "act", order: { place: REACH, action: "blastRadius" } });
  if (decision.do === "act") night.write(decision.event);
  night.write({
    what: "answered",
    place: REACH,
    gave: { secrets: ["shop/redis"], services: [], readers: 1 },
  });
  night.on(passed(REACH, "coverageStated"));
  expect(night.status("reach")).toBe("done");
  // `verify` only reads as well, and would say that all is well before anything was done.
  expect(night.on()).toMatchObject({ do: "wait", because: '"Kill the leaked value" needs consent' });
  expect(night.status("allUpdated")).toBeUndefined();
  expect(night.status("killTheRest")).toBeUndefined();
});

describe("a person's step", () => {
  test("is ticked by a person's word and what they wrote down, the requester's too", () => {
    const night = asking();
    for (const { id } of runbook.steps.slice(0, -1))
      if (night.run.steps[id]?.status !== "skipped")
        night.write({ what: "failed", place: { step: id, undo: false }, because: "test" });
    for (const { id } of runbook.steps.slice(0, -1))
      if (night.status(id) === "failed") night.write({ what: "goOn", step: id, by: "UBEN" });
    expect(night.on()).toMatchObject({
      do: "wait",
      people: ["UANN", "UBEN", "UCLEO", "UDAN"],
      isOverdue: false,
    });
    expect(night.click("UDAN", night.asked("findTheLeak"))).toBe("noNote");
    expect(night.click("UEVE", night.asked("findTheLeak"), "me")).toBe("notAllowed");
    expect(night.later(86_400).next()).toMatchObject({ do: "wait", isOverdue: true });
    expect(night.click("UANN", night.asked("findTheLeak"), "a log line, since removed")).toBe("taken");
    expect(night.click("UBEN", night.asked("findTheLeak"), "a ticket")).toBe("answered");
    expect(night.run.steps["findTheLeak"]?.proof).toMatchObject({
      by: "UANN",
      shows: "a log line, since removed",
    });
    night.on();
    expect(night.run.ended).toMatchObject({ as: "completed" });
  });
});

describe("taking a step back", () => {
  const withKey = () => {
    const night = asking({ secret: "shop/database", accessKey: "AKIAABCDEFGHIJKLMNOP" });
    const proof = { check: "keyInactive", shows: "inactive", at: night.now.toISOString() };
    night.write({ what: "proven", place: { step: "keyOff", undo: false }, proof });
    return night;
  };
  const back = (night: Night, step: string, by = "UBEN") =>
    judgeChoice(night.run, runbook, { choose: "takeBack", step, by }, PEOPLE);

  test("needs two people more, neither of them who asked for the run nor for this", () => {
    const night = withKey();
    night.people = { approvers: ["UANN", "UBEN", "UCLEO", "UEVA"], responders: [] };
    const choice = back(night, "keyOff");
    if ("refused" in choice) throw new Error(choice.refused);
    night.write(choice.event);
    const place = { step: "keyOff", undo: true };
    const order = { place, action: "enableAwsKey", inputs: { accessKey: "AKIAABCDEFGHIJKLMNOP" } };
    expect(night.next()).toEqual({ do: "look", at: "before", order });
    const inactive = { befores: [{ place, digest: "inactive", shows: "inactive", isAlready: false }] };
    night.on(inactive);
    const digest = night.run.steps["keyOff"]?.undo?.request?.digest ?? "";
    const step = runbook.steps.find(({ id }) => id === "keyOff");
    expect(step && whoMayAnswer(night.run, step, place, night.people)).toEqual(["UCLEO", "UEVA"]);
    expect(night.click("UANN", digest)).toBe("requester");
    expect(night.click("UBEN", digest)).toBe("requester");
    expect(night.click("UCLEO", digest)).toBe("taken");
    expect(night.click("UCLEO", digest)).toBe("twice");
    expect(night.next(inactive)).toMatchObject({ do: "wait", people: ["UEVA"] });
    expect(night.click("UEVA", digest)).toBe("taken");
    expect(night.next(inactive)).toMatchObject({ do: "act", order });
  });

  test("that nobody knows the end of is passed over by an approver, and may be tried anew", () => {
    const night = withKey();
    night.write({ what: "takeBack", step: "keyOff", by: "UBEN" });
    const place = { step: "keyOff", undo: true };
    night.write({
      what: "asked",
      place,
      request: { digest: "d", people: 1, askedAt: night.now.toISOString(), given: [] },
    });
    night.write({ what: "agreed", place, by: "UCLEO", digest: "d" });
    night.write({ what: "began", place, approval: "d" });
    night.write({ what: "lost", place, because: "no answer came" });
    const goOn = (by: string) =>
      judgeChoice(night.run, runbook, { choose: "goOn", step: "keyOff", by }, PEOPLE);
    expect(goOn("UDAN")).toHaveProperty("refused");
    const choice = goOn("UBEN");
    if ("refused" in choice) throw new Error(choice.refused);
    night.write(choice.event);
    expect(night.run.steps["keyOff"]).toMatchObject({ status: "done", undo: { status: "failed" } });
    expect(night.next()).toMatchObject({ do: "wait", because: '"Kill the leaked value" needs consent' });
    night.write({ what: "takeBack", step: "keyOff", by: "UBEN" });
    expect(night.next()).toMatchObject({ do: "look", at: "before", order: { place } });
  });

  test("is refused where there is no way back, and for what is not done", () => {
    const night = withKey();
    night.write({ what: "failed", place: KILL, because: "test" });
    expect(back(night, "killOld")).toEqual({
      refused: "it cannot be taken back: a leaked value is never brought back",
    });
    expect(back(night, "endSessions")).toEqual({ refused: "the step is pending" });
    expect(back(night, "keyOff", "UEVE")).toEqual({
      refused: "only the people named in Rekey's settings may decide this",
    });
  });
});

describe("a run", () => {
  test("is left to whoever has its lease, and taken when that has ended", () => {
    const night = new Night();
    night.write({ what: "leased", holder: "two", until: new Date(START + 120_000) });
    expect(night.next()).toEqual({
      do: "leave",
      because: "two is at work on it",
      until: new Date(START + 120_000),
    });
    night.later(120);
    expect(night.next()).toMatchObject({ do: "look" });
    expect(night.run.lease).toEqual({ holder: "one", until: "2026-11-25T03:04:00.000Z" });
  });

  test("keeps to the page as it was when it began", () => {
    const night = new Night();
    const edited = { ...runbook, hash: "another" };
    expect(next(night.run, edited, { worker: "one", people: PEOPLE }, night.now)).toMatchObject({
      do: "load",
      hash: runbook.hash,
    });
  });

  test.each<[string, Event]>([
    ["an act without its consent", { what: "began", place: KILL }],
    ["an act with another's consent", { what: "began", place: KILL, approval: "0".repeat(64) }],
    ["an answer to what nobody began", { what: "answered", place: KILL }],
    ["the same person twice", { what: "agreed", place: KILL, by: "UBEN", digest: "" }],
    [
      "an undoing that nobody asked for",
      { what: "skipped", place: { ...KILL, undo: true }, because: "test" },
    ],
  ])("does not take %s, whoever says so", (_, event) => {
    const night = asking();
    const given = event.what === "agreed" ? { ...event, digest: night.asked() } : event;
    if (event.what === "agreed") {
      // Two are needed here, so that the first word does not settle it.
      const { request } = night.run.steps["killOld"] ?? {};
      const step = night.run.steps["killOld"];
      if (!request || !step) throw new Error("nothing was asked");
      night.run = {
        ...night.run,
        steps: { ...night.run.steps, killOld: { ...step, request: { ...request, people: 2 } } },
      };
      night.write(given);
    }
    expect(() => night.write(given)).toThrow(expect.objectContaining({ code: "RECORD_INVALID" }));
  });
});
