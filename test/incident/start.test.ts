import { expect, test } from "vitest";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { startRun } from "../../lib/incident/start.ts";

const runbook = await loadRunbook("secret-compromised");
const now = new Date("2026-11-25T03:00:00Z");
const start = (inputs: Readonly<Record<string, unknown>>) =>
  startRun(runbook, { id: "run-1", inputs, requestedBy: { person: "UANN" } }, now);

test("a run begins with nothing done, and pins the page that it was begun with", () => {
  expect(start({ secret: "shop/database", role: undefined })).toEqual({
    id: "run-1",
    runbook: { id: "secret-compromised", hash: runbook.hash },
    inputs: { secret: "shop/database" },
    requestedBy: { person: "UANN" },
    startedAt: "2026-11-25T03:00:00.000Z",
    steps: {},
    revision: 0,
  });
});

test("everything that is wrong is told at once, with what is taken instead", () => {
  expect(() =>
    start({ accessKey: "ASIAABCDEFGHIJKLMNOP", cluster: "main", role: 7, constructor: "x" }),
  ).toThrow(
    expect.objectContaining({
      code: "PAYLOAD_INVALID",
      message: [
        "secret is missing: Name or ARN of the secret",
        "accessKey should be the id of a long-term key (AKIA...)",
        "cluster is no input of secret-compromised, which takes: secret, accessKey, role, reason",
        "role should be a text",
        "constructor is no input of secret-compromised, which takes: secret, accessKey, role, reason",
      ].join("; "),
    }),
  );
});

test.each(["shop/database; rm -rf /", "<!channel>", "a b", "", "$(id)", "x".repeat(2_049)])(
  "a name that could be more than a name is refused: %s",
  (secret) => expect(() => start({ secret })).toThrow(/secret (has signs that no name has|is too long)/),
);
