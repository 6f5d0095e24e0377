/** What the operations guide asks for, bullet by bullet, and the steps that answer it. */

interface Bullet {
  readonly part: string;
  readonly bullet: string;
  readonly runbook: string;
  readonly steps: readonly string[];
}

export const GUIDE: readonly Bullet[] = [
  {
    part: "A secret is compromised",
    bullet: "rotate at once",
    runbook: "secret-compromised",
    steps: ["killOld"],
  },
  {
    part: "A secret is compromised",
    bullet: "revoke AWS keys",
    runbook: "secret-compromised",
    steps: ["keyOff", "endSessions"],
  },
  {
    part: "A secret is compromised",
    bullet: "review access logs",
    runbook: "secret-compromised",
    steps: ["reach", "killTheRest"],
  },
  {
    part: "A secret is compromised",
    bullet: "update all services",
    runbook: "secret-compromised",
    steps: ["allUpdated"],
  },
  {
    part: "A secret is compromised",
    bullet: "notify",
    runbook: "secret-compromised",
    steps: ["tellEngineers", "tellOthers"],
  },
  {
    part: "A secret is compromised",
    bullet: "document",
    runbook: "secret-compromised",
    steps: ["writeUp", "findTheLeak"],
  },
  { part: "A container stopped", bullet: "logs", runbook: "container-stopped", steps: ["evidence", "logs"] },
  {
    part: "A container stopped",
    bullet: "health",
    runbook: "container-stopped",
    steps: ["evidence", "health"],
  },
  {
    part: "A container stopped",
    bullet: "resources",
    runbook: "container-stopped",
    steps: ["evidence", "resources"],
  },
  {
    part: "A container stopped",
    bullet: "dependencies",
    runbook: "container-stopped",
    steps: ["evidence", "dependencies"],
  },
  {
    part: "A container stopped",
    bullet: "configuration",
    runbook: "container-stopped",
    steps: ["changes", "configuration"],
  },
  {
    part: "Recurring duties",
    bullet: "weekly review of access logs",
    runbook: "weekly-access-review",
    steps: ["findings", "refused", "newReaders"],
  },
  {
    part: "Recurring duties",
    bullet: "monthly update of dependencies",
    runbook: "monthly-dependency-update",
    steps: ["advisories", "images", "update"],
  },
  {
    part: "Recurring duties",
    bullet: "quarterly rotation",
    runbook: "quarterly-rotation",
    steps: ["rotateAll", "byHand", "ages"],
  },
  {
    part: "Recurring duties",
    bullet: "annual audit",
    runbook: "annual-audit",
    steps: ["rights", "keys", "trails", "training", "sign"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "variables that enabled services need are set",
    runbook: "pre-deployment",
    steps: ["required"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "debugging is off",
    runbook: "pre-deployment",
    steps: ["debugOff"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "placeholders are replaced",
    runbook: "pre-deployment",
    steps: ["noPlaceholders"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "the Redis password is not in its URL",
    runbook: "pre-deployment",
    steps: ["redisApart"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "database credentials are secure",
    runbook: "pre-deployment",
    steps: ["databaseLogin"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "Secrets Manager is used",
    runbook: "pre-deployment",
    steps: ["fromSecretsManager"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "ports are restricted",
    runbook: "pre-deployment",
    steps: ["portsShut"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "CORS origins are listed",
    runbook: "pre-deployment",
    steps: ["origins"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "Grafana's default password is changed",
    runbook: "pre-deployment",
    steps: ["dashboards"],
  },
  {
    part: "Pre-deployment checklist",
    bullet: "secrets are strong and unique",
    runbook: "pre-deployment",
    steps: ["strong"],
  },
  {
    part: "Production checklist",
    bullet: "the bundle is in Secrets Manager",
    runbook: "production-deployment",
    steps: ["bundle"],
  },
  {
    part: "Production checklist",
    bullet: "secrets come from there alone",
    runbook: "production-deployment",
    steps: ["onlySecretsManager"],
  },
  {
    part: "Production checklist",
    bullet: "IAM roles instead of keys",
    runbook: "production-deployment",
    steps: ["roles"],
  },
  {
    part: "Production checklist",
    bullet: "TLS to the database",
    runbook: "production-deployment",
    steps: ["databaseTls"],
  },
  {
    part: "Production checklist",
    bullet: "Redis asks for authentication",
    runbook: "production-deployment",
    steps: ["redisAuth"],
  },
  {
    part: "Production checklist",
    bullet: "monitoring is behind a sign-in",
    runbook: "production-deployment",
    steps: ["monitoring"],
  },
  {
    part: "Production checklist",
    bullet: "logs exclude sensitive data",
    runbook: "production-deployment",
    steps: ["logs"],
  },
  {
    part: "Production checklist",
    bullet: "rate limiting",
    runbook: "production-deployment",
    steps: ["rateLimits"],
  },
  {
    part: "Production checklist",
    bullet: "security headers",
    runbook: "production-deployment",
    steps: ["headers"],
  },
  {
    part: "Production checklist",
    bullet: "rotation is scheduled",
    runbook: "production-deployment",
    steps: ["rotating"],
  },
];
