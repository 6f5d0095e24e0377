/**
 * The four steps that Secrets Manager asks of a rotation function, written once for every kind of secret: who is let in, and
 * what of the engine's next decision each step carries out. Pure. The guards and their order are those of AWS's own
 * functions (aws-samples/aws-secrets-manager-rotation-lambdas), so that a schedule, the console and scripts meet no surprise.
 */
import { RekeyError } from "../errors.ts";
import type { Decision } from "./decision.ts";
import type { SecretFacts } from "./secretStore.ts";

export const STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type Step = (typeof STEPS)[number];

/**
 * @returns false when the token is current already: there is nothing left to do, and no reason to complain
 * @throws RekeyError ROTATION_NOT_ENABLED, TOKEN_UNKNOWN, TOKEN_NOT_PENDING
 */
export function admits(facts: SecretFacts, token: string): boolean {
  const { name } = facts;
  if (!facts.rotationEnabled) {
    throw new RekeyError(
      "ROTATION_NOT_ENABLED",
      `${name}: is not enabled for rotation; attach this function with aws secretsmanager rotate-secret`,
    );
  }
  const version = facts.versions.find(({ versionId }) => versionId === token);
  if (!version) {
    throw new RekeyError(
      "TOKEN_UNKNOWN",
      `${name}: version ${token} carries no label, so no rotation is under way for it`,
    );
  }
  if (version.labels.includes("AWSCURRENT")) return false;
  if (!version.labels.includes("AWSPENDING")) {
    throw new RekeyError(
      "TOKEN_NOT_PENDING",
      `${name}: version ${token} is not set as AWSPENDING for its rotation`,
    );
  }
  return true;
}

type Act = Exclude<Decision, { do: "wait" | "nothing" | "look" }>;
type Answer =
  | { readonly go: "act"; readonly act: Act }
  /** Ask the target, then decide again. */
  | { readonly go: "look" }
  | { readonly go: "home" };

const home: Answer = { go: "home" };

/**
 * What a step makes of the engine's decision about a rotation that is not promoted yet: its own share and nothing beyond.
 *
 * @throws RekeyError when the step cannot do its share: Secrets Manager reports it and tries the rotation again
 */
export function answer(step: Step, decision: Decision): Answer {
  switch (decision.do) {
    case "stage":
      if (step === "createSecret") return { go: "act", act: decision };
      throw new RekeyError(
        "STEP_OUT_OF_ORDER",
        `${step}: the version has no value yet; createSecret puts it`,
      );
    case "look":
      return step !== "createSecret" && decision.at === "target" ? { go: "look" } : home;
    case "set":
      if (step === "setSecret") return { go: "act", act: decision };
      throw new RekeyError("PENDING_REFUSED", `${step}: ${decision.because}; setSecret sees to it`);
    case "note":
      // A finishSecret that comes without testSecret has just asked the target itself.
      if (step === "finishSecret" || (step === "testSecret" && decision.that === "tested"))
        return { go: "act", act: decision };
      return home;
    case "promote":
      return step === "finishSecret" ? { go: "act", act: decision } : home;
    case "wait":
      // Its own value has yet to become readable.
      if (step === "createSecret") return home;
      throw new RekeyError("TARGET_UNREACHABLE", `${step}: ${decision.because}`);
    case "giveUp":
      throw new RekeyError(decision.code, `${step}: ${decision.because}`);
    default:
      throw new RekeyError(
        "ROTATION_ABANDONED",
        `${step}: this rotation was given up; start a new one with aws secretsmanager rotate-secret`,
      );
  }
}
