/**
 * The clients: a process of its own that sends real requests at a steady rate to whatever targets the load balancer
 * lists, with tokens of every age, and reports once a second. Any answer but 200, and any broken connection, is a failure.
 */
import { Agent, request as httpRequest } from "node:http";

export interface TrafficTarget {
  readonly host: string;
  readonly port: number;
}
export type TrafficOrder = { readonly targets: Readonly<Record<string, readonly TrafficTarget[]>> } | { readonly stop: true };

export interface TrafficFailure {
  readonly at: number;
  readonly service: string;
  readonly reason: string;
}
export interface TrafficReport {
  readonly at: number;
  readonly byGeneration: Readonly<Record<string, number>>;
  readonly failures: readonly TrafficFailure[];
  readonly last: boolean;
}

const RATE_PER_SECOND = 450;
const TICK_MS = 20;
const SESSION_SHARE = 0.2;
const MOST_IN_FLIGHT = 200;
/** A token lives five seconds; one that is nearly dead could die on the way. */
const OLDEST_TOKEN_MS = 4_000;
const TIMEOUT_MS = 5_000;

const agent = new Agent({ keepAlive: true, maxSockets: 100 });
let targets: Readonly<Record<string, readonly TrafficTarget[]>> = {};
let tokens: { token: string; madeAt: number }[] = [];
let byGeneration: Record<string, number> = {};
let failures: TrafficFailure[] = [];
let inFlight = 0;
let sent = 0;
let stopping = false;

function send(service: string, token: string | undefined): void {
  const list = targets[service] ?? [];
  const target = list[sent % Math.max(list.length, 1)];
  sent += 1;
  if (!target) {
    failures.push({ at: Date.now(), service, reason: "no target" });
    return;
  }
  inFlight += 1;
  const fail = (reason: string) => failures.push({ at: Date.now(), service, reason });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = httpRequest({ ...target, agent, headers, method: token === undefined ? "POST" : "GET", path: "/", timeout: TIMEOUT_MS });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", (error: NodeJS.ErrnoException) => {
    inFlight -= 1;
    fail(error.code ?? error.message);
  });
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => {
      inFlight -= 1;
      const generation = String(response.headers["x-generation"]);
      byGeneration[generation] = (byGeneration[generation] ?? 0) + 1;
      if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
      else if (token === undefined) {
        tokens.push({ token: JSON.parse(Buffer.concat(chunks).toString()).token, madeAt: Date.now() });
      }
    });
  });
  request.end();
}

function tick(): void {
  if (stopping) return;
  tokens = tokens.filter(({ madeAt }) => Date.now() - madeAt < OLDEST_TOKEN_MS);
  for (let i = 0; i < (RATE_PER_SECOND * TICK_MS) / 1000 && inFlight < MOST_IN_FLIGHT; i += 1) {
    // Any age: a token signed before a deployment is shown to tasks started after it, and the other way round.
    const held = tokens[Math.floor(Math.random() * tokens.length)];
    if (held === undefined || Math.random() < SESSION_SHARE) send("gateway", undefined);
    else send(Math.random() < 0.5 ? "tokenguard" : "trustguard", held.token);
  }
}

function report(last: boolean): void {
  process.send?.({ at: Date.now(), byGeneration, failures, last } satisfies TrafficReport);
  byGeneration = {};
  failures = [];
}

const ticking = setInterval(tick, TICK_MS);
const reporting = setInterval(() => report(false), 1_000);

process.on("message", (order: TrafficOrder) => {
  if ("targets" in order) {
    targets = order.targets;
    return;
  }
  stopping = true;
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
