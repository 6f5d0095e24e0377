/**
 * Drives one incident: gather, decide, act, write down, again, until it ends, waits for a person, or the time is over.
 * Whoever comes after a worker that died goes on from what is stored, and looks before it repeats anything.
 */
import { RekeyError } from "../errors.ts";
import { digestOf } from "../incident/approval.ts";
import type { Decision, Facts, Verdict, Wait } from "../incident/decision.ts";
import type { Effect, Task } from "../incident/effect.ts";
import { type Incident, withEvent } from "../incident/incident.ts";
import { next } from "../incident/next.ts";
import type { Event } from "../incident/record.ts";
import { type Order, type Run, workAt } from "../incident/run.ts";
import type { Runbook } from "../incident/runbook.ts";
import type { IncidentPorts } from "./incidentPorts.ts";
import { inTime } from "./inTime.ts";
import { tellIncident } from "./tellIncident.ts";

/** Shorter than a lease, so that whoever acts still has it when the act is over. */
const ACT_MS = 50_000;
const LOOK_MS = 30_000;
/** For what ends sooner than this it is waited; the rest is left to whoever comes next. */
const PATIENCE_MS = 15_000;
const ASK_AGAIN_MS = 5_000;

export interface Driven {
  readonly runId: string;
  readonly status: "completed" | "cancelled" | "waiting" | "busy" | "outOfTime" | "gone";
  readonly because: string;
  /** Whose word would move it on. */
  readonly people: readonly string[];
}

interface Gathered {
  readonly befores: NonNullable<Facts["befores"]>;
  readonly proofs: NonNullable<Facts["proofs"]>;
}
const NOTHING: Gathered = { befores: [], proofs: [] };

/** @throws RekeyError AWS_*, RECORD_INVALID when the incident itself cannot be read or written */
export async function driveIncident(ports: IncidentPorts, runId: string, deadline: Date): Promise<Driven> {
  let gathered = NOTHING;
  for (;;) {
    const stored = await ports.incidents.read(runId);
    if (!stored) return { runId, status: "gone", because: "there is no such run", people: [] };
    const { incident, runbook } = stored;
    const { run } = incident;
    const facts: Facts = { worker: ports.holder, people: ports.people, ...gathered };
    const decision = next(run, runbook, facts, ports.now());
    if (decision.do === "nothing") return end(ports, incident, runbook);
    if (decision.do === "leave") return { runId, status: "busy", because: decision.because, people: [] };
    if (decision.do === "load") throw new RekeyError("RECORD_INVALID", `run ${runId}: ${decision.because}`);
    if (ports.now() >= deadline) {
      const left = await leave(ports, incident, runbook, "outOfTime", "the time was over");
      if (left) return left;
    } else if (decision.do === "look") gathered = await look(ports, incident, decision, gathered);
    else if (decision.do === "wait") {
      gathered = NOTHING;
      await tellIncident(ports, incident, runbook);
      if (await waited(ports, decision, deadline)) continue;
      const left = await leave(ports, incident, runbook, "waiting", decision.because, decision.people);
      if (left) return left;
    } else {
      gathered = NOTHING;
      const saved = await write(ports, incident, decision.event);
      // Whoever could not write it down does not act.
      if (saved && decision.do === "act") {
        await tellIncident(ports, saved, runbook);
        await act(ports, saved, decision.order, decision.token);
      }
    }
  }
}

async function write(ports: IncidentPorts, incident: Incident, event: Event): Promise<Incident | undefined> {
  const saved = await ports.incidents.save(withEvent(incident, event, ports.now()));
  if (saved && event.what !== "leased") {
    const { seq, hash } = saved.audit;
    const step = "place" in event ? event.place.step : undefined;
    // The log's end is said where nobody who can change the table can change it.
    ports.tell({
      event: `incident.${event.what}`,
      run: saved.run.id,
      ...(step ? { step } : {}),
      audit: seq,
      hash,
    });
  }
  return saved;
}

async function act(ports: IncidentPorts, incident: Incident, order: Order, token: string): Promise<void> {
  const { place } = order;
  const { run } = incident;
  let event: Event;
  try {
    const effect = effectFor(ports, order);
    const gave = await inTime(ports, ACT_MS, effect.act(taskOf(incident, order, token, ports.now())));
    event = { what: "answered", place, ...(gave && { gave }) };
  } catch (error) {
    const because = error instanceof Error ? error.message : "it failed";
    ports.tell({ event: "incident.actFailed", run: run.id, step: place.step, error });
    event = didNotHappen(error) ? { what: "failed", place, because } : { what: "lost", place, because };
  }
  await write(ports, incident, event);
}

/** Only an answer that says no is one; after anything else it is looked for. */
const didNotHappen = (error: unknown) =>
  error instanceof RekeyError && !["AWS_UNANSWERED", "AWS_THROTTLED", "LEASE_LOST"].includes(error.code);

async function look(
  ports: IncidentPorts,
  incident: Incident,
  decision: Extract<Decision, { do: "look" }>,
  gathered: Gathered,
): Promise<Gathered> {
  const { order } = decision;
  const { place } = order;
  const task = taskOf(incident, order, tokenOf(incident.run, order), ports.now());
  try {
    const effect = effectFor(ports, order);
    if (decision.at === "before") {
      const before = await inTime(ports, LOOK_MS, effect.before(task));
      return { ...gathered, befores: [...gathered.befores, { place, ...before }] };
    }
    const verdict = await inTime(ports, LOOK_MS, effect.prove(task));
    return { ...gathered, proofs: [...gathered.proofs, { place, ...verdict }] };
  } catch (error) {
    const because = error instanceof Error ? error.message : "it could not be asked";
    ports.tell({ event: "incident.lookFailed", run: incident.run.id, step: place.step, error });
    if (decision.at === "proof") {
      const verdict: Verdict = { verdict: "couldNotAsk", because };
      return { ...gathered, proofs: [...gathered.proofs, { place, ...verdict }] };
    }
    if (didNotHappen(error) && workAt(incident.run, place).status === "pending")
      await write(ports, incident, { what: "failed", place, because });
    else await ports.sleep(ASK_AGAIN_MS);
    return NOTHING;
  }
}

function effectFor({ effects }: IncidentPorts, { action }: Order): Effect {
  if (action !== "human") return effects[action];
  throw new RekeyError("RECORD_INVALID", "what is for a person is done by nobody else");
}

function taskOf({ run, reason }: Incident, order: Order, token: string, now: Date): Task {
  const { before, beganAt } = workAt(run, order.place);
  return {
    runId: run.id,
    order,
    token,
    ...(before && { before }),
    beganAt: beganAt === undefined ? now : new Date(beganAt),
    reason: reason ?? `runbook ${run.runbook.id}, run ${run.id}`,
  };
}

/** As the act had it. */
function tokenOf(run: Run, order: Order): string {
  const { before, attempts } = workAt(run, order.place);
  return digestOf(run, order, before, attempts).slice(0, 32);
}

/** @returns false if it is not worth staying */
async function waited({ now, sleep }: IncidentPorts, { until }: Wait, deadline: Date): Promise<boolean> {
  const leftMs = until === undefined ? Number.POSITIVE_INFINITY : until.getTime() - now().getTime();
  if (leftMs > PATIENCE_MS || now().getTime() + leftMs >= deadline.getTime()) return false;
  await sleep(Math.max(leftMs, 0));
  return true;
}

/**
 * Gives the lease back, so that whoever answers is served at once.
 * @returns undefined if somebody wrote meanwhile, as a person does who answers just now: then there is more to do
 */
async function leave(
  ports: IncidentPorts,
  incident: Incident,
  runbook: Runbook,
  status: Driven["status"],
  because: string,
  people: readonly string[] = [],
): Promise<Driven | undefined> {
  const { run } = incident;
  await tellIncident(ports, incident, runbook);
  const given = await write(ports, incident, { what: "leased", holder: ports.holder, until: ports.now() });
  return given && { runId: run.id, status, because, people };
}

async function end(ports: IncidentPorts, incident: Incident, runbook: Runbook): Promise<Driven> {
  const { id, ended } = incident.run;
  await tellIncident(ports, incident, runbook);
  await ports.incidents.close(id);
  return { runId: id, status: ended?.as ?? "completed", because: ended?.because ?? "", people: [] };
}
