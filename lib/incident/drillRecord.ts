/** A drill as it is kept, read back. */
import * as z from "zod/mini";
import { RekeyError } from "../errors.ts";
import type { Drill } from "./drill.ts";

const seconds = z.optional(z.number().check(z.nonnegative()));
const DRILL = z.object({
  run: z.string(),
  name: z.string(),
  secret: z.string(),
  startedAt: z.iso.datetime(),
  result: z.optional(
    z.object({
      containSeconds: seconds,
      acknowledgeSeconds: seconds,
      recoverSeconds: seconds,
      as: z.enum(["completed", "cancelled", "unfinished"]),
      failed: z.array(z.string()),
      missing: z.optional(z.string()),
    }),
  ),
});

/** @throws RekeyError RECORD_INVALID naming the fields */
export function readDrill(value: unknown): Drill {
  const { success, data, error } = z.safeParse(DRILL, value);
  if (success) return data as Drill;
  const where = error.issues.map(({ path }) => path.join(".")).join(", ");
  throw new RekeyError("RECORD_INVALID", `stored drill is not readable at: ${where}`);
}
