import { expect, test } from "vitest";
import { resolve, wordsWith } from "../../lib/incident/references.ts";

const known = {
  value: (name: string) =>
    ({ secret: "shop/database", "reach.secrets": ["shop/redis", "shop/jwt"], "reach.readers": 2 })[name],
  isDone: () => true,
};

test("a reference alone is the value itself, and one among words is written out", () => {
  const given = {
    secret: "{{secret}}",
    secrets: "{{reach.secrets}}",
    text: "{{reach.readers}} read {{reach.secrets}}.",
  };
  expect(resolve(given, known)).toEqual({
    values: {
      secret: "shop/database",
      secrets: ["shop/redis", "shop/jwt"],
      text: "2 read shop/redis, shop/jwt.",
    },
  });
});

test("what is not known, or is no such thing, is told and nothing is guessed", () => {
  expect(resolve({ role: "{{role}}" }, known)).toEqual({ missing: "role is not known, and role needs it" });
  expect(resolve({ role: "{{secret}}" }, known)).toEqual({
    missing: "role does not read: should be a role's name, not its ARN",
  });
});

test("words for people say what is known, and name what is not", () => {
  expect(wordsWith("Rotate {{reach.secrets}} and {{ role }}, or ask <name>.", known)).toBe(
    "Rotate shop/redis, shop/jwt and <role>, or ask <name>.",
  );
});

test("a long list is counted and not written out, and an empty one is said to be", () => {
  const services = Array.from({ length: 40 }, (_, at) => `main/service-${at}`);
  const many = { value: () => services, isDone: () => true };
  expect(wordsWith("To {{kill.services}}.", many)).toBe(
    "To main/service-0, main/service-1, main/service-2, main/service-3, main/service-4 and 35 more.",
  );
  expect(wordsWith("To {{kill.services}}.", { value: () => [], isDone: () => true })).toBe("To none.");
});
