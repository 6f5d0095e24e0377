/** Slack's modals. They need no scope of their own. */
import { RekeyError } from "../errors.ts";
import type { Dialogs } from "../incident/answers.ts";
import { type SlackOptions, type SlackSays, slackClient } from "./slackClient.ts";

/** Slack's words for a click that somebody waited for too long. */
const TOO_LATE = ["expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged"];

export function slackDialogs(options: SlackOptions): Dialogs {
  const slack = slackClient(options);
  return {
    async open(triggerId, view) {
      try {
        await slack((client) => client.views.open({ trigger_id: triggerId, view: view as never }));
        return true;
      } catch (error) {
        if (error instanceof RekeyError) throw error;
        const { data, code } = error as SlackSays;
        if (TOO_LATE.includes(data?.error ?? "")) return false;
        throw new RekeyError(
          "SLACK_FAILED",
          `Slack did not open a modal: ${data?.error ?? code ?? "no answer"}`,
        );
      }
    },
  };
}
