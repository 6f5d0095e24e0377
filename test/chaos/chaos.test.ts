/**
 * A few of `npm run chaos`'s trials, for every change: the moments in which an effect and the knowledge of it are torn apart.
 * What is armed must strike where it was armed, so the doors' reading of each protocol is tested first.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtHandlers } from "../builtHandlers.ts";
import { type OpenArena, openArena } from "./arena.ts";
import { type Fault, Injector, nameOf, parsePoint } from "./points.ts";
import { postgresConversation } from "./postgresWire.ts";
import { redisConversation } from "./redisWire.ts";
import { tryOnce } from "./trial.ts";

describe("the doors", () => {
  test("a Redis command is named by its first words, whole only when its last byte is there", () => {
    const text = "*4\r\n$3\r\nACL\r\n$7\r\nsetuser\r\n$7\r\ndefault\r\n$5\r\n>word\r\n*1\r\n$4\r\nINFO\r\n";
    const bytes = Buffer.from(text);
    const conversation = redisConversation();
    for (let cut = 0; cut < 50; cut += 1)
      expect(conversation.nextRequest(bytes.subarray(0, cut)), `after ${cut} bytes`).toBeUndefined();
    const first = conversation.nextRequest(bytes);
    expect(first?.operation).toBe("ACL SETUSER");
    const rest = bytes.subarray(first?.bytes.length);
    expect(conversation.nextRequest(rest)).toMatchObject({
      operation: "INFO",
      bytes: Buffer.from("*1\r\n$4\r\nINFO\r\n"),
    });
  });

  test.each([
    ["+OK\r\n+OK\r\n", 5],
    ["-WRONGPASS invalid\r\n", 20],
    [":1\r\n", 4],
    ["$-1\r\n", 5],
    ["$5\r\na\r\nbc\r\n", 11],
    ["*2\r\n$1\r\na\r\n*1\r\n:7\r\n", 19],
    ["*2\r\n$1\r\na\r\n", undefined],
    ["$5\r\nabc", undefined],
  ])("a Redis answer %j ends at %s", (text, end) => {
    expect(redisConversation().endOfAnswer(Buffer.from(text))).toBe(end);
  });

  test("a link that a replica opens is not a client's", () => {
    const ping = Buffer.from("*1\r\n$4\r\nPING\r\n");
    expect(redisConversation().nextRequest(ping)).toMatchObject({ isLink: true });
  });

  const message = (type: string, body: string) => {
    const bytes = Buffer.alloc(5 + body.length);
    bytes.write(type, 0, "latin1");
    bytes.writeInt32BE(4 + body.length, 1);
    bytes.write(body, 5, "latin1");
    return bytes;
  };
  const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);

  test("PostgreSQL's requests are a startup, a login, a query, and what ends with a Sync", () => {
    const conversation = postgresConversation();
    const named = (bytes: Buffer) => conversation.nextRequest(bytes)?.operation;
    expect(named(startup)).toBe("startup");
    expect(named(message("p", "SCRAM"))).toBe("login");
    expect(named(message("Q", "ALTER ROLE app_b LOGIN PASSWORD 'x'\0"))).toBe("alter role");
    const extended = [
      message("P", "\0select 1 where $1\0\0\0"),
      message("B", "..."),
      message("E", "\0\0\0\0\0"),
    ];
    expect(named(Buffer.concat(extended))).toBeUndefined();
    expect(named(Buffer.concat([...extended, message("S", "")]))).toBe("select 1");
    expect(conversation.nextRequest(message("X", ""))).toEqual({ bytes: message("X", "") });
  });

  test("PostgreSQL's answers end where it is ready again, and while logging in at each step", () => {
    const conversation = postgresConversation();
    const step = message("R", "\0\0\0\x0b...");
    expect(conversation.endOfAnswer(step)).toBe(step.length);
    const refused = message("E", "C28P01\0\0");
    expect(conversation.endOfAnswer(refused)).toBe(refused.length);
    const welcome = Buffer.concat([message("R", "\0\0\0\0"), message("S", "a\0b\0"), message("Z", "I")]);
    expect(conversation.endOfAnswer(welcome.subarray(0, -1))).toBeUndefined();
    expect(conversation.endOfAnswer(welcome)).toBe(welcome.length);
    expect(conversation.endOfAnswer(refused)).toBeUndefined();
  });

  test.each([
    [false, ["ecs:UpdateService#2"]],
    [true, ["ecs:UpdateService#2", "ecs:UpdateService#3"]],
  ])("what is armed strikes at its call and no other, twice: %s", (twice, struck) => {
    const injector = new Injector();
    injector.begin({ point: parsePoint("ecs:UpdateService#2"), fault: "timeout", twice });
    const answers = [1, 2, 3, 4].map(() => {
      injector.arrive("ecs", "ListServices");
      return injector.arrive("ecs", "UpdateService");
    });
    expect(answers).toEqual([undefined, "timeout", twice ? "timeout" : undefined, undefined]);
    expect(injector.hits.map(nameOf)).toEqual(struck);
    expect(injector.calls).toHaveLength(8);
  });
});

describe("a rotation that is hurt", () => {
  let arena: OpenArena;
  beforeAll(async () => {
    arena = await openArena("postgres", await builtHandlers());
    await tryOnce(arena);
  }, 300_000);
  afterAll(() => arena?.stop());

  const trials: readonly (readonly [Fault, string])[] = [
    ["kill-after", "secretsmanager:PutSecretValue#1"],
    ["kill-after", "postgres:commit#1"],
    ["kill-before", "secretsmanager:UpdateSecretVersionStage#1"],
    ["kill-after", "secretsmanager:UpdateSecretVersionStage#1"],
    ["kill-after", "ecs:UpdateService#1"],
    ["kill-before", "postgres:select pg_terminate_backend#1"],
    ["kill-after", "secretsmanager:UpdateSecretVersionStage#2"],
    ["throttle", "secretsmanager:UpdateSecretVersionStage#1"],
  ];
  test.each(trials)(
    "%s at %s: it ends on the new value, and nothing that could be read was refused",
    async (fault, where) => {
      const { hits, end, violations } = await tryOnce(arena, {
        point: parsePoint(where),
        fault,
        twice: false,
      });
      expect(hits.map(nameOf)).toEqual([where]);
      expect(violations).toEqual([]);
      expect(end).toBe("rotated");
    },
    300_000,
  );
});
