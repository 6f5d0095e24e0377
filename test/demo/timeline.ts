/**
 * The picture of a run: requests per second stacked by the keys of the tasks that answered, failures in red, and below,
 * on the same time axis, the phases of each secret and the deployment of each service. Plain SVG, drawn for a light page
 * and, by the reader's setting, for a dark one.
 */
import { type DeploymentSpan, type PhaseSpan, type Progress, shortName } from "./progress.ts";
import { STYLE } from "./timelineStyle.ts";
import { requestsIn, type TrafficReport } from "./traffic.ts";
import { SERVICES } from "./world.ts";

export interface TimelineInput {
  readonly title: string;
  readonly reports: readonly TrafficReport[];
  readonly progress: Progress;
  /** The keys that everything ran on at first. */
  readonly firstGeneration: string | undefined;
}

const WIDTH = 960;
const LEFT = 152;
const RIGHT = 24;
const TOP = 124;
const PLOT = 210;
const ROW = 18;
const ROW_GAP = 7;
const GRID_STEP = 100;
const CHARACTER = 6.2;

/** Class names; the colours stand in the style sheet, for both kinds of page. */
const LOOK: Readonly<Record<PhaseSpan["phase"], readonly [style: string, label: string]>> = {
  stage: ["prepare", "stage"],
  set: ["prepare", "set"],
  test: ["prepare", "test"],
  promote: ["promote", "promote"],
  rollOut: ["rollout", "roll out"],
  confirm: ["confirm", "confirm"],
  revoke: ["revoke", "revoke"],
  finish: ["confirm", "finish"],
  failed: ["broken", "roll out, failed"],
  demote: ["promote", "label back"],
  withdraw: ["back", "services back"],
};
const LEGEND = [
  ["prepare", "stage, set, test"],
  ["promote", "promote"],
  ["rollout", "roll out"],
  ["confirm", "confirm"],
  ["revoke", "wait for the last token, revoke"],
  ["broken", "failed"],
  ["back", "services back"],
] as const;
/** Moments may be close, so each label has a line to itself: the first on top, where no later one's dashes cross it. */
const LEVEL = 14;
/** A revocation that takes longer waits for tokens of the old key to end. */
const WAITING_MS = 5_000;

interface Scale {
  x(at: number): number;
  y(perSecond: number): number;
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

export function drawTimeline({ title, reports, progress, firstGeneration }: TimelineInput): string {
  const scale = scaleOf(reports);
  const failed = reports.reduce((sum, { failures }) => sum + failures.length, 0);
  const requests = reports.reduce((sum, report) => sum + requestsIn(report), 0);
  const rows = TOP + PLOT + 54;
  const bands = [...progress.secrets].flatMap(([secret, spans], row) =>
    secretBand(scale, shortName(secret), spans, rows + row * (ROW + ROW_GAP)),
  );
  const deploymentsAt = rows + progress.secrets.size * (ROW + ROW_GAP) + 8;
  const deployments = deploymentRows(scale, progress, deploymentsAt);
  const deployed = SERVICES.filter((service) => progress.deploymentOf(service) !== undefined);
  const height = deploymentsAt + deployed.length * (ROW + ROW_GAP) + 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">
${STYLE}
<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>
${text(LEFT, 30, title, "title")}
${text(LEFT, 50, `${requests.toLocaleString("en")} requests, ${failed.toLocaleString("en")} failed`, failed > 0 ? "bad" : "")}
${plotLegend(failed)}
${grid(scale)}
${reports.flatMap((report) => bar(scale, report, firstGeneration)).join("\n")}
${moments(scale, progress).join("\n")}
${timeAxis(scale)}
${[...bands, ...deployments].join("\n")}
${phaseLegend(height - 14, progress)}
</svg>
`;
}

function scaleOf(reports: readonly TrafficReport[]): Scale {
  const first = reports[0];
  const from = (first?.at ?? 0) - (first?.seconds ?? 0) * 1000;
  const to = Math.max(reports.at(-1)?.at ?? 0, from + 1000);
  const most = Math.max(
    ...reports.map((report) => requestsIn(report) / Math.max(report.seconds, 0.5)),
    GRID_STEP,
  );
  const top = Math.ceil((most * 1.1) / GRID_STEP) * GRID_STEP;
  return {
    from,
    to,
    top,
    x: (at) => LEFT + ((at - from) / (to - from)) * (WIDTH - LEFT - RIGHT),
    y: (perSecond) => TOP + PLOT - (perSecond / top) * PLOT,
  };
}

/** One report as a stacked bar: old keys, new keys, failures on top. */
function bar(scale: Scale, report: TrafficReport, firstGeneration: string | undefined): string[] {
  const seconds = Math.max(report.seconds, 0.5);
  const [left, right] = [scale.x(report.at - report.seconds * 1000), scale.x(report.at)];
  const failed = report.failures.length;
  const answeredOld = report.byGeneration[firstGeneration ?? ""] ?? 0;
  const succeeded = Math.max(requestsIn(report) - failed, 0);
  const old = Math.min(answeredOld, succeeded);
  const parts = [
    ["old", old],
    ["new", succeeded - old],
    ["failed", failed],
  ] as const;
  let below = 0;
  return parts.flatMap(([style, count]) => {
    if (count === 0) return [];
    const [low, high] = [scale.y(below / seconds), scale.y((below + count) / seconds)];
    below += count;
    return [box(left + 0.4, high, Math.max(right - left - 0.8, 0.8), low - high, style)];
  });
}

/** The moments that matter, as lines through the plot: current, dead, and on the way back failed and withdrawn. */
function moments(scale: Scale, progress: Progress): string[] {
  const spans = [...progress.secrets.values()].flat();
  const last = (phase: PhaseSpan["phase"]) => {
    const ends = spans.filter((span) => span.phase === phase);
    return ends.length > 0 ? Math.max(...ends.map(({ to }) => to)) : undefined;
  };
  const failedAt = last("failed");
  const shown = [
    [last("promote"), "the new values are AWSCURRENT", "moment"],
    [failedAt, "a deployment fails: the label goes back", "moment trouble"],
    [last("withdraw"), "the new value is withdrawn", "moment"],
    [failedAt === undefined ? last("revoke") : undefined, "the last old value is refused", "moment"],
  ] as const;
  const happened = shown.flatMap(([at, label, style]) => (at === undefined ? [] : [{ at, label, style }]));
  return happened.flatMap(({ at, label, style }, position) => {
    const x = scale.x(at);
    const isFarRight = x + label.length * CHARACTER > WIDTH - RIGHT;
    const y = TOP - 6 - (happened.length - 1 - position) * LEVEL;
    return [
      `<line class="${style}" x1="${n(x)}" x2="${n(x)}" y1="${n(y - 8)}" y2="${TOP + PLOT}"/>`,
      text(isFarRight ? x - 5 : x + 5, y, label, "small", isFarRight ? "end" : "start"),
    ];
  });
}

function secretBand(scale: Scale, name: string, spans: readonly PhaseSpan[], y: number): string[] {
  const boxes = spans.flatMap(({ phase, from, to }) => {
    const [style, label] = LOOK[phase];
    const [left, width] = [scale.x(from), Math.max(scale.x(to) - scale.x(from), 1)];
    const isWaiting = phase === "revoke" && to - from > WAITING_MS;
    const says = isWaiting ? "wait for the last token of the old key, revoke" : label;
    const shape = box(left, y, width, ROW, style, `${label}: ${((to - from) / 1000).toFixed(1)} s`);
    return width > says.length * CHARACTER + 6
      ? [shape, text(left + width / 2, y + 13, says, "inside", "middle")]
      : [shape];
  });
  return [text(LEFT - 10, y + 13, name, "", "end"), ...boxes];
}

/** A row for each service: its deployments after one another, and in words how each ended. */
function deploymentRows(scale: Scale, progress: Progress, top: number): string[] {
  const deployed = SERVICES.filter((service) => progress.deploymentOf(service) !== undefined);
  return deployed.flatMap((service, row) => {
    const y = top + row * (ROW + ROW_GAP);
    const own = progress.deployments.filter((one) => one.service === service);
    const right = Math.max(...own.map(({ to }) => scale.x(to ?? scale.to)));
    const boxes = own.map((one) => {
      const [left, end] = [scale.x(one.from), scale.x(one.to ?? scale.to)];
      // A gap between two that follow each other at once.
      return box(left, y, Math.max(end - left - 1, 1), ROW, lookOf(one), fateOf(scale, one));
    });
    const said = own.map((one) => fateOf(scale, one)).join(", ");
    return [text(LEFT - 10, y + 13, service, "", "end"), ...boxes, text(right + 6, y + 13, said, "small")];
  });
}

const lookOf = ({ status, back }: DeploymentSpan) =>
  status === "failed" ? "broken" : back ? "back" : "rollout";

function fateOf(scale: Scale, { from, to, back, status }: DeploymentSpan): string {
  const seconds = `${(((to ?? scale.to) - from) / 1000).toFixed(1)} s`;
  if (status === "failed") return `failed after ${seconds}`;
  if (status === "superseded") return `turned round after ${seconds}`;
  return back ? `back in ${seconds}` : `deployed in ${seconds}`;
}

function grid(scale: Scale): string {
  const lines: string[] = [];
  for (let level = 0; level <= scale.top; level += GRID_STEP) {
    const y = scale.y(level);
    lines.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(y)}" y2="${n(y)}"/>`);
    lines.push(text(LEFT - 10, y + 4, String(level), "", "end"));
  }
  const middle = TOP + PLOT / 2;
  lines.push(
    `<text transform="translate(${LEFT - 50} ${middle}) rotate(-90)" text-anchor="middle">requests per second</text>`,
  );
  return lines.join("\n");
}

function timeAxis(scale: Scale): string {
  const seconds = (scale.to - scale.from) / 1000;
  const step = seconds > 30 ? 10 : 5;
  const y = TOP + PLOT;
  const ticks = [];
  for (let second = 0; second <= seconds; second += step) {
    const x = scale.x(scale.from + second * 1000);
    ticks.push(`<line class="axis" x1="${n(x)}" x2="${n(x)}" y1="${y}" y2="${y + 5}"/>`);
    ticks.push(text(x, y + 19, String(second), "", "middle"));
  }
  ticks.push(text(WIDTH - RIGHT, y + 36, "seconds since traffic began", "small", "end"));
  return ticks.join("\n");
}

function plotLegend(failed: number): string {
  const entries = [
    ["old", "answered by tasks on the old keys"],
    ["new", "answered by tasks on the new keys"],
    ...(failed > 0 ? ([["failed", "failed"]] as const) : []),
  ] as const;
  return legend(entries, LEFT, 72);
}

function phaseLegend(y: number, progress: Progress): string {
  const used = new Set([...progress.secrets.values()].flat().map(({ phase }) => LOOK[phase][0]));
  return legend(
    LEGEND.filter(([style]) => used.has(style)),
    LEFT,
    y,
  );
}

function legend(
  entries: readonly (readonly [style: string, label: string])[],
  left: number,
  y: number,
): string {
  let x = left;
  return entries
    .map(([style, label]) => {
      const entry = `${box(x, y - 10, 11, 11, style)}${text(x + 17, y, label, "small")}`;
      x += 36 + label.length * CHARACTER;
      return entry;
    })
    .join("\n");
}

const n = (value: number) => value.toFixed(1);
const escapeText = (value: string) =>
  value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function text(
  x: number,
  y: number,
  content: string,
  style = "",
  anchor: "start" | "middle" | "end" = "start",
): string {
  const look = style === "" ? "" : ` class="${style}"`;
  return `<text x="${n(x)}" y="${n(y)}"${look} text-anchor="${anchor}">${escapeText(content)}</text>`;
}

function box(x: number, y: number, width: number, height: number, style: string, title = ""): string {
  const inner = title === "" ? "/>" : `><title>${escapeText(title)}</title></rect>`;
  return `<rect class="${style}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"${inner}`;
}
