/** What preflight tells first, and from when on it takes a value for known, against the simulated outside of `test/model`. */
import { describe, expect, test } from "vitest";
import { RekeyError } from "../../lib/errors.ts";
import type { Ports } from "../../lib/journeys/ports.ts";
import { preflight } from "../../lib/journeys/preflight.ts";
import { keysStrategy } from "../model/target.ts";
import { REQUEST, SETTINGS, World } from "../model/world.ts";

function outside() {
  const world = new World(
    { credentials: [{ secret: "tokens", kind: "keys", isPublished: true }], services: { web: ["tokens"] } },
    0,
  );
  const now = () => world.schedule.now;
  const [secret] = world.secrets.all.values();
  if (!secret) throw new Error("no secret");
  const strategy = keysStrategy(world.newValue);
  const ports = {
    store: {
      list: async () => [secret.facts(now())],
      describe: async () => secret.facts(now()),
      read: async (arn: string, version: { label: string }) => world.secrets.read(arn, version, now()),
    },
    fleet: { survey: async () => world.fleet.facts() },
    log: { histories: async () => new Map(), claims: async () => new Map() },
    strategies: new Map([[strategy.id, strategy]]),
    now: () => new Date(now()),
    settings: SETTINGS,
  } as unknown as Ports;
  return { world, secret, ports, now };
}

test("what is wrong with the request is told before what is wrong with ECS", async () => {
  const { ports } = outside();
  const survey = () => Promise.reject(new RekeyError("AWS_UNANSWERED", "ECS does not answer"));
  const deaf = { ...ports, fleet: { ...ports.fleet, survey } };
  await expect(preflight(deaf, { ...REQUEST, only: ["nothing-like-it"] })).rejects.toMatchObject({
    code: "PAYLOAD_INVALID",
  });
  await expect(preflight(deaf, { ...REQUEST, only: ["tokens"] })).rejects.toMatchObject({
    code: "AWS_UNANSWERED",
  });
});

describe("a next key", () => {
  const wavesOf = async (ports: Ports) => (await preflight(ports, REQUEST)).planned.map(({ waves }) => waves);

  test("that every task has read since it is there needs no publishing", async () => {
    expect(await wavesOf(outside().ports)).toEqual([["rotate", "retire"]]);
  });

  test("of a version that was made current after the tasks had started is published first, however old the version", async () => {
    const { secret, ports, now } = outside();
    const { text } = secret.versions.get("first") ?? {};
    secret.put("older", text?.reveal() ?? "", "aside", now() - 1_999_000);
    secret.move("AWSCURRENT", "older", now());
    expect(await wavesOf(ports)).toEqual([["publish", "rotate", "retire"]]);
  });
});
