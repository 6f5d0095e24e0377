/**
 * What a caller of respond may send: a runbook to begin with its inputs, a run to go on with, or a person's word on one.
 * Whoever may invoke the function is let in by IAM, and says in whose name.
 */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import { INPUTS } from "../incident/inputs.ts";
import type { IncidentClick } from "./enterClick.ts";
import { read } from "./request.ts";

const person = z
  .string("must be the id of a Slack user, as U012AB3CD")
  .check(z.regex(/^[UW][A-Z0-9]{2,20}$/, "must be the id of a Slack user, as U012AB3CD"));
const text = z.string("must be text").check(z.trim(), z.minLength(1, "must not be empty"));

const begin = z.strictObject({
  runbook: text,
  requester: person,
  ...Object.fromEntries(Object.keys(INPUTS).map((name) => [name, z.optional(z.unknown())])),
});
const goOn = z.strictObject({ run: text });
const word = z.strictObject({
  run: text,
  says: z.enum(
    ["approve", "refuse", "done", "tryAgain", "goOn", "takeBack", "cancel"],
    "must be approve, refuse, done, tryAgain, goOn, takeBack or cancel",
  ),
  by: person,
  /** Of the question that is answered; stands in the report of the run. */
  digest: z.optional(text),
  step: z.optional(text),
  note: z.optional(z.string("must be text").check(z.maxLength(2_000, "is too long"))),
});

export type IncidentRequest =
  | {
      readonly begin: string;
      readonly requester: string;
      readonly inputs: Readonly<Record<string, unknown>>;
      readonly reason?: string;
    }
  | { readonly goOn: string }
  | { readonly click: IncidentClick };

/** @throws RekeyError PAYLOAD_INVALID, naming every field that is wrong */
export function readIncidentRequest(event: unknown): IncidentRequest {
  const isAbout = (field: string) => typeof event === "object" && event !== null && field in event;
  if (!isAbout("run")) {
    const { runbook, requester, ...inputs } = read(begin, event);
    const { reason } = inputs as { readonly reason?: unknown };
    return { begin: runbook, requester, inputs, ...(typeof reason === "string" ? { reason } : {}) };
  }
  if (!isAbout("says")) return { goOn: read(goOn, event).run };
  const { run: runId, says, by, digest, step, note } = read(word, event);
  switch (says) {
    case "approve":
    case "refuse":
      return { click: { runId, by, says, digest: needed("digest", digest) } };
    case "done":
      return {
        click: { runId, by, says, digest: needed("digest", digest), ...(note === undefined ? {} : { note }) },
      };
    case "cancel":
      return { click: { runId, by, says, because: needed("note", note) } };
    default:
      return { click: { runId, by, says, step: needed("step", step) } };
  }
}

/** @throws RekeyError PAYLOAD_INVALID */
function needed(field: string, value: string | undefined): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw new RekeyError("PAYLOAD_INVALID", `${field} is missing`);
}
