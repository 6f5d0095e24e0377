/** The function that rotates gets other code. */
import { type Attack, anyPerson, attackOf, stolen } from "../attack.ts";
import { MINUTE_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";

export function rotationFunctionTampered(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(anyPerson(tenant, "cli", startMs, random), random);
  const functionName = tenant.rekey.functionName;
  const code = { functionName, s3Bucket: random.text(12), s3Key: "f.zip", publish: false, dryRun: false };
  log.call(thief, startMs, { service: "lambda", action: "UpdateFunctionCode20150331v2", request: code });
  const layers = {
    functionName,
    layers: [`arn:aws:lambda:${tenant.home}:${random.int(1e11, 9e11)}:layer:telemetry:3`],
  };
  const atMs = startMs + random.int(1, 20) * MINUTE_MS;
  log.call(thief, atMs, {
    service: "lambda",
    action: "UpdateFunctionConfiguration20150331v2",
    request: layers,
  });
  return attackOf(log, [thief], []);
}
