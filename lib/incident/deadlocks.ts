/** Steps that would wait for people who are not there: found in the settings, not in the night. */
import { ACTIONS, barsRequester, PEOPLE } from "./actions.ts";
import type { People } from "./approval.ts";
import type { Runbook } from "./runbook.ts";

/** @returns a sentence for each step that somebody could ask for and then nobody could approve */
export function deadlocksIn(runbooks: readonly Runbook[], { approvers }: People): string[] {
  const many = new Set(approvers).size;
  return runbooks.flatMap(({ id, steps }) =>
    steps.flatMap(({ id: step, run, approve }) => {
      const { risk, undo } = ACTIONS[run];
      const needs = Math.max(approve?.people ?? 0, PEOPLE[risk]) + (barsRequester(risk) ? 1 : 0);
      const told = (what: string, people: number) =>
        `${id}: ${what} "${step}" needs ${people} approvers, whoever asks for it; there are ${many}`;
      // An approver may have asked for the run, and another for the way back.
      const back = "by" in undo ? PEOPLE[ACTIONS[undo.by].risk] + 2 : 0;
      return [
        ...(needs > many ? [told("the step", needs)] : []),
        ...(back > many ? [told("taking back", back)] : []),
      ];
    }),
  );
}
