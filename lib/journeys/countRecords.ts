/** What takes a scan's records until the detection does: says what they are, and keeps nothing. */
import { extract } from "../detection/extract.ts";
import type { Tell } from "./ports.ts";
import type { Take } from "./readWindows.ts";

export function countRecords(tell: Tell): Take {
  return async (records, { isSeed }) => {
    const counts = { events: 0, ignored: 0, malformed: 0 };
    for (const record of records) {
      const found = extract(record);
      if ("event" in found) counts.events += 1;
      else if ("malformed" in found) counts.malformed += 1;
      else counts.ignored += 1;
    }
    tell({ event: "access.taken", isSeed, ...counts });
  };
}
