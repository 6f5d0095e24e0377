import { expect, test } from "vitest";
import { objectToRights, type RightsAnswer } from "../../lib/rotation/rights.ts";
import { ARN, service } from "./facts.ts";

const { serviceArn: GATEWAY } = service("gateway");
const { serviceArn: OTHER } = service("other");
const put = { arn: ARN, action: "secretsmanager:PutSecretValue" };
const update = { arn: GATEWAY, action: "ecs:UpdateService" };

test.each<[string, RightsAnswer, string[]]>([
  ["nothing lacks, nothing is objected to", { principal: "rekey-worker", lacking: [] }, []],
  [
    "each right that lacks is named, with who lacks it and on what",
    { principal: "rekey-worker", lacking: [put, update] },
    [
      "shop/database: rekey-worker may not secretsmanager:PutSecretValue on arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/database-AbCdEf; allow it in that role's policies",
      "shop/database: rekey-worker may not ecs:UpdateService on arn:aws:ecs:us-east-1:123456789012:service/shop/gateway; allow it in that role's policies",
    ],
  ],
  [
    "who is not known by name is called Rekey's role",
    { lacking: [update] },
    [
      "shop/database: Rekey's role may not ecs:UpdateService on arn:aws:ecs:us-east-1:123456789012:service/shop/gateway; allow it in that role's policies",
    ],
  ],
  [
    "a right that lacks on another secret's service does not hold up this one",
    { principal: "rekey-worker", lacking: [{ arn: OTHER, action: "ecs:UpdateService" }] },
    [],
  ],
  ["what could not be asked is no objection", { lacking: [], unasked: "the simulation was denied" }, []],
])("%s", (_promise, answer, messages) => {
  expect(objectToRights("shop/database", new Set([ARN, GATEWAY]), answer)).toEqual(
    messages.map((message) => ({ code: "MISSING_RIGHTS", message })),
  );
});
