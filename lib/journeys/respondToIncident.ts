/** A button of an incident's message, or the form behind "Done": taken or refused, said so in its thread, and gone on with. */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { CLICKS } from "../incident/incidentMessage.ts";
import { workAt } from "../incident/run.ts";
import type { SlackRequest } from "../incident/slackRequest.ts";
import { messageOf, outsideText, section } from "../message.ts";
import { driveIncident } from "./driveIncident.ts";
import { enterClick, type IncidentClick } from "./enterClick.ts";
import { clickOf } from "./incidentClicks.ts";
import type { IncidentPorts } from "./incidentPorts.ts";
import type { RespondPorts, Response } from "./respondPorts.ts";

type Click = SlackRequest & { readonly kind: "click" };
type Modal = SlackRequest & { readonly kind: "modal" };
type Door = Pick<RespondPorts, "dialogs" | "channel">;

export const INCIDENT_BUTTONS: readonly string[] = Object.values(CLICKS);

/** @throws RekeyError PAYLOAD_INVALID for a button that is none of ours, or in another channel */
export async function respondToIncident(
  door: Door,
  ports: IncidentPorts,
  pressed: Click,
  workId: string,
  deadline: Date,
): Promise<Response> {
  if (pressed.channelId !== door.channel)
    throw new RekeyError("PAYLOAD_INVALID", `channel ${pressed.channelId} is not the one of incidents`);
  const click = clickOf(pressed);
  if (!click) throw new RekeyError("PAYLOAD_INVALID", "value must be <run>/<question or step>");
  const asks = await formFor(ports, click);
  if (asks === undefined) return enter(ports, click, workId, deadline);
  const isOpen = await door.dialogs.open(pressed.triggerId, formOf(pressed.value, asks));
  return isOpen
    ? "done"
    : refuse(ports, click, workId, "Slack did not wait for the form to open; click once more");
}

const sent = z.object({ value: z.string() });

/** @throws RekeyError PAYLOAD_INVALID for a form that is none of ours */
export async function respondToForm(
  ports: IncidentPorts,
  { privateMetadata, inputs, userId }: Modal,
  workId: string,
  deadline: Date,
): Promise<Response> {
  const value = sent.safeParse(parsed(privateMetadata)).data?.value ?? "";
  const note = inputs.find(({ blockId }) => blockId === "note")?.value ?? "";
  const click = clickOf({ actionId: CLICKS.done, value, userId, note });
  if (!click) throw new RekeyError("PAYLOAD_INVALID", "private_metadata is not what the form had");
  return enter(ports, click, workId, deadline);
}

async function enter(
  ports: IncidentPorts,
  click: IncidentClick,
  workId: string,
  deadline: Date,
): Promise<Response> {
  const entered = await enterClick(ports, click);
  if (!entered.taken) return refuse(ports, click, workId, entered.because);
  await driveIncident(ports, click.runId, deadline);
  return "done";
}

/** Everybody reads why, so that the next one need not try. */
async function refuse(
  { voice, incidents }: IncidentPorts,
  { runId, by, says }: IncidentClick,
  workId: string,
  because: string,
): Promise<Response> {
  // Only in a thread that there is: a button of a message that we never wrote opens none.
  if (voice && (await incidents.read(runId))) {
    const text = `<@${by}>: "${says}" was not taken: ${outsideText(because)}.`;
    const message = messageOf(text, [section(text)]);
    await voice.say({ threadId: runId, key: `refused ${workId}`, message, priority: "P3" });
  }
  return "refused";
}

/** @returns what must be written down, if the click needs a form for it */
async function formFor({ incidents }: IncidentPorts, click: IncidentClick): Promise<string | undefined> {
  if (click.says !== "done") return undefined;
  const stored = await incidents.read(click.runId);
  const step = stored?.runbook.steps.find(
    ({ id }) => workAt(stored.incident.run, { step: id, undo: false }).request?.digest === click.digest,
  );
  return step?.with.record === undefined ? undefined : String(step.with.record);
}

function formOf(value: string, asks: string) {
  const plain = (text: string) => ({ type: "plain_text", text });
  return {
    type: "modal",
    callback_id: CLICKS.done,
    private_metadata: JSON.stringify({ value }),
    title: plain("Done"),
    submit: plain("It is done"),
    close: plain("Back"),
    blocks: [
      section(outsideText(asks, 500)),
      {
        type: "input",
        block_id: "note",
        label: plain("Write it down; it stays with the incident"),
        element: {
          type: "plain_text_input",
          action_id: "note",
          multiline: true,
          min_length: 3,
          max_length: 2_000,
        },
      },
    ],
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours, as everything else that does not fit.
    return undefined;
  }
}
