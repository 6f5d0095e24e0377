/** A stolen credential of a task whose thief says that the client is Terraform, or what the task itself says. */
import { type Attack, attackOf, standing, stolen } from "../attack.ts";
import { taskOf } from "../callers.ts";
import { SECOND_MS } from "../moments.ts";
import type { Random } from "../random.ts";
import { Scribe } from "../scribe.ts";
import type { Tenant } from "../tenant.ts";
import { refresh } from "../terraform.ts";

const AGENTS = [
  "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.82.2 aws-sdk-go-v2/1.32.7",
  "Boto3/1.35.94 md/Botocore#1.35.94 ua/2.0 os/linux#5.10 lang/python#3.12.8",
];

export function forgedAgent(tenant: Tenant, random: Random, startMs: number): Attack {
  const log = new Scribe(tenant, random);
  const thief = stolen(
    taskOf(tenant, random.pick(tenant.services), startMs, random),
    random,
    random.pick(AGENTS),
  );
  const taken = random.some(standing(tenant, startMs), random.int(6, 15));
  log.list(thief, startMs);
  refresh(log, thief, startMs + 5 * SECOND_MS, taken);
  return attackOf(log, [thief], taken);
}
