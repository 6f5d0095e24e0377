/**
 * Keeps the run's message in the channel equal to what the run is. A channel that is down delays the message and nothing
 * else: what should stand there is derived from the records, so a later round, or the next `advance`, catches up.
 */
import { createHash } from "node:crypto";
import { RekeyError } from "../errors.ts";
import type { Message } from "../message.ts";
import { renderBoard, renderThread } from "../rotation/board.ts";
import type { Rotation, Run } from "../rotation/intent.ts";
import { makeReport } from "../rotation/report.ts";
import type { Ports } from "./ports.ts";

/** Slack allows about one edit a second in a channel. */
const EDIT_EVERY_MS = 1_500;
const RETRY_MS = 10_000;

/** @param lasting whether the worker goes home after this: the message is then brought up to date even if it was edited just now */
export async function showBoard(
  ports: Ports,
  run: Run,
  rotations: readonly Rotation[],
  lasting: boolean,
): Promise<Run> {
  const { announcer } = ports;
  if (!announcer) return run;
  const report = makeReport(run, rotations);
  const message = renderBoard(report, progressOf(run, rotations));
  const board = run.board ?? { told: [] };
  const due = board.notBefore === undefined || ports.now() >= new Date(board.notBefore);
  const thread = lasting ? renderThread(report, board.told) : { replies: [], names: [] };
  if ((!due && !lasting) || isShown(run, message, thread.names)) return run;
  const later = (ms: number) => new Date(ports.now().getTime() + ms).toISOString();
  let next = board;
  try {
    const messageId = board.messageId ?? (await announcer.post(message)).messageId;
    next = { ...board, messageId, shown: digest(message), notBefore: later(EDIT_EVERY_MS) };
    if (board.messageId !== undefined && board.shown !== next.shown) await announcer.edit(messageId, message);
    for (const reply of thread.replies) await announcer.reply(messageId, reply);
    next = { ...next, told: [...board.told, ...thread.names] };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    ports.tell({ event: "slack.failed", runId: run.runId, code: error.code, message: error.message });
    const { shown: _, ...unshown } = next;
    next = { ...unshown, notBefore: later((error.retryAfterSeconds ?? RETRY_MS / 1000) * 1000) };
  }
  return ports.log.saveRun({ ...run, board: next });
}

/** Whether nothing is left to tell about this run. */
export function isTold(ports: Ports, run: Run, rotations: readonly Rotation[]): boolean {
  if (!ports.announcer) return true;
  const report = makeReport(run, rotations);
  return isShown(
    run,
    renderBoard(report, progressOf(run, rotations)),
    renderThread(report, run.board?.told ?? []).names,
  );
}

function isShown(run: Run, message: Message, untold: readonly string[]): boolean {
  return run.board?.shown === digest(message) && untold.length === 0;
}

const digest = (message: Message) => createHash("sha256").update(JSON.stringify(message)).digest("base64url");

/** Share of the steps that are behind us: promoted, rolled out, revoked, finished, for every secret. */
function progressOf(run: Run, rotations: readonly Rotation[]): number {
  if (rotations.length === 0) return run.status === "refused" || run.status === "done" ? 1 : 0;
  const done = rotations.map(({ outcome, history, waves }) => {
    if (outcome !== undefined) return 1;
    const wave = history.at(-1);
    const steps = [wave?.stagedAt, wave?.testedAt, wave?.promotedAt, wave?.rolledOutAt, wave?.revokedAt];
    const inWave = steps.filter((at) => at !== undefined).length / (steps.length + 1);
    return (history.length - 1 + inWave) / waves.length;
  });
  return done.reduce((sum, share) => sum + share, 0) / rotations.length;
}
