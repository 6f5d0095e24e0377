/** What several rules look for, once. */
import type { Test } from "./rule.ts";

/** A value was given out. */
export const VALUE_READ: Test = {
  is: { service: "secretsmanager", action: ["GetSecretValue", "BatchGetSecretValue"], outcome: "allowed" },
};

export const REFRESH: Test = { part: "of a refresh" };

/** A value was given out, and not to a tool that compares its own state with what is deployed. */
export const PLAIN_READ: Test = { all: [VALUE_READ, { not: REFRESH }] };

/** The same by somebody who is not known to read that secret day by day. */
export const UNUSUAL_READ: Test = { all: [PLAIN_READ, { not: { isUsual: "reader" } }] };

/** Who reads secrets every day reads the first days of a new one, too. */
export const GROWTH: Test = {
  all: [
    { not: { who: "person" } },
    { any: [{ isUsual: "growth" }, { all: [{ secret: "new" }, { isUsual: "action" }] }] },
  ],
};

/** Somebody reads what they never read. People read what they like, as long as it is not production's. */
export const FIRST_READ: Test = {
  all: [PLAIN_READ, { isNew: "reader" }, { any: [{ not: { who: "person" } }, { secret: "production" }] }],
};

/** Nobody has to explain why they read it. */
export const ENTITLED: Test = {
  any: [
    { secret: "mapped to the reader" },
    { secret: "made by the caller" },
    { secret: "written by the caller" },
    { secret: "approved" },
  ],
};

export const POLICY_PUT: Test = {
  is: { service: "secretsmanager", action: "PutResourcePolicy", outcome: "allowed" },
};

export const VALUE_WRITE: Test = {
  all: [
    { is: { service: "secretsmanager", action: ["PutSecretValue", "UpdateSecret"], outcome: "allowed" } },
    { writes: "a value" },
  ],
};

export const RIGHTS_CHANGED: Test = { is: { service: "iam", outcome: "allowed" } };
