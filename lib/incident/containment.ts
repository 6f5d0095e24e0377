/**
 * How long it took until nothing more could happen, by the clocks of those who made it so: when we heard of a thing is not
 * when it came true.
 */
import type { Run } from "./run.ts";
import type { Runbook } from "./runbook.ts";

export interface Containment {
  readonly containedAt: Date;
  /** Since somebody or something of ours noticed. */
  readonly fromNoticeSeconds: number;
  /** Since the first bad use, where it is known. It may be before the notice by far. */
  readonly fromFirstUseSeconds?: number;
}

/**
 * @returns undefined while it is not contained: a step that contains is not settled, failed, or none was needed. What a
 * person passed over is not contained either.
 */
export function containmentOf(
  run: Run,
  runbook: Runbook,
  since: { readonly noticedAt: Date; readonly firstUseAt?: Date },
): Containment | undefined {
  const times: number[] = [];
  for (const { id, phase } of runbook.steps) {
    if (phase !== "Contain") continue;
    const { status, proof } = run.steps[id] ?? {};
    if (status === "skipped") continue;
    if (status !== "done" || !proof) return undefined;
    times.push(Date.parse(proof.providerAt ?? proof.at));
  }
  if (times.length === 0) return undefined;
  const containedAt = new Date(Math.max(...times));
  const secondsSince = (start: Date) => Math.max(0, (containedAt.getTime() - start.getTime()) / 1000);
  return {
    containedAt,
    fromNoticeSeconds: secondsSince(since.noticedAt),
    ...(since.firstUseAt && { fromFirstUseSeconds: secondsSince(since.firstUseAt) }),
  };
}
