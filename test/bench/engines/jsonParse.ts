/** The least that a program in JavaScript can do that parses all of it. It unzips as Rekey does. */
import { readFileSync } from "node:fs";
import { unzipped } from "../../../lib/adapters/unzipped.ts";
import { answer, Tally } from "./question.ts";

interface Trail {
  readonly Records: readonly TrailRecord[];
}
interface TrailRecord {
  readonly eventSource: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly userIdentity: {
    readonly arn: string;
    readonly sessionContext?: { readonly sessionIssuer?: { readonly arn: string } };
  };
  readonly requestParameters: { readonly secretId: string } | null;
}

await answer((files) => {
  const tally = new Tally();
  for (const file of files) {
    const { Records } = JSON.parse(unzipped(readFileSync(file)).toString("utf8")) as Trail;
    for (const { eventSource, eventName, errorCode, userIdentity, requestParameters } of Records) {
      if (eventSource !== "secretsmanager.amazonaws.com" || eventName !== "GetSecretValue") continue;
      if (errorCode !== undefined || requestParameters === null) continue;
      const principal = userIdentity.sessionContext?.sessionIssuer?.arn ?? userIdentity.arn;
      tally.add(principal, requestParameters.secretId);
    }
  }
  return tally.answers();
});
