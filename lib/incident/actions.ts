/**
 * What a step may do: a closed list. Editing a runbook can reorder and reword; it cannot create power. What each action
 * calls, and how it is proven, is elsewhere; here stands what a runbook and a person must know of it.
 */
import type { InputName } from "./inputs.ts";

/**
 * How much a step can hurt. `reversible` may be approved by whoever asked for it; `disruptive` cuts somebody off, and
 * `destructive` lets something happen that cannot be taken back.
 */
export type Risk = "read" | "safe" | "reversible" | "disruptive" | "destructive";

/** How many different people must agree, at the least. */
export const PEOPLE = {
  read: 0,
  safe: 0,
  reversible: 1,
  disruptive: 1,
  destructive: 2,
} as const satisfies Readonly<Record<Risk, number>>;

/** Whether the person who asked for the run may not be among them. */
export const barsRequester = (risk: Risk): boolean => risk === "disruptive" || risk === "destructive";

export interface Action {
  /** What it does, for the button's question: "Rekey will ...". */
  readonly does: string;
  readonly risk: Risk;
  readonly inputs: Readonly<Partial<Record<InputName, "required" | "optional">>>;
  /** At least one of the optional inputs is needed. */
  readonly needsOneOf?: readonly InputName[];
  /** What it finds out; later steps may use it as `{{step.name}}`. Present if, and only if, the step is done. */
  readonly gives: readonly InputName[];
  /** Check -> what is true when it passes. Only a passing check gives a step its tick. */
  readonly proofs: Readonly<Record<string, string>>;
  /** How long a proof is waited for if the step does not say. */
  readonly withinMinutes: number;
  /** Collects what was so: the sooner the better, even while people are waited for. */
  readonly isEvidence?: true;
  readonly undo: { readonly by: ActionName } | { readonly never: string };
}

export type ActionName =
  | "rotate"
  | "rotateEmergency"
  | "redeploy"
  | "disableAwsKey"
  | "enableAwsKey"
  | "denyOlderSessions"
  | "allowOlderSessions"
  | "blastRadius"
  | "collectTaskEvidence"
  | "taskDefinitionDiff"
  | "verify"
  | "notify"
  | "openPostMortem"
  | "human";

const CHANGES_NOTHING = { never: "it changes nothing" } as const;

export const ACTIONS: Readonly<Record<ActionName, Action>> = {
  rotate: {
    does: "rotate the secret, redeploy what uses it, and revoke the old value once nothing holds it",
    risk: "reversible",
    inputs: { secret: "required" },
    gives: ["services"],
    proofs: { oldValueRefused: "the old value was tried, and refused" },
    withinMinutes: 60,
    undo: { never: "the old value is dead; a newer one is had by rotating again" },
  },
  rotateEmergency: {
    does: "kill the leaked value at once, before everything that uses it has the new one",
    risk: "disruptive",
    inputs: { secret: "required" },
    gives: ["services"],
    proofs: { oldValueRefused: "the leaked value was tried, and refused" },
    withinMinutes: 30,
    undo: { never: "a leaked value is never brought back" },
  },
  redeploy: {
    does: "replace every task of the service by one that reads its secrets anew",
    risk: "reversible",
    inputs: { cluster: "required", service: "required" },
    gives: [],
    proofs: { deploymentSuccessful: "our own deployment succeeded, and no task is older than it" },
    withinMinutes: 30,
    undo: { never: "the tasks run the same task definition as before" },
  },
  disableAwsKey: {
    does: "switch the AWS access key off, and keep it: its id is how its doings are traced",
    risk: "disruptive",
    inputs: { accessKey: "required" },
    gives: [],
    proofs: { keyInactive: "IAM lists the key as inactive" },
    withinMinutes: 5,
    undo: { by: "enableAwsKey" },
  },
  enableAwsKey: {
    does: "switch the AWS access key on again",
    // What is done with a leaked key that works again cannot be taken back.
    risk: "destructive",
    inputs: { accessKey: "required" },
    gives: [],
    proofs: { keyActive: "IAM lists the key as active" },
    withinMinutes: 5,
    undo: { by: "disableAwsKey" },
  },
  denyOlderSessions: {
    does: "refuse everything to sessions of the role that began before now; running tasks need a redeployment",
    risk: "disruptive",
    inputs: { role: "required" },
    gives: [],
    proofs: {
      olderSessionsDenied: "the role carries the denial, and IAM's simulator refuses an older session",
    },
    withinMinutes: 5,
    undo: { by: "allowOlderSessions" },
  },
  allowOlderSessions: {
    does: "take the denial of older sessions off the role",
    risk: "destructive",
    inputs: { role: "required" },
    gives: [],
    proofs: { olderSessionsAllowed: "the role no longer carries the denial" },
    withinMinutes: 5,
    undo: { by: "denyOlderSessions" },
  },
  blastRadius: {
    does: "list who read what, from where and when, out of CloudTrail",
    risk: "read",
    inputs: { secret: "optional", principal: "optional", accessKey: "optional", hours: "optional" },
    needsOneOf: ["secret", "principal", "accessKey"],
    gives: ["secrets", "services", "readers"],
    proofs: { coverageStated: "the list is stored, with the trails, window and Regions that it covers" },
    withinMinutes: 15,
    isEvidence: true,
    undo: CHANGES_NOTHING,
  },
  collectTaskEvidence: {
    does: "collect the task's last log lines, exit, health, CPU and memory, and dependencies",
    risk: "read",
    inputs: { cluster: "required", task: "required" },
    gives: ["stop", "service"],
    proofs: { evidenceStored: "all five parts are stored, or say why they are missing" },
    withinMinutes: 5,
    isEvidence: true,
    undo: CHANGES_NOTHING,
  },
  taskDefinitionDiff: {
    does: "compare the task definition with the last one that ran well",
    risk: "read",
    inputs: { cluster: "required", service: "required" },
    gives: ["changed"],
    proofs: { differencesStored: "the differences are stored, without values of variables" },
    withinMinutes: 5,
    isEvidence: true,
    undo: CHANGES_NOTHING,
  },
  verify: {
    does: "ask every target, label and task whether it holds what it should",
    risk: "read",
    inputs: { secret: "optional" },
    gives: [],
    proofs: { everythingHolds: "every question was asked, and nothing has drifted" },
    withinMinutes: 10,
    undo: CHANGES_NOTHING,
  },
  notify: {
    does: "tell people",
    risk: "safe",
    inputs: { audience: "required", text: "required" },
    gives: [],
    proofs: { messageTaken: "the channel has the message, and gave it an id" },
    withinMinutes: 5,
    undo: { never: "what was said was said; a correction is another message" },
  },
  openPostMortem: {
    does: "write what is known into the post-mortem, and leave what people wrote",
    risk: "safe",
    inputs: {},
    gives: ["document"],
    proofs: { documentStored: "the document is stored, and reads back as it was written" },
    withinMinutes: 5,
    undo: { never: "a document is kept" },
  },
  human: {
    does: "wait for a person to say that it is done",
    risk: "safe",
    inputs: { record: "optional" },
    gives: [],
    proofs: { personConfirms: "a named person said so, and wrote down what was asked" },
    withinMinutes: 60,
    undo: { never: "only the person knows how" },
  },
};

export const isActionName = (text: string): text is ActionName => Object.hasOwn(ACTIONS, text);
