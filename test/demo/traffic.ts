/**
 * The clients: a process of its own that sends real requests at a steady rate to whatever targets the load balancer
 * lists, with tokens of every age, and reports once a second. Any answer but 200, and any broken connection, is a failure.
 */
import { Agent, request as httpRequest } from "node:http";

export interface TrafficTarget {
  readonly host: string;
  readonly port: number;
}
export type TrafficOrder =
  | { readonly targets: Readonly<Record<string, readonly TrafficTarget[]>> }
  | { readonly stop: true };

export interface TrafficFailure {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly service: string;
  readonly reason: string;
}
export interface TrafficReport {
  /** When the report ends, epoch milliseconds. */
  readonly at: number;
  /** How long it covers. */
  readonly seconds: number;
  /** Answered requests by the keys of the task that answered, failures among them. */
  readonly byGeneration: Readonly<Record<string, number>>;
  /** The keys that the task at a port last answered with. */
  readonly generationAt: Readonly<Record<string, string>>;
  readonly failures: readonly TrafficFailure[];
  /** Failures without an answer, which `byGeneration` does not have. */
  readonly unanswered: number;
  readonly last: boolean;
}

export const requestsIn = ({ byGeneration, unanswered }: TrafficReport): number =>
  Object.values(byGeneration).reduce((sum, count) => sum + count, unanswered);

const RATE_PER_SECOND = Number(process.argv[2]);
const TICK_MS = 20;
/** After a pause of the process it goes on at its rate and does not catch up in one burst. */
const LONGEST_TICK_MS = 100;
const SESSION_SHARE = 0.2;
const MOST_IN_FLIGHT = 200;
/** A token lives five seconds; one that is nearly dead could die on the way. */
const OLDEST_TOKEN_MS = 3_000;
const TIMEOUT_MS = 5_000;

function sendTraffic(): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  let targets: Readonly<Record<string, readonly TrafficTarget[]>> = {};
  let tokens: { token: string; madeAt: number }[] = [];
  let byGeneration: Record<string, number> = {};
  let generationAt: Record<string, string> = {};
  let failures: TrafficFailure[] = [];
  let unanswered = 0;
  let reportedAt = Date.now();
  let tickedAt = Date.now();
  let due = 0;
  let inFlight = 0;
  let sent = 0;

  function fail(service: string, reason: string, isAnswered: boolean): void {
    failures.push({ at: Date.now(), service, reason });
    if (!isAnswered) unanswered += 1;
  }

  function send(service: string, token: string | undefined): void {
    const list = targets[service] ?? [];
    const target = list[sent % Math.max(list.length, 1)];
    sent += 1;
    if (!target) {
      fail(service, "no target", false);
      return;
    }
    inFlight += 1;
    const request = httpRequest({
      host: target.host,
      port: target.port,
      agent,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      method: token === undefined ? "POST" : "GET",
      path: "/",
      timeout: TIMEOUT_MS,
    });
    let isOver = false;
    const over = (reason: string | undefined, isAnswered: boolean) => {
      if (isOver) return;
      isOver = true;
      inFlight -= 1;
      if (reason !== undefined) fail(service, reason, isAnswered);
    };
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message, false));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message, false));
      response.on("end", () => {
        const generation = String(response.headers["x-generation"]);
        byGeneration[generation] = (byGeneration[generation] ?? 0) + 1;
        generationAt[target.port] = generation;
        over(response.statusCode === 200 ? undefined : `status ${response.statusCode}`, true);
        if (response.statusCode === 200 && token === undefined) {
          tokens.push({ token: JSON.parse(Buffer.concat(chunks).toString()).token, madeAt: Date.now() });
        }
      });
    });
    request.end();
  }

  function tick(): void {
    const now = Date.now();
    due += (Math.min(now - tickedAt, LONGEST_TICK_MS) * RATE_PER_SECOND) / 1000;
    tickedAt = now;
    tokens = tokens.filter(({ madeAt }) => now - madeAt < OLDEST_TOKEN_MS);
    for (; due >= 1; due -= 1) {
      if (inFlight >= MOST_IN_FLIGHT) continue;
      // Any age: a token signed before a deployment is shown to tasks started after it, and the other way round.
      const held = tokens[Math.floor(Math.random() * tokens.length)];
      if (held === undefined || Math.random() < SESSION_SHARE) send("gateway", undefined);
      else send(Math.random() < 0.5 ? "tokenguard" : "trustguard", held.token);
    }
  }

  function report(last: boolean): void {
    const at = Date.now();
    const seconds = (at - reportedAt) / 1000;
    process.send?.({
      at,
      seconds,
      byGeneration,
      generationAt,
      failures,
      unanswered,
      last,
    } satisfies TrafficReport);
    [byGeneration, generationAt, failures, unanswered, reportedAt] = [{}, {}, [], 0, at];
  }

  const ticking = setInterval(tick, TICK_MS);
  const reporting = setInterval(() => report(false), 1_000);

  process.on("message", (order: TrafficOrder) => {
    if ("targets" in order) {
      targets = order.targets;
      return;
    }
    clearInterval(ticking);
    const finish = () => {
      if (inFlight > 0) {
        setTimeout(finish, 50);
        return;
      }
      clearInterval(reporting);
      report(true);
      agent.destroy();
      process.disconnect();
    };
    finish();
  });
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) sendTraffic();
