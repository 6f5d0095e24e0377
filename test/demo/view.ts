/**
 * What a person watches: the phases of each secret, the tasks of each service by the keys that they run on, requests and
 * failures. On a terminal one screen of 80 columns drawn over itself; anywhere else a line for each thing that happens.
 */
import type { Cloud } from "../standin/cloud.ts";
import type { Crowd } from "./crowd.ts";
import {
  type BackPhase,
  type DeploymentSpan,
  isBackPhase,
  PHASES,
  type Phase,
  type Progress,
  shortName,
} from "./progress.ts";
import { requestsIn } from "./traffic.ts";
import { SERVICES, type ServiceName } from "./world.ts";

export interface Watched {
  readonly cloud: Cloud;
  readonly crowd: Crowd;
  readonly progress: Progress;
  readonly startedAt: number;
  /** What is going on, in a few words. */
  readonly stage: () => string;
}

export interface View {
  stop(): void;
}

const WIDTH = 78;
const DRAW_MS = 250;
const PLAIN_MS = 5_000;
const BARS = "▁▂▃▄▅▆▇█";
const RATE_OF_A_FULL_BAR = 500;
/** Heading and width of each phase's column, in the order of the phases. */
const COLUMNS: Readonly<Record<Phase, readonly [heading: string, width: number]>> = {
  stage: ["stage", 7],
  set: ["set", 6],
  test: ["test", 6],
  promote: ["promote", 9],
  rollOut: ["roll out", 10],
  confirm: ["confirm", 9],
  revoke: ["revoke", 8],
  finish: ["", 2],
};

/** What the way back has done by then and what is next, in the columns behind the promotion. */
const WAY_BACK: Readonly<Record<BackPhase | "finish", string>> = {
  failed: "moving the label back",
  demote: "label ✓ services",
  withdraw: "label ✓ services ✓ value ✓",
  finish: "label ✓ services ✓ value ✓",
};
/** The same in the lines for what is no terminal. */
const PLAIN_BACK: Readonly<Record<BackPhase, string>> = {
  failed: "given up, everything goes back",
  demote: "the label is back on the old version",
  withdraw: "the services are back and the new value is withdrawn",
};

const ink = (code: number) => (text: string) => `\x1b[${code}m${text}\x1b[0m`;
const [bold, dim, red, green, yellow, blue] = [ink(1), ink(2), ink(31), ink(32), ink(33), ink(36)];

/** @param quiet writes nothing, for output that a program reads */
export function startView(watched: Watched, quiet: boolean): View {
  if (quiet) return { stop() {} };
  const { isTTY, columns } = process.stdout;
  return isTTY && columns > WIDTH ? liveView(watched) : plainView(watched);
}

function liveView(watched: Watched): View {
  let drawn = 0;
  const draw = () => {
    const lines = screen(watched, Date.now());
    const home = drawn > 0 ? `\x1b[${drawn}A` : "";
    // One write, over the old lines and not over a cleared screen: clearing first is what flickers.
    process.stdout.write(
      `\x1b[?2026h\x1b[?7l${home}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[?7h\x1b[?2026l`,
    );
    drawn = lines.length;
  };
  const showCursor = () => process.stdout.write("\x1b[?25h");
  process.stdout.write("\x1b[?25l");
  process.once("exit", showCursor);
  const timer = setInterval(draw, DRAW_MS);
  draw();
  let isStopped = false;
  return {
    stop() {
      if (isStopped) return;
      isStopped = true;
      clearInterval(timer);
      draw();
      process.off("exit", showCursor);
      showCursor();
    },
  };
}

function plainView({ crowd, progress, startedAt, stage }: Watched): View {
  let [toldPhases, toldStage, toldAt] = [new Map<string, number>(), "", 0];
  const say = (text: string) =>
    console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  const tell = () => {
    if (stage() !== toldStage) say(stage());
    toldStage = stage();
    for (const [secret, spans] of progress.secrets) {
      for (const { phase } of spans.slice(toldPhases.get(secret) ?? 0))
        say(`${shortName(secret)}: ${isBackPhase(phase) ? PLAIN_BACK[phase] : `${phase} done`}`);
      toldPhases.set(secret, spans.length);
    }
    if (Date.now() - toldAt < PLAIN_MS) return;
    toldAt = Date.now();
    say(`${group(crowd.requests())} requests, ${group(crowd.failures.length)} failed`);
  };
  const timer = setInterval(tell, DRAW_MS);
  return { stop: () => clearInterval(timer) };
}

function screen({ cloud, crowd, progress, startedAt, stage }: Watched, now: number): string[] {
  const seconds = Math.floor((now - startedAt) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const failures = crowd.failures.length;
  const last = crowd.reports.at(-1);
  const rate = last ? Math.round(requestsIn(last) / last.seconds) : 0;
  const told = failures === 0 ? green("0 failed") : red(`${group(failures)} failed`);
  return [
    "",
    ` ${bold("Rekey")}  ${stage().padEnd(WIDTH - 8 - clock.length)}${clock}`,
    "",
    ` ${dim("secret".padEnd(20) + PHASES.map((phase) => COLUMNS[phase][0].padStart(COLUMNS[phase][1])).join(""))}`,
    ...[...progress.secrets.keys()].map((secret) => secretRow(progress, secret, now)),
    "",
    ` ${dim(`${"service".padEnd(20)}tasks, by the keys that they run on`)}`,
    ...SERVICES.map((service) => serviceRow(cloud, crowd, service, progress.deploymentOf(service))),
    "",
    ` ${dim("requests a second, each bar coloured by the keys of the tasks that answered")}`,
    ...chart(crowd),
    ` ${bold(`${group(crowd.requests())} requests`)}, ${told}, ${rate} a second now`,
    "",
  ];
}

/** The phases that a secret went through before it turned round. */
const FORWARD = ["stage", "set", "test", "promote"] as const;

function secretRow(progress: Progress, secret: string, now: number): string {
  const spans = progress.secrets.get(secret) ?? [];
  const open = progress.phaseOf(secret);
  const back = progress.wayBackOf(secret);
  const cells = (back ? FORWARD : PHASES).map((phase) => {
    const width = COLUMNS[phase][1];
    const own = spans.filter((span) => span.phase === phase);
    if (phase === "finish") return own.length > 0 ? green(" ✓") : "  ";
    if (open?.phase === phase) return yellow(`${inSeconds(now - open.since)}…`.padStart(width));
    if (own.length > 0)
      return green(inSeconds(own.reduce((sum, { from, to }) => sum + to - from, 0)).padStart(width));
    return dim("·".padStart(width));
  });
  if (back) {
    const isOpen = back.after === "failed" || back.after === "demote";
    const since = isOpen ? ` ${inSeconds(now - back.since)}…` : "";
    cells.push(`  ${(isOpen ? yellow : green)(`↩ ${WAY_BACK[back.after]}${since}`)}`);
  }
  return ` ${shortName(secret).padEnd(20)}${cells.join("")}`;
}

function serviceRow(
  cloud: Cloud,
  crowd: Crowd,
  service: ServiceName,
  deployment: DeploymentSpan | undefined,
): string {
  const targets = cloud.ecs.targets(service);
  const ports = new Map(targets.map(({ taskArn, port }) => [taskArn, port]));
  const counts = { old: 0, new: 0, idle: 0 };
  const tasks = cloud.ecs.tasks(service).filter(({ lastStatus }) => lastStatus !== "STOPPED");
  for (const { taskArn } of tasks) {
    const port = ports.get(taskArn);
    const generation = port === undefined ? undefined : crowd.generationAt(port);
    counts[generation === undefined ? "idle" : generation === crowd.firstGeneration() ? "old" : "new"] += 1;
  }
  const dots = `${blue("●".repeat(counts.old))}${green("●".repeat(counts.new))}${dim("○".repeat(counts.idle))}`;
  const words = [
    counts.old > 0 ? blue(`${counts.old} old`) : "",
    counts.new > 0 ? green(`${counts.new} new`) : "",
    counts.idle > 0 ? dim(`${counts.idle} starting or stopping`) : "",
  ].filter((text) => text !== "");
  const told = deployment === undefined ? "" : fateOf(deployment);
  return ` ${service.padEnd(20)}${dots}${" ".repeat(Math.max(6 - tasks.length, 0))}${words.join(", ")}${told}`;
}

function fateOf({ status, back }: DeploymentSpan): string {
  if (status === "failed") return red("  ✗ failed");
  if (!back) return "";
  return status === undefined ? yellow("  ↩ going back") : green("  ↩ back");
}

/** A bar for each second, the newest on the right, and below it a cross for each second with a failure. */
function chart(crowd: Crowd): [bars: string, crosses: string] {
  const shown = crowd.reports.slice(-(WIDTH - 1));
  const bars = shown.map((report) => {
    const level = Math.round((requestsIn(report) / report.seconds / RATE_OF_A_FULL_BAR) * BARS.length);
    const old = report.byGeneration[crowd.firstGeneration() ?? ""] ?? 0;
    const paint = old * 2 >= requestsIn(report) ? blue : green;
    return paint(BARS[Math.min(Math.max(level - 1, 0), BARS.length - 1)] ?? "");
  });
  const crosses = shown.map(({ failures }) => (failures.length > 0 ? red("✗") : " "));
  return [` ${bars.join("")}`, ` ${crosses.join("")}`];
}

/** At most five characters. */
function inSeconds(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)}s` : `${Math.round(seconds)}s`;
}

export const group = (count: number) => count.toLocaleString("en");
