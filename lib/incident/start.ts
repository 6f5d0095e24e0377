/** A new run, from what somebody or something asked for. Whatever is wrong with it is told at once, and nothing begins. */
import { RekeyError } from "../errors.ts";
import { INPUTS, isInputName, type Values, whyNoInput } from "./inputs.ts";
import type { Requester, Run } from "./run.ts";
import type { Runbook } from "./runbook.ts";

export interface Asked {
  /** Unique; whoever asks twice for the same thing makes it from that thing, and has one run. */
  readonly id: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly requestedBy: Requester;
}

/** @throws RekeyError PAYLOAD_INVALID that names every input that is missing, unknown, or no such thing */
export function startRun(runbook: Runbook, { id, inputs, requestedBy }: Asked, now: Date): Run {
  const values: { -readonly [Name in keyof Values]: Values[Name] } = {};
  const wrong: string[] = [];
  for (const [name, needed] of Object.entries(runbook.inputs))
    if (needed === "required" && inputs[name] === undefined)
      wrong.push(`${name} is missing: ${isInputName(name) ? INPUTS[name].asks : name}`);
  const taken = Object.keys(runbook.inputs).join(", ") || "none";
  for (const [name, value] of Object.entries(inputs)) {
    if (value === undefined) continue;
    if (!isInputName(name) || runbook.inputs[name] === undefined)
      wrong.push(`${name} is no input of ${runbook.id}, which takes: ${taken}`);
    else {
      const why = whyNoInput(name, value);
      if (why === undefined) values[name] = value as NonNullable<Values[typeof name]>;
      else wrong.push(`${name} ${why}`);
    }
  }
  if (wrong.length > 0) throw new RekeyError("PAYLOAD_INVALID", wrong.join("; "));
  return {
    id,
    runbook: { id: runbook.id, hash: runbook.hash },
    inputs: values,
    requestedBy,
    startedAt: now.toISOString(),
    steps: {},
    revision: 0,
  };
}
