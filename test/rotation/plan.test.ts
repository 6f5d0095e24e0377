import { expect, test } from "vitest";
import { requestSchema } from "../../lib/rotation/intent.ts";
import { readTags } from "../../lib/rotation/managed.ts";
import { planReport } from "../../lib/rotation/plan.ts";
import type { Wave } from "../../lib/rotation/strategy.ts";
import { at, iso, service } from "./facts.ts";

const request = requestSchema.parse({ dryRun: true, reason: "a colleague left" });
const gateway = service("gateway", { runningCount: 2 });
const api = service("api", { runningCount: 1 });
const worker = service("worker", { runningCount: 3 });
const planned = (
  name: string,
  waves: readonly Wave[],
  services = [gateway],
  notes: readonly string[] = [],
) => ({
  managed: readTags(`arn:${name}`, name, new Map([["rekey:strategy", "jwt"]])),
  fromVersionId: `${name}-1`,
  credentials: [{ label: name }],
  waves,
  briefCut: name === "shop/cut",
  consumers: { services: services.map((one) => ({ service: one, references: [] })), tasks: [], missing: [] },
  notes,
});

const plan = () =>
  planReport(request, at(0), {
    planned: [
      planned("shop/jwt", ["publish", "rotate", "retire"], [gateway, worker], ["shop/jwt is its own admin"]),
      planned("shop/cut", ["rotate"], [gateway, api]),
    ],
    refused: [
      {
        name: "shop/broken",
        arn: "arn:shop/broken",
        objections: [
          { code: "NATIVELY_ROTATED", message: "shop/broken: first" },
          { code: "ROTATION_OPEN", message: "shop/broken: second" },
        ],
      },
    ],
    notDue: ["shop/young"],
  });

test("a plan shows each secret as it would go, in the order of their names", () => {
  expect(plan().secrets).toEqual([
    {
      name: "shop/broken",
      arn: "arn:shop/broken",
      outcome: "refused",
      because: "shop/broken: first",
      errors: [
        { code: "NATIVELY_ROTATED", message: "shop/broken: first" },
        { code: "ROTATION_OPEN", message: "shop/broken: second" },
      ],
    },
    {
      name: "shop/cut",
      arn: "arn:shop/cut",
      credentials: ["shop/cut"],
      outcome: "planned",
      waves: ["rotate"],
      oldVersionId: "shop/cut-1",
      briefCut: true,
      consumers: ["shop/gateway", "shop/api"],
    },
    {
      name: "shop/jwt",
      arn: "arn:shop/jwt",
      credentials: ["shop/jwt"],
      outcome: "planned",
      waves: ["publish", "rotate", "retire"],
      oldVersionId: "shop/jwt-1",
      briefCut: false,
      consumers: ["shop/gateway", "shop/worker"],
      notes: ["shop/jwt is its own admin"],
    },
    { name: "shop/young", outcome: "notDue" },
  ]);
});

test("a service is deployed once in each wave, however many of its secrets are in it", () => {
  expect(plan().services).toEqual([
    { service: "shop/gateway", wave: "publish", status: "planned", tasksReplaced: 2 },
    { service: "shop/worker", wave: "publish", status: "planned", tasksReplaced: 3 },
    { service: "shop/gateway", wave: "rotate", status: "planned", tasksReplaced: 2 },
    { service: "shop/worker", wave: "rotate", status: "planned", tasksReplaced: 3 },
    { service: "shop/api", wave: "rotate", status: "planned", tasksReplaced: 1 },
    { service: "shop/gateway", wave: "retire", status: "planned", tasksReplaced: 2 },
    { service: "shop/worker", wave: "retire", status: "planned", tasksReplaced: 3 },
  ]);
});

test("the totals are counted, and the summary says that nothing was changed", () => {
  expect(plan().totals).toEqual({
    secrets: 4,
    planned: 2,
    refused: 1,
    notDue: 1,
    services: 3,
    deployments: 7,
    tasksReplaced: 16,
  });
  expect(plan().summary).toMatch(
    /^would rotate 2 of 4 secrets with 7 deployments of 3 services.*nothing was changed/,
  );
});

test("a plan is no run: it has no id, nothing open, and the caller's reason", () => {
  expect(plan()).toMatchObject({
    runId: "",
    status: "plan",
    dryRun: true,
    reason: "a colleague left",
    startedAt: iso(0),
    open: [],
  });
});

test("a refusal without a reason has an empty one", () => {
  const refused = [{ name: "shop/broken", arn: "arn:shop/broken", objections: [] }];
  const { secrets } = planReport(request, at(0), { planned: [], refused, notDue: [] });
  expect(secrets).toEqual([
    { name: "shop/broken", arn: "arn:shop/broken", outcome: "refused", because: "", errors: [] },
  ]);
});

test("without a reason and without secrets the plan is empty and says so", () => {
  const empty = planReport(requestSchema.parse({}), at(0), { planned: [], refused: [], notDue: [] });
  expect(empty).not.toHaveProperty("reason");
  expect(empty).toMatchObject({ secrets: [], services: [], totals: { secrets: 0, tasksReplaced: 0 } });
});

test.each([
  [
    "an emergency says first what it does to the old values",
    true,
    "emergency, old values die before services are redeployed: would rotate 0 of 0 secrets",
  ],
  ["another plan says only what it would do", false, "would rotate 0 of 0 secrets"],
])("%s", (_promise, emergency, begins) => {
  const { summary } = planReport({ ...request, emergency }, at(0), { planned: [], refused: [], notDue: [] });
  expect(summary).toBe(`${begins} with 0 deployments of 0 services; nothing was changed`);
});
