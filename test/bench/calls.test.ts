/**
 * What a rotation asks of Secrets Manager. Two hundred secrets are rotated in one Lambda of 512 MiB, whose time goes into
 * these calls one by one, so that one more in each round is seconds and megabytes; and nothing else would show it.
 */
import { expect, test } from "vitest";
import { manySecrets } from "./manySecrets.ts";

const SERVICES = 4;
const SECRETS = 20;

test("a rotation describes its secret eight times at most, and reads a value six times", async () => {
  const { calls } = await manySecrets({ services: SERVICES, rolloutSeconds: 18, throttles: false });
  // Preflight, before staging, before the promotion, before the deployment, at the rollout's end; then, by the worker that
  // comes back, on its return. On a slow machine a wait is looked at again.
  expect(calls["DescribeSecret"]).toBeLessThanOrEqual(8 * SECRETS);
  // Preflight, both versions, whether AWSCURRENT is seen; both versions by the worker that comes back.
  expect(calls["GetSecretValue"]).toBeLessThanOrEqual(6 * SECRETS);
  expect(calls["PutSecretValue"]).toBe(SECRETS);
  expect(calls["UpdateSecretVersionStage"]).toBe(2 * SECRETS);
}, 240_000);
