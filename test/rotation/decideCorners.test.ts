/** Corners of `decide` where two things hold at once, and one of them must win. */
import { expect, test } from "vitest";
import { decide } from "../../lib/rotation/decide.ts";
import type { CredentialFacts, Decision, Facts } from "../../lib/rotation/decision.ts";
import type { Rotation } from "../../lib/rotation/intent.ts";
import { at, iso, rotation } from "./facts.ts";

const staged = { current: "old", pending: "new", staged: true };
const promoted = { current: "new", pending: "new", staged: true };
const set = { stagedAt: iso(1), setAttempts: 1, setAt: iso(2) };
const twice = { ...set, setAttempts: 2 };
const moved = { ...set, testedAt: iso(3), promotedAt: iso(4) };
const rolledOut = { ...moved, rolledOutAt: iso(60), confirmedAt: iso(61) };
const label = "shop/database";
const emergency = { emergency: true };
const credential = (changes: Partial<CredentialFacts> = {}): CredentialFacts => ({
  label,
  takenBy: "server",
  revokes: true,
  quietUntil: at(60),
  ...changes,
});
const facts = (changes: Partial<Facts>): Facts => ({ labels: promoted, runWave: "rotate", ...changes });
const through = { state: "through", because: "", missing: [] } as const;
const down = { unreachable: "the database does not answer" };

const rows: readonly (readonly [string, Rotation, Facts, Decision])[] = [
  [
    "an emergency looks at its credentials before it does anything",
    rotation(moved, emergency),
    facts({ settled: true, rollout: through }),
    { do: "look", at: "credentials" },
  ],
  [
    "an emergency whose services are through still waits for a target that does not answer",
    rotation({ ...rolledOut, cut: { [label]: [] } }, emergency),
    facts({ credentials: [credential({ target: down })] }),
    { do: "wait", because: "the database does not answer" },
  ],
  [
    "an emergency tells of the target that does not answer before it tells of the rollout",
    rotation({ ...moved, cut: { [label]: [] } }, emergency),
    facts({
      settled: true,
      credentials: [credential({ target: down })],
      rollout: { state: "running", because: "1 of 2", missing: [] },
    }),
    { do: "wait", because: "the database does not answer" },
  ],
  [
    "a leaked key that the last document no longer keeps is followed to its end",
    rotation(rolledOut, emergency),
    facts({ credentials: [credential({ takenBy: "tasks", target: { from: "refused", to: "accepted" } })] }),
    { do: "look", at: "stragglers", label },
  ],
  [
    "a value that still works although it was switched off is switched off again",
    rotation({ ...rolledOut, switchedOff: [label] }),
    facts({ credentials: [credential({ stragglers: [], target: { from: "accepted", to: "accepted" } })] }),
    { do: "revoke", label, because: "no running task can hold the old value" },
  ],
  [
    "what can be done for one credential is done, although the target of another does not answer",
    rotation(rolledOut),
    facts({
      credentials: [
        credential({ stragglers: [], target: down }),
        credential({ label: "shop/cache", stragglers: [], target: { from: "accepted", to: "accepted" } }),
      ],
    }),
    { do: "revoke", label: "shop/cache", because: "no running task can hold the old value" },
  ],
  [
    "a value in use that the setting has broken is set once more",
    rotation(set),
    facts({ labels: staged, target: { from: "refused", to: "accepted" } }),
    { do: "set", because: "the target does not accept both values for good yet" },
  ],
  [
    "then it is the old value that is refused",
    rotation(twice),
    facts({ labels: staged, target: { from: "refused", to: "accepted" } }),
    {
      do: "giveUp",
      code: "OLD_VALUE_REFUSED",
      because: "the target refuses the old value after it was set",
    },
  ],
  [
    "when both are refused, the new one is",
    rotation(twice),
    facts({ labels: staged, target: { from: "refused", to: "refused" } }),
    { do: "giveUp", code: "PENDING_REFUSED", because: "the target refuses the new value after it was set" },
  ],
  [
    "when both work and the setting never ended, it is the new one that is not trusted",
    rotation({ stagedAt: iso(1), setAttempts: 2 }),
    facts({ labels: staged, target: { from: "accepted", to: "accepted" } }),
    {
      do: "giveUp",
      code: "PENDING_REFUSED",
      because: "setting the new value at the target was begun twice and did not end",
    },
  ],
  [
    "Secrets Manager is waited for, and until when is told",
    rotation({ stagedAt: iso(1) }, { native: { askedAt: iso(0), until: iso(3600) } }),
    facts({ labels: { ...staged, native: true } }),
    { do: "wait", because: "for Secrets Manager to ask for the next step", until: at(3600) },
  ],
  [
    "a failed deployment whose service nobody knows names none",
    rotation(moved),
    facts({ settled: true, rollout: { state: "failed", because: "crash", missing: [] } }),
    { do: "giveUp", code: "DEPLOYMENT_FAILED", because: "crash" },
  ],
];

test.each(rows)("%s", (_promise, given, known, decision) => {
  expect(decide(given, known, at(100))).toStrictEqual(decision);
});
