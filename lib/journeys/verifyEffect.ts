/** Asking whether everything holds, as a step of a runbook. Nothing is done: the proof asks. */
import { type Effect, nothingBefore, notYet, passed } from "../incident/effect.ts";
import type { Ports } from "./ports.ts";
import { verify } from "./verify.ts";

export function verifyEffect({ announcer: _, ...ports }: Ports): Effect {
  return {
    before: nothingBefore,
    act: async () => undefined,
    // Without the channel: it is asked every few seconds, and the incident has its own message.
    async prove({ order }) {
      const { secret } = order.inputs;
      const report = await verify(ports, secret === undefined ? {} : { only: [String(secret)] });
      const [first] = report.findings;
      if (first) return notYet(`${report.summary}; ${first.id} of ${first.secret}: ${first.says}`);
      return passed("everythingHolds", report.summary, ports.now());
    },
  };
}
