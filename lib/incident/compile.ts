/**
 * Pages to runbooks, all of them or none: every mistake in every page is told at once, each with its line and its mend.
 * Build only; a Lambda has what comes out of it.
 */
import { ACTIONS } from "./actions.ts";
import { FRONT, type Front, readFields, STEP } from "./blocks.ts";
import { checkProse } from "./checkProse.ts";
import { checkReach } from "./checkReach.ts";
import { checkStep } from "./checkStep.ts";
import { INPUTS, isInputName } from "./inputs.ts";
import { type Draft, type Page, parseRunbook } from "./parseRunbook.ts";
import type { Complain, Problem } from "./problem.ts";
import type { Runbook, Step } from "./runbook.ts";
import type { Earlier, Scope } from "./worlds.ts";

/** A message holds 50 blocks, and some are the headline's. */
const MOST_STEPS = 40;

export interface Compiled {
  /** By their ids. Empty if anything is wrong. */
  readonly runbooks: readonly Runbook[];
  readonly problems: readonly Problem[];
}

export function compileRunbooks(pages: readonly Page[]): Compiled {
  const results = pages.map((page) => {
    const { draft, problems } = parseRunbook(page);
    const more: Problem[] = [];
    const complain: Complain = (line, what, fix) => void more.push({ file: page.file, line, what, fix });
    const runbook = draft && compile(draft, complain);
    return { runbook, problems: [...problems, ...more] };
  });
  const problems = results
    .flatMap((one) => one.problems)
    .toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
  const runbooks = results
    .flatMap(({ runbook }) => runbook ?? [])
    .toSorted((a, b) => a.id.localeCompare(b.id));
  return problems.length > 0 ? { runbooks: [], problems } : { runbooks, problems };
}

function compile(draft: Draft, complain: Complain): Runbook | undefined {
  const front = readFields(FRONT, draft.front, complain);
  const inputs: Partial<Record<keyof typeof INPUTS, "required" | "optional">> = {};
  for (const [name, needed] of Object.entries(front?.inputs ?? {})) {
    if (isInputName(name)) inputs[name] = needed;
    else
      complain(
        draft.front.lineOf(["inputs", name]),
        `there is no input "${name}"`,
        `there are: ${Object.keys(INPUTS).join(", ")}`,
      );
  }
  if (front) checkFront(front, draft, complain);
  const opening = checkProse(draft.opening, "the opening", draft.front.lineOf([]), complain);
  const steps = compileSteps(draft, inputs, complain);
  if (!front) return undefined;
  const { id, title, severity, owner, triggers, everyDays, reviewed, reviewEveryDays } = front;
  return {
    ...{ id, title, severity, owner, triggers, inputs, reviewed, reviewEveryDays, opening, steps },
    ...(everyDays !== undefined && { everyDays }),
    hash: draft.hash,
  };
}

function checkFront(front: Front, { file, front: { lineOf }, steps }: Draft, complain: Complain): void {
  const name = file.split("/").at(-1)?.replace(/\.md$/, "");
  if (front.id !== name)
    complain(lineOf(["id"]), `its id is "${front.id}"`, `write "${name}", as its file is called`);
  const isDuty = front.triggers.includes("schedule");
  if (isDuty !== (front.everyDays !== undefined))
    complain(
      lineOf(["triggers"]),
      isDuty ? "nothing says how often it is due" : "everyDays is for what a schedule starts",
      isDuty ? 'add "everyDays"' : 'take it out, or add "schedule" to triggers',
    );
  if (Number.isNaN(Date.parse(front.reviewed)))
    complain(lineOf(["reviewed"]), `${front.reviewed} is no day`, "write the day of the last review");
  if (steps.length === 0)
    complain(1, "it has no steps", 'add a phase ("## Contain") and a step ("### ...") with a block');
  if (steps.length > MOST_STEPS)
    complain(1, `it has ${steps.length} steps`, `Slack shows ${MOST_STEPS}; make two runbooks of it`);
}

function compileSteps(draft: Draft, inputs: Scope["inputs"], complain: Complain): Step[] {
  const earlier = new Map<string, Earlier>();
  const lines = new Map<string, number>();
  return draft.steps.flatMap((one) => {
    const fields = readFields(STEP, one.block, complain);
    const prose = checkProse(one.prose, one.title, one.line, complain);
    if (!fields) {
      const id = (one.block.value as { id?: unknown } | undefined)?.id;
      if (typeof id === "string") earlier.set(id, BROKEN);
      return [];
    }
    const { id, when } = fields;
    const line = one.block.lineOf(["id"]);
    const first = lines.get(id);
    if (first !== undefined)
      complain(line, `the id "${id}" is taken by the step on line ${first}`, "give it another");
    const step = checkStep(fields, one, prose, complain);
    const checked = step && checkReach(step, when, { inputs, earlier }, one.block, complain);
    lines.set(id, first ?? line);
    earlier.set(id, earlierOf(step, when));
    return checked ?? [];
  });
}

/** Whose mistakes have been told; that others rest on it is not a further one. */
const BROKEN: Earlier = { gives: Object.keys(INPUTS).filter(isInputName), isSure: true };

const earlierOf = (step: Step | undefined, when: string | undefined): Earlier =>
  step ? { gives: ACTIONS[step.run].gives, isSure: when === undefined && step.ifFails === "stop" } : BROKEN;
