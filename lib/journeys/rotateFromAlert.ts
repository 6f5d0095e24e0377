/** "Rotate now": a run of rotateAll over the managed ones of an alert's secrets. Nobody is cut off: it is no emergency. */
import { outsideCode } from "../message.ts";
import { isManaged } from "../rotation/managed.ts";
import type { RespondPorts } from "./respondPorts.ts";

const MOST_NAMED = 20;
const ARN = /^arn:[\w-]+:secretsmanager:([\w-]+):(\d{12}):secret:/;

export async function rotateFromAlert(
  { access, rotateAll, announcer, tell }: RespondPorts,
  by: { readonly userId: string; readonly messageTs: string; readonly principal: string },
  secrets: readonly string[],
): Promise<void> {
  const { userId, messageTs, principal } = by;
  const managed = new Map<string, string>(
    (await access.store.list())
      .filter(({ tags }) => isManaged(tags))
      .map(({ arn, name }) => {
        const [, region, account] = ARN.exec(arn) ?? [];
        return [`${account}/${region}/${name}`, name];
      }),
  );
  const names = secrets.flatMap((secret) => managed.get(secret) ?? []);
  const others = secrets.filter((secret) => !managed.has(secret));
  const shown = (texts: readonly string[]) =>
    `${texts
      .slice(0, MOST_NAMED)
      .map((text) => outsideCode(text))
      .join(", ")}${texts.length > MOST_NAMED ? ` and ${texts.length - MOST_NAMED} more` : ""}`;
  if (names.length > 0) {
    const reason = `${userId} asked for it on an alert about ${principal}`.slice(0, 500);
    await rotateAll.enqueue({ emergency: false, only: names, force: true, reason });
    tell({ event: "respond.rotates", userId, secrets: names });
  }
  const lines = [
    names.length > 0
      ? `<@${userId}> has started a rotation of ${shown(names)}; how it goes stands in a message of its own.`
      : `<@${userId}> asked for a rotation, and there is nothing that Rekey could rotate.`,
    ...(others.length > 0
      ? [`Not managed by Rekey here, so to be made anew by hand: ${shown(others)}.`]
      : []),
  ];
  await announcer.reply(messageTs, lines.join("\n"));
}
