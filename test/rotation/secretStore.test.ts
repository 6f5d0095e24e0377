import { expect, test } from "vitest";
import { holderOf, type SecretFacts } from "../../lib/rotation/secretStore.ts";
import { ARN } from "./facts.ts";

const facts: SecretFacts = {
  arn: ARN,
  name: "shop/database",
  tags: new Map(),
  rotationEnabled: false,
  versions: [
    { versionId: "one", labels: ["AWSPREVIOUS", "mine"] },
    { versionId: "two", labels: ["theirs", "AWSCURRENT"] },
  ],
};

test("a label's holder is the version that carries it, whatever else it carries", () => {
  expect(holderOf(facts, "AWSPREVIOUS")?.versionId).toBe("one");
  expect(holderOf(facts, "AWSCURRENT")?.versionId).toBe("two");
});

test("a label that no version carries has no holder", () => {
  expect(holderOf(facts, "AWSPENDING")).toBeUndefined();
});
