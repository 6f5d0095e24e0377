/** suppress: says by hand that something is expected, or lists what somebody said so of and is still in force. */
import * as z from "zod/mini";
import { DAY_MS } from "../detection/history.ts";
import type { Rule } from "../detection/rule.ts";
import { secretRef } from "../detection/secretRefs.ts";
import { objectionsTo, type Suppression } from "../detection/suppression.ts";
import type { WatchStore } from "../detection/watchStore.ts";
import { RekeyError } from "../errors.ts";
import type { AccessPorts } from "./accessPorts.ts";
import { MOST_DAYS } from "./expectedModal.ts";
import { read } from "./request.ts";

export interface SuppressPorts extends Pick<AccessPorts, "tell" | "now"> {
  readonly accessLog: Pick<AccessPorts["accessLog"], "place">;
  readonly watch: Pick<WatchStore, "suppress" | "suppressions">;
  readonly rules: readonly Rule[];
}

const text = (says: string, most = 2_048) =>
  z.string(says).check(z.trim(), z.minLength(1, says), z.maxLength(most, `has more than ${most} characters`));

const days = `must be a whole number of 1 to ${MOST_DAYS}`;
const asked = z.strictObject({
  principal: text("must be the principal as the alert shows it, an ARN"),
  /** Empty for what names no secret. */
  secret: z
    .string("must be the name or the ARN of a secret, or empty for a rule that names none")
    .check(z.trim(), z.maxLength(2_048, "is too long")),
  rule: text("must be the id of a rule, as the alert shows it", 100),
  reason: text("must say why this is expected", 500),
  author: text("must say who says so", 200),
  days: z
    .number(days)
    .check(z.refine((count) => Number.isInteger(count) && count >= 1 && count <= MOST_DAYS, days)),
});
const listing = z.strictObject({ list: z.literal(true, "must be true") });

export type SuppressAnswer =
  | { readonly suppressed: Suppression }
  | { readonly inForce: readonly Suppression[] };

/** @throws RekeyError PAYLOAD_INVALID naming every field that is wrong; AWS_* */
export async function suppress(ports: SuppressPorts, event: unknown): Promise<SuppressAnswer> {
  const { accessLog, watch, rules, tell, now } = ports;
  const nowMs = now().getTime();
  const isListing = typeof event === "object" && event !== null && "list" in event;
  if (isListing) read(listing, event);
  const wanted = isListing ? undefined : read(asked, event);
  const [account = "", region = ""] = (await accessLog.place()).split("/");
  if (wanted === undefined) {
    const all = await watch.suppressions(account);
    return { inForce: all.filter(({ untilMs }) => untilMs >= nowMs) };
  }
  const { days: count, ...said } = wanted;
  const secret = said.secret === "" ? "" : secretRef(said.secret, { account, region }).key;
  const suppressed = { ...said, secret, fromMs: nowMs, untilMs: nowMs + count * DAY_MS };
  const objections = objectionsTo(suppressed, rules);
  if (objections.length > 0) throw new RekeyError("PAYLOAD_INVALID", objections.join("; "));
  await watch.suppress(account, suppressed);
  tell({
    event: "watch.suppressed",
    author: said.author,
    principal: said.principal,
    rule: said.rule,
    days: count,
  });
  return { suppressed };
}
