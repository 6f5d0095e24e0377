/** A tenant for a seed. Each part draws from a branch of its own, so that a change to one leaves the others as they were. */
import { accessKey, accountId, roleArn } from "./arns.ts";
import { estateOf, laterOf, placeOf } from "./estate.ts";
import { DAY_MS, HOUR_MS, type Span } from "./moments.ts";
import { amazonAddress, networkOf, publicAddress } from "./network.ts";
import { type Random, randomOf } from "./random.ts";
import type { Approval, Person, Scanner, Secret, Tenant, Terraform } from "./tenant.ts";

const REGIONS = [
  ...[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
  ],
  ...["eu-north-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1"],
  ...["ap-southeast-2", "ca-central-1", "sa-east-1"],
];
const NAMES = ["ada", "grace", "linus", "margaret", "barbara", "ken", "radia", "edsger"];
const TERRAFORM =
  "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.82.2 aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.3 api/secretsmanager#1.34.8";
const NEUTRAL =
  "aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64 api/secretsmanager#1.34.8";

const HISTORY_DAYS = 90;
const BUSY_DAYS = 7;

export function tenantOf(seed: string, days = 30): Tenant {
  const random = randomOf(seed);
  const fromMs = Date.UTC(2026, 8, 1) + random.int(0, 27) * DAY_MS;
  const watched = { fromMs, toMs: fromMs + days * DAY_MS };
  const whole = { fromMs: fromMs - HISTORY_DAYS * DAY_MS, toMs: watched.toMs };
  const home = random.pick(["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"]);
  const place = placeOf(home, whole, watched, random);
  const estate = estateOf(place, random.branch("estate"));
  const { account } = place;
  const canary = laterOf(
    place,
    "production/legacy/admin",
    "production",
    whole.fromMs,
    random.branch("canary"),
  );
  const people = peopleOf(account, home, random.branch("people"));
  const production = estate.secrets.filter((one) => one.tier === "production" && isOld(one, whole));
  return {
    seed,
    account,
    regions: REGIONS,
    home,
    recovery: random.pick(REGIONS.filter((region) => region !== home)),
    watched,
    busy: { fromMs: fromMs - BUSY_DAYS * DAY_MS, toMs: watched.toMs },
    whole,
    network: networkOf(watched, whole.fromMs, random.branch("network")),
    ...estate,
    people,
    deployRole: roleArn(account, "github-deploy"),
    terraform: terraformOf(account, random.branch("terraform")),
    scanners: scannersOf(account, random.branch("scanners")),
    ...(random.chance(0.4) ? { operator: operatorOf(account, production, random.branch("operator")) } : {}),
    backup: {
      name: "nightly-backup",
      role: roleArn(account, "nightly-backup-task"),
      secrets: production.filter(({ name }) => /database|rds!/.test(name)),
      everyDays: 1,
    },
    rareJobs: [30, 91].map((everyDays) => ({
      name: everyDays === 30 ? "monthly-invoices" : "quarterly-close",
      role: roleArn(account, `service-role/close-${everyDays}-days`),
      secrets: random.some(production, 2),
      everyDays,
    })),
    rekey: { functionName: "rekey-rotate", role: roleArn(account, "rekey-production-rotate") },
    ...(random.chance(0.3) ? { sharer: sharerOf(production, random.branch("sharer")) } : {}),
    secrets: [...estate.secrets, canary],
    canaries: [canary],
    approvals: approvalsOf(people, production, watched, random.branch("approvals")),
    batchesHaveChildren: random.chance(0.7),
  };
}

const isOld = ({ versions }: Secret, { fromMs }: Span) => (versions[0]?.currentFromMs ?? fromMs) < fromMs;

function peopleOf(account: string, region: string, random: Random): Person[] {
  const roles = ["PowerUser", "Developer"].map((set) =>
    roleArn(account, `aws-reserved/sso.amazonaws.com/${region}/AWSReservedSSO_${set}_${random.text(16)}`),
  );
  return random.some(NAMES, random.int(3, 6)).map((name) => ({
    email: `${name}@example.com`,
    role: random.pick(roles),
    homeAddress: publicAddress(random),
    browser: random.pick([
      "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    ]),
  }));
}

function terraformOf(account: string, random: Random): Terraform {
  const kind = random.chance(0.75) ? "role" : "user";
  return {
    principal: kind === "role" ? roleArn(account, "terraform") : `arn:aws:iam::${account}:user/terraform`,
    kind,
    accessKeyId: accessKey("AKIA", random),
    userAgent: random.chance(0.6) ? TERRAFORM : NEUTRAL,
    runsOn: random.pick(["runners", "nat"] as const),
  };
}

function scannersOf(account: string, random: Random): Scanner[] {
  const all = ["ProwlerScan", "CloudPostureReader"].map((name) => ({
    name,
    role: roleArn(account, name),
    userAgent:
      "Boto3/1.35.94 md/Botocore#1.35.94 ua/2.0 os/linux#6.1 lang/python#3.12.8 cfg/retry-mode#standard",
    addresses: [amazonAddress(random), amazonAddress(random)],
    isRefusedPolicies: random.chance(0.3),
  }));
  return all.slice(0, random.int(0, 2));
}

const operatorOf = (account: string, production: readonly Secret[], random: Random) => ({
  role: roleArn(account, "external-secrets"),
  secrets: random.some(production, 8),
  asks: random.pick(["one by one", "in batches"] as const),
});

function sharerOf(production: readonly Secret[], random: Random) {
  const account = accountId(random);
  return { account, role: roleArn(account, "data-platform-loader"), secrets: random.some(production, 1) };
}

/** Now and then somebody on call is let at one production secret for an hour. */
function approvalsOf(
  people: readonly Person[],
  production: readonly Secret[],
  { fromMs, toMs }: Span,
  random: Random,
): Approval[] {
  return Array.from({ length: random.int(0, 2) }, () => {
    const startMs = fromMs + random.next() * (toMs - fromMs - HOUR_MS);
    const { role } = random.pick(people);
    return { principal: role, secret: random.pick(production).key, fromMs: startMs, toMs: startMs + HOUR_MS };
  });
}
