/**
 * What a runbook may be given, and what its steps hand on to each other: a closed list, each with the sentence that asks a
 * person for it. A name means the same thing in every runbook and every action, so one fits the other if the names agree.
 * All of it is shown in Slack and kept: ids and names, never a value of a secret.
 */
import * as z from "zod/mini";

/** AWS's own alphabets; what is not in them is not sent to AWS, nor shown. */
const name = (limit: number) =>
  z
    .string("should be a name")
    .check(z.regex(/^[\w/+=.@:,-]+$/, "has signs that no name has"), z.maxLength(limit, "is too long"));
const sentence = z
  .string("should be a sentence")
  .check(z.minLength(3, "should be a sentence"), z.maxLength(2_000, "should have at most 2000 characters"));
const list = (limit: number) =>
  z.array(name(limit), "should be a list of names").check(z.maxLength(200, "should have at most 200 names"));

/** What ECS's stops come down to. A planned one is not among them: nobody is told of it. */
export const STOPS = [
  "finished",
  "applicationExit",
  "outOfMemory",
  "killed",
  "crashed",
  "duringRotation",
  "failedToStart",
  "unhealthy",
  "stoppedByPerson",
  "spotInterruption",
  "infrastructure",
  "notPlaced",
  "deploymentFailed",
  "unreachable",
  "unknownCode",
  "repeated",
] as const;

const AUDIENCES = ["security", "engineering", "support", "management"] as const;

export const INPUTS = {
  secret: { asks: "Name or ARN of the secret", schema: name(2048) },
  secrets: { asks: "Names of the secrets", schema: list(2048) },
  accessKey: {
    asks: "Id of the AWS access key (AKIA...)",
    // ASIA is a session's: it cannot be switched off, its role's older sessions are denied instead.
    schema: z
      .string("should be a text")
      .check(z.regex(/^AKIA[A-Z0-9]{12,124}$/, "should be the id of a long-term key (AKIA...)")),
  },
  role: {
    asks: "Name of the IAM role",
    schema: z
      .string("should be a text")
      .check(z.regex(/^[\w+=,.@-]{1,64}$/, "should be a role's name, not its ARN")),
  },
  principal: { asks: "ARN of whoever did it", schema: name(2048) },
  cluster: { asks: "Name of the ECS cluster", schema: name(255) },
  service: { asks: "Name of the ECS service", schema: name(255) },
  services: { asks: "Names of the ECS services, as cluster/service", schema: list(511) },
  task: { asks: "ARN of the ECS task", schema: name(2048) },
  stop: { asks: "What kind of stop it was", schema: z.enum(STOPS, `should be one of: ${STOPS.join(", ")}`) },
  hours: {
    asks: "How many hours to look back",
    schema: z
      .int("should be a number of hours")
      .check(z.minimum(1, "should be 1 or more"), z.maximum(2160, "CloudTrail keeps 2160 hours")),
  },
  readers: {
    asks: "How many unexpected readers there are",
    schema: z.int("should be a whole number").check(z.minimum(0, "should be 0 or more")),
  },
  changed: { asks: "Whether the task definition changed", schema: z.boolean("should be true or false") },
  audience: { asks: "Who is told", schema: z.enum(AUDIENCES, `should be one of: ${AUDIENCES.join(", ")}`) },
  text: { asks: "What they are told", schema: sentence },
  record: { asks: "What must be written down", schema: sentence },
  reason: { asks: "Why, in a sentence", schema: sentence },
  document: { asks: "Where the document is", schema: name(2048) },
} as const satisfies Readonly<
  Record<string, { readonly asks: string; readonly schema: z.core.$ZodType<Value> }>
>;

export type InputName = keyof typeof INPUTS;
export type Value = string | number | boolean | readonly string[];
export type Values = { readonly [Name in InputName]?: Value };

export const isInputName = (text: string): text is InputName => Object.hasOwn(INPUTS, text);

/** @returns why it is not one, or undefined */
export function whyNoInput(input: InputName, value: unknown): string | undefined {
  const { success, error } = z.safeParse(INPUTS[input].schema, value);
  return success ? undefined : error.issues.map(({ message }) => message).join("; ");
}
