/** The fields of a runbook's front matter and of a step's block, and how a wrong one is told. Build only. */
import * as z from "zod/mini";
import type { Complain } from "./problem.ts";
import { TRIGGERS } from "./runbook.ts";
import type { Block } from "./yamlBlock.ts";

const minutes = (most: number) => z.int().check(z.minimum(1), z.maximum(most));
/** A duty is done within a fortnight of its day, or is asked for again. */
const FORTNIGHT_MINUTES = 20_160;
const text = (limit: number) => z.string().check(z.minLength(3), z.maxLength(limit));

export const FRONT = z.strictObject({
  id: z.string(),
  // Slack's limit for a header is 150; a headline also says the state and the severity.
  title: text(75),
  severity: z.enum(["low", "medium", "high", "critical"]),
  owner: text(75),
  triggers: z.array(z.enum(TRIGGERS)).check(z.minLength(1)),
  everyDays: z.optional(z.int().check(z.minimum(1), z.maximum(366))),
  inputs: z.optional(z.record(z.string(), z.enum(["required", "optional"]))),
  reviewed: z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/, "should be a day, as 2026-11-25")),
  reviewEveryDays: z.int().check(z.minimum(1), z.maximum(366)),
});

const VALUE = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.string())],
  "should be a text, a number, true, false or a list of texts; put {{...}} in quotes",
);

export const STEP = z.strictObject({
  id: z.string().check(z.regex(/^[a-z][A-Za-z0-9]{1,39}$/, "should be a short name in camelCase")),
  run: z.string(),
  with: z.optional(z.record(z.string(), VALUE)),
  when: z.optional(z.string()),
  approve: z.optional(
    z.strictObject({
      people: z.int().check(z.minimum(1), z.maximum(2)),
      withinMinutes: minutes(1_440),
      ifSilent: z.optional(z.enum(["escalate", "fail"])),
    }),
  ),
  // That it is missing is told with the names of the proofs there are.
  prove: z.optional(z.string()),
  withinMinutes: z.optional(minutes(FORTNIGHT_MINUTES)),
  ifFails: z.optional(z.enum(["stop", "continue"])),
});

export type Front = z.infer<typeof FRONT>;
export type StepFields = z.infer<typeof STEP>;

/** @returns the fields, if all of them read; otherwise each that does not has been told */
export function readFields<Fields extends z.ZodMiniObject>(
  schema: Fields,
  { value, lineOf }: Block,
  complain: Complain,
): z.infer<Fields> | undefined {
  if (value === undefined) return undefined;
  const { success, data, error } = z.safeParse(schema, value);
  if (success) return data;
  const known = Object.keys(schema.shape).join(", ");
  for (const issue of error.issues) {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const line = lineOf([...issue.path, key]);
        complain(line, `there is no field "${key}"`, path ? `take it out of ${path}` : `there are: ${known}`);
      }
    } else {
      const what = path === "" ? "the block is no list of fields" : `the field "${path}" is wrong`;
      complain(lineOf(issue.path), what, mendOf(issue));
    }
  }
  return undefined;
}

/** The small zod has no sentences of its own. */
function mendOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_value":
      return `write one of: ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return `it should be a ${issue.expected}`;
    case "too_big":
      return `at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`;
    case "too_small":
      return `at least ${issue.minimum}${issue.origin === "string" ? " characters" : ""}`;
    default:
      return issue.message;
  }
}
