/** The form behind "Expected": why, and for how many days. Pure: what it shows, and what came back. */
import * as z from "zod/mini";
import type { Concern } from "../detection/clicked.ts";
import type { SlackRequest } from "../incident/slackRequest.ts";
import { outsideCode, section } from "../message.ts";

export const EXPECTED = "episode-expected";
export const MOST_DAYS = 30;
const MOST_REASON = 500;
const MOST_NAMED = 20;

/** Where the click was, kept in the form until it is sent. */
const clicked = z.object({ ref: z.string(), messageTs: z.string() });
export type Clicked = z.infer<typeof clicked>;

export function expectedModal(from: Clicked, principal: string, concerns: readonly Concern[]) {
  const lines = concerns
    .slice(0, MOST_NAMED)
    .map(
      ([rule, secret]) =>
        `• ${outsideCode(rule, 60)} on ${secret === "" ? "no named secret" : outsideCode(secret, 80)}`,
    );
  const more = concerns.length - lines.length;
  const plain = (text: string) => ({ type: "plain_text", text });
  const input = (blockId: string, label: string, element: Readonly<Record<string, unknown>>) => ({
    type: "input",
    block_id: blockId,
    label: plain(label),
    element: { action_id: blockId, ...element },
  });
  return {
    type: "modal",
    callback_id: EXPECTED,
    private_metadata: JSON.stringify(from),
    title: plain("Expected"),
    submit: plain("Keep quiet"),
    close: plain("Cancel"),
    blocks: [
      section(
        `${outsideCode(principal)} will not be told of again for\n${lines.join("\n")}${more > 0 ? `\nand ${more} more` : ""}`,
      ),
      input("reason", "Why is this expected?", {
        type: "plain_text_input",
        min_length: 3,
        max_length: MOST_REASON,
      }),
      input("days", "For how many days?", {
        type: "number_input",
        is_decimal_allowed: false,
        min_value: "1",
        max_value: String(MOST_DAYS),
        initial_value: String(MOST_DAYS),
      }),
    ],
  };
}

export interface Submission extends Clicked {
  readonly reason: string;
  /** NaN if it was no whole number. */
  readonly days: number;
}

/** @returns undefined if it is no form of ours */
export function readExpected({
  privateMetadata,
  inputs,
}: SlackRequest & { kind: "modal" }): Submission | undefined {
  const from = clicked.safeParse(parsed(privateMetadata));
  if (!from.success) return undefined;
  const typed = (name: string) => inputs.find(({ blockId }) => blockId === name)?.value.trim() ?? "";
  const days = typed("days");
  return { ...from.data, reason: typed("reason"), days: /^\d{1,3}$/.test(days) ? Number(days) : Number.NaN };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours, as everything else that does not fit.
    return undefined;
  }
}
