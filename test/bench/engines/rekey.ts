/** As `npm run detect` reads files. */
import { readFileSync } from "node:fs";
import { unzipped } from "../../../lib/adapters/unzipped.ts";
import { extract } from "../../../lib/detection/extract.ts";
import { scan } from "../../../lib/detection/scan.ts";
import { answer, Tally } from "./question.ts";

await answer((files) => {
  const tally = new Tally();
  for (const file of files) {
    for (const record of scan(unzipped(readFileSync(file))).records) {
      const extracted = extract(record);
      if (!("event" in extracted)) continue;
      const { service, action, outcome, principal, secrets } = extracted.event;
      const [secret] = secrets;
      if (service !== "secretsmanager" || action !== "GetSecretValue" || outcome !== "allowed") continue;
      if (principal && secret) tally.add(principal.key, secret.key);
    }
  }
  return tally.answers();
});
