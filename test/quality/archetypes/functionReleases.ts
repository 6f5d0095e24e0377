/** The pipeline brings new code and settings to functions, Rekey's own among them now and then. */
import { pipelineCaller } from "../callers.ts";
import { SECOND_MS, workMomentsIn } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe, type TimedRecord } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function functionReleases(tenant: Tenant, random: Random): TimedRecord[] {
  const log = new Scribe(tenant, random);
  const release = (functionName: string, role: string, atMs: number) => {
    const caller = pipelineCaller(tenant, atMs, random);
    const code = {
      functionName,
      s3Bucket: "releases",
      s3Key: `${random.text(12)}.zip`,
      publish: true,
      dryRun: false,
    };
    log.call(caller, atMs, { service: "lambda", action: "UpdateFunctionCode20150331v2", request: code });
    const settings = { functionName, role, memorySize: 512, timeout: 60 };
    const action = "UpdateFunctionConfiguration20150331v2";
    log.call(caller, atMs + 5 * SECOND_MS, { service: "lambda", action, request: settings });
  };
  for (const { name, role } of tenant.functions)
    for (const atMs of workMomentsIn(tenant.busy, 0.4, random)) release(name, role, atMs);
  // From the beginning of the history, or the pipeline would be a stranger to Rekey.
  for (const atMs of workMomentsIn(tenant.whole, 0.05, random))
    release(tenant.rekey.functionName, tenant.rekey.role, atMs);
  return log.records;
}
