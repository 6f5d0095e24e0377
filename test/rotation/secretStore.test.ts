import { describe, expect, test } from "vitest";
import { currentSince, holderOf, type SecretFacts } from "../../lib/rotation/secretStore.ts";
import { ARN, at, iso } from "./facts.ts";

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

describe("a value that somebody else put is current", () => {
  const put = { versionId: "theirs", createdAt: at(100) };

  test.each<[string, number, Date]>([
    ["from the secret's last change, if it is older than our last promotion", 100.001, at(900)],
    ["from its creation, if it was made at the moment of our last promotion", 100, at(100)],
    ["from its creation, if it was made after our last promotion", 99.999, at(100)],
  ])("%s", (_since, promoted, expected) => {
    const ours = { versionId: "ours", since: iso(promoted) };
    expect(currentSince({ changedAt: at(900) }, put, ours)).toEqual(expected);
  });
});
