/** What a caller of postMortem or drill may send. */
import * as z from "zod/mini";
import { isSchedule, read } from "./request.ts";

const postMortem = z.strictObject({
  run: z
    .string("must be the id of a run")
    .check(z.trim(), z.minLength(1, "must not be empty"), z.maxLength(200, "is too long")),
  names: z._default(z.boolean("must be true or false"), true),
});
const drill = z.strictObject({ look: z._default(z.boolean("must be true or false"), false) });

/** `names: false` answers with a page on which people are numbered, and stores nothing. @throws RekeyError PAYLOAD_INVALID */
export const readPostMortemRequest = (event: unknown): z.infer<typeof postMortem> => read(postMortem, event);

/**
 * By the schedule one drill a month begins, also if the event comes twice; by hand one in each minute.
 * @returns the name of the drill that is to begin; undefined for `look`
 * @throws RekeyError PAYLOAD_INVALID
 */
export function readDrillRequest(event: unknown, now: Date): string | undefined {
  if (isSchedule(event)) return now.toISOString().slice(0, 7);
  return read(drill, event).look ? undefined : now.toISOString().slice(0, 16);
}
