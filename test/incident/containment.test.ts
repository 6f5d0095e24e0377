import { expect, test } from "vitest";
import { runbooks } from "../../lib/adapters/runbookFiles.ts";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { containmentOf } from "../../lib/incident/containment.ts";
import { deadlocksIn } from "../../lib/incident/deadlocks.ts";
import type { Run, StepRecord } from "../../lib/incident/run.ts";

const runbook = await loadRunbook("secret-compromised");
const run = (steps: Readonly<Record<string, Partial<StepRecord>>>): Run => ({
  ...{
    id: "run-1",
    runbook: { id: runbook.id, hash: runbook.hash },
    inputs: {},
    requestedBy: { rekey: "finding" },
  },
  startedAt: "2026-11-25T03:00:10.000Z",
  steps: Object.fromEntries(
    Object.entries(steps).map(([id, step]) => [
      id,
      { status: "pending", silences: 0, attempts: 0, asks: 0, ...step },
    ]),
  ),
  revision: 1,
});
const proven = (at: string, providerAt?: string): Partial<StepRecord> => ({
  status: "done",
  proof: { check: "any", shows: "seen", at, ...(providerAt && { providerAt }) },
});
const since = { noticedAt: new Date("2026-11-25T03:00:00Z"), firstUseAt: new Date("2026-11-25T02:10:00Z") };

test("it is contained when the last step that contains came true, by the provider's clock where there is one", () => {
  const contained = run({
    killOld: proven("2026-11-25T03:02:30.000Z", "2026-11-25T03:01:05.000Z"),
    keyOff: proven("2026-11-25T03:01:40.000Z"),
    endSessions: { status: "skipped" },
    // What comes after is not waited for.
    reach: { status: "failed" },
  });
  expect(containmentOf(contained, runbook, since)).toEqual({
    containedAt: new Date("2026-11-25T03:01:40Z"),
    fromNoticeSeconds: 100,
    fromFirstUseSeconds: 3_100,
  });
});

test.each<[string, Readonly<Record<string, Partial<StepRecord>>>]>([
  [
    "while a step that contains is open",
    { killOld: proven("2026-11-25T03:01:05.000Z"), keyOff: { status: "acting" } },
  ],
  [
    "when one was passed over",
    {
      killOld: { status: "failed", passedOverBy: "UBEN" },
      keyOff: { status: "skipped" },
      endSessions: { status: "skipped" },
    },
  ],
  [
    "when one was taken back",
    {
      killOld: proven("2026-11-25T03:01:05.000Z"),
      keyOff: { status: "undone" },
      endSessions: { status: "skipped" },
    },
  ],
  [
    "when there was nothing to contain",
    { killOld: { status: "skipped" }, keyOff: { status: "skipped" }, endSessions: { status: "skipped" } },
  ],
])("it is not contained %s", (_, steps) => {
  expect(containmentOf(run(steps), runbook, since)).toBeUndefined();
});

test("settings with which nobody could say yes are told, and enough people make them fit", () => {
  const alone = deadlocksIn(runbooks(), { approvers: ["UANN"], responders: ["UBEN"] });
  expect(alone).toContain(
    'secret-compromised: the step "killOld" needs 2 approvers, whoever asks for it; there are 1',
  );
  expect(alone.join("\n")).not.toContain("rotation-failed");
  const three = deadlocksIn(runbooks(), { approvers: ["UANN", "UBEN", "UCLEO"], responders: [] });
  expect(three).toContain(
    'aws-key-compromised: taking back "keyOff" needs 4 approvers, whoever asks for it; there are 3',
  );
  expect(deadlocksIn(runbooks(), { approvers: ["UANN", "UBEN", "UCLEO", "UDAN"], responders: [] })).toEqual(
    [],
  );
});
