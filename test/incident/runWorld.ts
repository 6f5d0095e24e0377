/**
 * A small world for runs: a store that takes a change only if nobody else made one, workers that die at any point, people
 * who click, and effects that took place or did not. It checks at every act what must hold whoever did what before.
 */
import { expect } from "vitest";
import type { ActionName } from "../../lib/incident/actions.ts";
import { judgeClick, type People, type Refusal } from "../../lib/incident/approval.ts";
import { type Choice, judgeChoice } from "../../lib/incident/choice.ts";
import type { Decision, Facts, Verdict } from "../../lib/incident/decision.ts";
import { next } from "../../lib/incident/next.ts";
import { type Event, record } from "../../lib/incident/record.ts";
import { type Order, type Place, type Run, workAt } from "../../lib/incident/run.ts";
import type { Runbook } from "../../lib/incident/runbook.ts";

export const PEOPLE: People = { approvers: ["UANN", "UBEN", "UCLEO"], responders: ["UDAN"] };
export const REQUESTER = "UANN";

/** By hand, and not from the registry: how many must agree, and whether the requester may be one of them. */
const NEEDS: Partial<Record<ActionName, { people: number; barsRequester: boolean }>> = {
  rotate: { people: 1, barsRequester: false },
  rotateEmergency: { people: 1, barsRequester: true },
  disableAwsKey: { people: 1, barsRequester: true },
  enableAwsKey: { people: 2, barsRequester: true },
};

export type Outcome = "answered" | "refused" | "lost" | "lostWithoutEffect" | "died" | "diedWithoutEffect";

interface Worker {
  readonly name: string;
  facts: Pick<Facts, "befores" | "proofs">;
  /** What it read last; it may be old. */
  run: Run;
  act: Order | undefined;
}

const keyOf = ({ step, undo }: Place) => `${undo ? "undo " : ""}${step}`;

export class RunWorld {
  now = new Date("2026-11-25T03:00:00Z");
  run: Run;
  readonly acts: string[] = [];
  readonly refusals: Refusal[] = [];
  readonly digests: string[] = [];
  canBeAsked = true;
  private readonly used = new Set<string>();
  private readonly effects = new Map<string, boolean>();
  /** What is begun takes a while, and is seen to be under way. */
  private readonly visibleAtMs = new Map<string, number>();
  /** Steps that a person has had tried again: they take the risk that it is done twice. */
  private readonly risked = new Set<string>();
  private changes = 0;
  private readonly workers: Worker[];
  readonly runbook: Runbook;

  constructor(runbook: Runbook, run: Run) {
    this.runbook = runbook;
    this.run = run;
    this.workers = ["one", "two"].map((name) => ({ name, facts: {}, run, act: undefined }));
  }

  worker(at: number): Worker {
    const worker = this.workers[at % 2];
    if (!worker) throw new Error("there are two");
    return worker;
  }

  /** One decision, and what comes of it. @param fresh whether it reads the run anew first */
  turn(at: number, fresh: boolean): Decision {
    const worker = this.worker(at);
    if (worker.act) return { do: "nothing" };
    if (fresh && worker.run.revision !== this.run.revision)
      Object.assign(worker, { run: this.run, facts: {} });
    const decision = next(
      worker.run,
      this.runbook,
      { worker: worker.name, people: PEOPLE, ...worker.facts },
      this.now,
    );
    if (decision.do === "look") this.look(worker, decision);
    if (decision.do === "wait") worker.facts = {};
    if (decision.do === "record") this.write(worker, decision.event);
    if (decision.do === "act" && this.write(worker, decision.event)) {
      worker.act = decision.order;
      this.checkAct(decision.order);
    }
    return decision;
  }

  /** How the act of a worker ends, if one is under way. */
  answer(at: number, outcome: Outcome): void {
    const worker = this.worker(at);
    const order = worker.act;
    if (!order) return;
    worker.act = undefined;
    const { place } = order;
    const took = outcome === "answered" || outcome === "lost" || outcome === "died";
    if (took) {
      this.effects.set(keyOf(place), true);
      this.visibleAtMs.set(keyOf(place), this.now.getTime() + 20_000);
      this.effects.set(keyOf({ ...place, undo: !place.undo }), false);
    }
    const gave = { secrets: ["shop/redis"], services: ["main/shop"], readers: this.changes % 3 };
    if (outcome === "answered")
      this.write(worker, { what: "answered", place, ...(order.action === "blastRadius" && { gave }) });
    if (outcome === "refused") this.write(worker, { what: "failed", place, because: "AWS refused it" });
    if (outcome.startsWith("lost")) this.write(worker, { what: "lost", place, because: "no answer came" });
    worker.facts = {};
  }

  die(at: number): void {
    this.answer(at, "diedWithoutEffect");
    Object.assign(this.worker(at), { facts: {}, run: this.run });
  }

  /** What lasts longer than a lease is cut off, with or without effect. */
  wait(seconds: number, tookEffect = true): void {
    if (seconds >= 60) for (const at of [0, 1]) this.answer(at, tookEffect ? "died" : "diedWithoutEffect");
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }

  /** Something about which people would decide otherwise. */
  change(): void {
    this.changes += 1;
  }

  click(by: string, digest: string): Refusal | undefined {
    const judged = judgeClick(this.run, this.runbook.steps, { by, digest, note: "seen" }, PEOPLE, this.now);
    if ("refused" in judged) {
      this.refusals.push(judged.refused);
      return judged.refused;
    }
    this.store(this.run, judged.event);
    return undefined;
  }

  choose(choice: Choice): boolean {
    const judged = judgeChoice(this.run, this.runbook, choice, PEOPLE);
    if ("refused" in judged) return false;
    if (choice.choose === "tryAgain") this.risked.add(keyOf({ step: choice.step, undo: false }));
    return this.store(this.run, judged.event);
  }

  private look(worker: Worker, { order, ...decision }: Extract<Decision, { do: "look" }>): void {
    const { place } = order;
    const isSo = this.effects.get(keyOf(place)) === true;
    if (decision.at === "before") {
      const before = { place, digest: `${keyOf(place)} ${this.changes}`, shows: "as it is", isAlready: isSo };
      worker.facts = { ...worker.facts, befores: [...(worker.facts.befores ?? []), before] };
      return;
    }
    const proof = { check: decision.check, shows: "looked at", at: this.now.toISOString() };
    const passed: Verdict = { verdict: "passed", proof };
    const isVisible = this.now.getTime() >= (this.visibleAtMs.get(keyOf(place)) ?? 0);
    const notYet: Verdict = { verdict: "notYet", because: "it is under way" };
    const absent: Verdict = { verdict: "absent", because: "nothing is there" };
    const verdict = isSo ? (isVisible ? passed : notYet) : absent;
    const asked: Verdict = this.canBeAsked
      ? verdict
      : { verdict: "couldNotAsk", because: "it does not answer" };
    worker.facts = { ...worker.facts, proofs: [...(worker.facts.proofs ?? []), { place, ...asked }] };
  }

  private write(worker: Worker, event: Event): boolean {
    const isWritten = this.store(worker.run, event);
    Object.assign(worker, { run: this.run, facts: {} });
    return isWritten;
  }

  /** A conditional write: it fails if the run is no longer what the writer read. */
  private store(read: Run, event: Event): boolean {
    if (read.revision !== this.run.revision) return false;
    this.run = record(read, event, this.now);
    expect(this.run.revision).toBe(read.revision + 1);
    if (event.what === "asked") this.digests.push(event.request.digest);
    if (event.what === "proven" && event.proof.by === undefined)
      expect(this.effects.get(keyOf(event.place)), `${keyOf(event.place)} was ticked`).toBe(true);
    return true;
  }

  private checkAct({ place, action }: Order): void {
    const { request } = workAt(this.run, place);
    const key = keyOf(place);
    this.acts.push(key);
    const needs = NEEDS[action];
    expect(this.effects.get(key) === true && !this.risked.has(key), `${key} was done twice`).toBe(false);
    if (!needs) return;
    const by = new Set(request?.given.map((one) => one.by));
    expect(by.size, `${key} has the consent it needs`).toBeGreaterThanOrEqual(needs.people);
    for (const one of by) expect(PEOPLE.approvers).toContain(one);
    if (needs.barsRequester) expect(by).not.toContain(REQUESTER);
    expect(this.now.getTime()).toBeLessThan(Date.parse(request?.expiresAt ?? ""));
    expect(this.used, "an approval is used once").not.toContain(request?.digest);
    this.used.add(request?.digest ?? "");
  }
}
