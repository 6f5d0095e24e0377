/** Asking whether everything holds, as a step of a runbook. Nothing is done: the proof asks. */
import { type Effect, nothingBefore, notYet, passed } from "../incident/effect.ts";
import type { DriftReport } from "../rotation/driftReport.ts";
import type { Verification } from "./request.ts";

/** Asks where the targets can be reached. */
export interface Verifier {
  /** @throws RekeyError AWS_* if there was no answer */
  verify(request: Verification): Promise<Pick<DriftReport, "findings" | "summary">>;
}

export function verifyEffect(verifier: Verifier, now: () => Date): Effect {
  return {
    before: nothingBefore,
    act: async () => undefined,
    async prove({ order }) {
      const { secret } = order.inputs;
      const report = await verifier.verify(secret === undefined ? {} : { only: [String(secret)] });
      const [first] = report.findings;
      if (first) return notYet(`${report.summary}; ${first.id} of ${first.secret}: ${first.says}`);
      return passed("everythingHolds", report.summary, now());
    },
  };
}
