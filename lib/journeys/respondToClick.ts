/**
 * The three buttons of an alert. Whatever comes of a click is said in the alert's thread, with who asked for it; what is asked
 * twice is done once.
 */
import { type AlertRef, type Concern, concernsAt, readRef } from "../detection/clicked.ts";
import { DAY_MS } from "../detection/history.ts";
import { objectionsTo } from "../detection/suppression.ts";
import { RekeyError } from "../errors.ts";
import type { SlackRequest } from "../incident/slackRequest.ts";
import { outsideCode, outsideText } from "../message.ts";
import { EXPECTED, expectedModal, MOST_DAYS, readExpected } from "./expectedModal.ts";
import { radiiInThread } from "./radiiInThread.ts";
import type { RespondPorts, Response } from "./respondPorts.ts";
import { rotateFromAlert } from "./rotateFromAlert.ts";

const ROTATE = "episode-rotate";
const RADIUS = "episode-blast-radius";
const FORGOTTEN =
  "What this alert was about is not kept any more. Use `sls invoke -f suppress`, `rotateAll` or `blastRadius` by hand.";
const TOO_LATE = "Slack did not wait for the form to open. Click once more.";
export const ALERT_BUTTONS: readonly string[] = [EXPECTED, ROTATE, RADIUS];

type Click = SlackRequest & { readonly kind: "click" };

/** @throws RekeyError PAYLOAD_INVALID for a button that is none of ours, or in another channel */
export async function respondToClick(
  ports: RespondPorts,
  click: Click,
  workId: string,
  deadline: Date,
): Promise<Response> {
  if (click.channelId !== ports.channel)
    throw new RekeyError("PAYLOAD_INVALID", `channel ${click.channelId} is not the one that alerts go to`);
  const { actionId, value, userId, messageTs, triggerId } = click;
  const ref = refIn(value);
  const concerns = concernsAt((await ports.watch.kept(ref.account, ref.principal)).told, ref);
  const refuse = (says: string) =>
    once(ports, JSON.stringify([actionId, value, says]), workId, deadline, async () => {
      await ports.announcer.reply(messageTs, says);
      return "refused";
    });
  if (concerns === undefined) return refuse(FORGOTTEN);
  if (actionId === EXPECTED) {
    const { quiet, loud } = apart(ports, concerns);
    if (quiet.length === 0) return refuse(alwaysToldSays(loud));
    const view = expectedModal({ ref: value, messageTs }, ref.principal, quiet);
    return (await ports.dialogs.open(triggerId, view)) ? "done" : refuse(TOO_LATE);
  }
  const secrets = [...new Set(concerns.map(([, secret]) => secret))].filter((secret) => secret !== "");
  const isRotation = actionId === ROTATE;
  if (isRotation && !ports.approvers.includes(userId)) {
    ports.tell({ event: "respond.refused", userId, actionId, ref: value, because: "no approver" });
    const says = `<@${userId}> asked for a rotation, and is not an approver; nothing was rotated. Approvers are named in the deployment.`;
    return refuse(says);
  }
  return once(ports, `${actionId} ${value}`, workId, deadline, async () => {
    if (isRotation) await rotateFromAlert(ports, { userId, messageTs, principal: ref.principal }, secrets);
    else await radiiInThread(ports, { userId, messageTs }, secrets, deadline);
    return "done";
  });
}

/** The form came back. @throws RekeyError PAYLOAD_INVALID if it is none of ours */
export async function keepQuiet(
  ports: RespondPorts,
  modal: SlackRequest & { readonly kind: "modal" },
  workId: string,
  deadline: Date,
): Promise<Response> {
  const sent = readExpected(modal);
  if (sent === undefined)
    throw new RekeyError("PAYLOAD_INVALID", "private_metadata is not what the form had");
  const { ref: value, messageTs, reason, days } = sent;
  const ref = refIn(value);
  // Forgotten while the form was open: then nothing is left to be kept quiet.
  const concerns = concernsAt((await ports.watch.kept(ref.account, ref.principal)).told, ref) ?? [];
  const { quiet, loud } = apart(ports, concerns);
  const fromMs = ports.now().getTime();
  const untilMs = fromMs + days * DAY_MS;
  const all = quiet.map(([rule, secret]) => ({
    ...{ principal: ref.principal, secret, rule, reason, author: modal.userId, fromMs, untilMs },
  }));
  const isInside = days >= 1 && days <= MOST_DAYS;
  const objections = [
    ...new Set(
      isInside
        ? all.flatMap((one) => objectionsTo(one, ports.rules))
        : ["days must be a whole number of 1 to 30"],
    ),
  ];
  const asked = JSON.stringify([EXPECTED, value, modal.userId, reason, days]);
  return once(ports, asked, workId, deadline, async () => {
    if (objections.length > 0 || all.length === 0) {
      const because =
        objections.length > 0
          ? objections.join("; ")
          : concerns.length === 0
            ? FORGOTTEN
            : alwaysToldSays(loud);
      await ports.announcer.reply(messageTs, `Nothing is kept quiet: ${outsideText(because, 1_000)}`);
      return "refused";
    }
    for (const one of all) await ports.watch.suppress(ref.account, one);
    const until = `${new Date(untilMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
    ports.tell({
      event: "watch.suppressed",
      author: modal.userId,
      principal: ref.principal,
      concerns: quiet.length,
      until,
    });
    const what = quiet
      .slice(0, 20)
      .map(([rule, secret]) => `• ${outsideCode(rule)}${secret === "" ? "" : ` on ${outsideCode(secret)}`}`);
    const more = quiet.length - what.length;
    const lines = [
      `<@${modal.userId}> says this is expected of ${outsideCode(ref.principal)}, until ${until}: ${outsideText(reason, 500)}`,
      ...what,
      ...(more > 0 ? [`and ${more} more`] : []),
      ...(loud.length > 0 ? [alwaysToldSays(loud)] : []),
    ];
    await ports.announcer.reply(messageTs, lines.join("\n"));
    return "done";
  });
}

function apart({ rules }: RespondPorts, concerns: readonly Concern[]) {
  const isLoud = ([rule]: Concern) => rules.find(({ id }) => id === rule)?.alwaysTold === true;
  return { loud: concerns.filter(isLoud), quiet: concerns.filter((one) => !isLoud(one)) };
}

const alwaysToldSays = (loud: readonly Concern[]) =>
  `${[...new Set(loud.map(([rule]) => rule))].join(", ")} cannot be kept quiet: nobody does this without harm.`;

function refIn(value: string): AlertRef {
  const ref = readRef(value);
  if (ref) return ref;
  throw new RekeyError("PAYLOAD_INVALID", "value must be <account> <principal> <family> <startMs>");
}

async function once(
  { answers }: RespondPorts,
  key: string,
  workId: string,
  deadline: Date,
  work: () => Promise<Response>,
): Promise<Response> {
  if (!(await answers.begin(key, workId, deadline))) return "repeated";
  try {
    const outcome = await work();
    await answers.finish(key, workId);
    return outcome;
  } catch (error) {
    await answers.giveUp(key, workId);
    throw error;
  }
}
