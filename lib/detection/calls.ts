/** What several rules look for, once. */
import type { Test } from "./rule.ts";

/** A value was given out. */
export const VALUE_READ: Test = {
  is: { service: "secretsmanager", action: ["GetSecretValue", "BatchGetSecretValue"], outcome: "allowed" },
};

export const POLICY_PUT: Test = {
  is: { service: "secretsmanager", action: "PutResourcePolicy", outcome: "allowed" },
};
