/** A runbook by its name. What they say is large, so it is loaded when the first is asked for. */
import { RekeyError } from "../errors.ts";
import type { Runbook } from "../incident/runbook.ts";

/** @throws RekeyError PAYLOAD_INVALID with the names that there are */
export async function loadRunbook(id: string): Promise<Runbook> {
  const { runbooks } = await import("./runbookFiles.ts");
  const all = runbooks();
  const found = all.find((one) => one.id === id);
  if (found) return found;
  const names = all.map((one) => one.id).join(", ");
  throw new RekeyError("PAYLOAD_INVALID", `no runbook is called "${id}"; there are: ${names}`);
}
