/** `zcat | jq`, with the counting left to this process, which is next to nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { answer, Tally } from "./question.ts";

const PROGRAM = `.Records[]
  | select(.eventSource == "secretsmanager.amazonaws.com" and .eventName == "GetSecretValue" and .errorCode == null)
  | [.userIdentity.sessionContext.sessionIssuer.arn // .userIdentity.arn, .requestParameters.secretId] | @tsv`;

await answer(async (files) => {
  const tally = new Tally();
  const zcat = spawn("zcat", files, { stdio: ["ignore", "pipe", "inherit"] });
  const jq = spawn("jq", ["-r", PROGRAM], { stdio: [zcat.stdout, "pipe", "inherit"] });
  const ended = Promise.all([once(zcat, "exit"), once(jq, "exit")]);
  for await (const line of createInterface({ input: jq.stdout })) {
    const [principal = "", secret = ""] = line.split("\t");
    tally.add(principal, secret);
  }
  const codes = (await ended).map(([code]) => code);
  if (codes.some((code) => code !== 0)) throw new Error(`zcat and jq ended with ${codes.join(" and ")}`);
  return tally.answers();
});
