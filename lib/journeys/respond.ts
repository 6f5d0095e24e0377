/**
 * Answers what people ask for in Slack, by which button it was. A closed list: what stands in none of its lines is refused by
 * name, and never guessed at.
 */
import { RekeyError } from "../errors.ts";
import { isSlackWork, readSlackWork, type SlackWork } from "../incident/slackWork.ts";
import { EXPECTED } from "./expectedModal.ts";
import type { RespondPorts, Response } from "./respondPorts.ts";
import { ALERT_BUTTONS, keepQuiet, respondToClick } from "./respondToClick.ts";

/** @throws RekeyError PAYLOAD_INVALID; SLACK_FAILED, AWS_*: Lambda then invokes again, and what is missing is done */
export async function respond(ports: RespondPorts, event: unknown, deadline: Date): Promise<Response> {
  if (typeof event === "object" && event !== null && "runbook" in event)
    throw new RekeyError(
      "PAYLOAD_INVALID",
      "runbook: no executor of runbooks is part of this deployment yet",
    );
  if (!isSlackWork(event))
    throw new RekeyError("PAYLOAD_INVALID", 'from must be "slack": respond takes what slackAction hands on');
  const work = readSlackWork(event);
  const outcome = await answer(ports, work, deadline);
  const { workId, request } = work;
  ports.tell({ event: "respond.answered", workId, kind: request.kind, userId: request.userId, outcome });
  return outcome;
}

function answer(ports: RespondPorts, { request, workId }: SlackWork, deadline: Date): Promise<Response> {
  if (request.kind === "click" && ALERT_BUTTONS.includes(request.actionId))
    return respondToClick(ports, request, workId, deadline);
  if (request.kind === "modal" && request.callbackId === EXPECTED)
    return keepQuiet(ports, request, workId, deadline);
  throw new RekeyError(
    "PAYLOAD_INVALID",
    `${nameOf(request)}: nothing in this deployment answers it; known are ${ALERT_BUTTONS.join(", ")}`,
  );
}

function nameOf(request: SlackWork["request"]): string {
  const quoted = (text: string) => JSON.stringify(text.slice(0, 60));
  if (request.kind === "click") return `the button ${quoted(request.actionId)}`;
  return request.kind === "modal" ? `the form ${quoted(request.callbackId)}` : "the command /rekey";
}
