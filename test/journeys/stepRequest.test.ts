import { expect, test } from "vitest";
import { readStepRequest } from "../../lib/journeys/stepRequest.ts";

const whole = { Step: "setSecret", SecretId: "arn", ClientRequestToken: "token" };

test("what Secrets Manager sends is read, and its rotation token prints as nothing", () => {
  const request = readStepRequest({ ...whole, RotationToken: "canary", Later: 1 });
  expect(request).toMatchObject({ step: "setSecret", secretId: "arn", token: "token" });
  expect(JSON.stringify(request)).not.toContain("canary");
  expect(request.rotationToken?.reveal()).toBe("canary");
});

test.each([
  ["nothing", undefined, "the payload must be a JSON object, as Secrets Manager sends it"],
  [
    "an empty object",
    {},
    "Step must be one of createSecret, setSecret, testSecret, finishSecret; SecretId must be text; ClientRequestToken must be text",
  ],
  [
    "another step",
    { ...whole, Step: "deleteSecret" },
    "Step must be one of createSecret, setSecret, testSecret, finishSecret",
  ],
  ["an empty ARN", { ...whole, SecretId: "" }, "SecretId is empty"],
  ["a number for a token", { ...whole, ClientRequestToken: 7 }, "ClientRequestToken must be text"],
  [
    "a token that is no version id",
    { ...whole, ClientRequestToken: "x".repeat(65) },
    "ClientRequestToken is longer than 64",
  ],
])("%s is refused, each wrong field by name", (_what, payload, message) => {
  expect(() => readStepRequest(payload)).toThrow(
    expect.objectContaining({ code: "PAYLOAD_INVALID", message }),
  );
});
