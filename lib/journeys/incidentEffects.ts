/** Every action with what does it. A new one that nobody does would not compile. */

import { RekeyError } from "../errors.ts";
import type { AccessControl } from "../incident/accessControl.ts";
import {
  absent,
  type Effect,
  type Effects,
  nothingBefore,
  notYet,
  passed,
  type Task,
} from "../incident/effect.ts";
import type { IncidentStore } from "../incident/incidentStore.ts";
import type { PostMortems } from "../incident/postMortems.ts";
import type { Voice } from "../incident/voice.ts";
import { messageOf, outsideText, sections } from "../message.ts";
import type { RotationLog } from "../rotation/intent.ts";
import { allowEffect, denyEffect, keyEffect } from "./accessEffects.ts";
import type { AccessPorts } from "./accessPorts.ts";
import { keptEffect } from "./keptEffect.ts";
import { reachOf } from "./reachOf.ts";
import { redeployEffect } from "./redeployEffect.ts";
import { type RotationStarter, rotateEffect } from "./rotateEffect.ts";
import type { StopPorts } from "./stopPorts.ts";
import { definitionChanges, type StoppedTasks, taskEvidence } from "./taskEvidence.ts";
import { type Verifier, verifyEffect } from "./verifyEffect.ts";

export interface EffectPorts {
  readonly starter: RotationStarter;
  readonly verifier: Verifier;
  readonly access: AccessPorts;
  readonly rotations: Pick<RotationLog, "run" | "rotations" | "claims" | "history">;
  readonly stops: StopPorts;
  readonly tasks: StoppedTasks;
  readonly iam: AccessControl;
  readonly incidents: IncidentStore;
  readonly postMortems: PostMortems;
  readonly voice?: Voice;
}

export function incidentEffects(ports: EffectPorts): Effects {
  const { starter, verifier, access, rotations, stops, tasks, iam, incidents, voice } = ports;
  const { now, fleet, store } = access;
  const records = { store: { describe: store.describe }, log: rotations, now };
  const kept = (check: string, find: Parameters<typeof keptEffect>[3]) =>
    keptEffect(incidents, now, check, find);
  return {
    rotate: rotateEffect(records, starter, false),
    rotateEmergency: rotateEffect(records, starter, true),
    redeploy: redeployEffect(fleet, now),
    disableAwsKey: keyEffect(iam, now, false),
    enableAwsKey: keyEffect(iam, now, true),
    denyOlderSessions: denyEffect(iam, now),
    allowOlderSessions: allowEffect(iam, now),
    blastRadius: kept("coverageStated", (task) => reachOf(access, task)),
    collectTaskEvidence: kept("evidenceStored", (task) => taskEvidence(stops, tasks, task)),
    taskDefinitionDiff: kept("differencesStored", (task) => definitionChanges(stops, fleet, task)),
    verify: verifyEffect(verifier, now),
    notify: notifyEffect(voice, now),
    openPostMortem: kept("documentStored", (task) => writeUp(ports, task)),
  };
}

async function writeUp({ incidents, postMortems }: EffectPorts, { runId }: Task) {
  const stored = await incidents.read(runId);
  if (!stored) throw new RekeyError("RECORD_INVALID", `run ${runId} has no record`);
  const { link } = await postMortems.open(stored.incident.run);
  return { lines: [link], gave: { document: link } };
}

/** Everybody who is told reads the incident's channel; the audience is named in front. */
function notifyEffect(voice: Voice | undefined, now: () => Date): Effect {
  const keyOf = ({ order }: Task) => `notify ${order.place.step}`;
  return {
    before: nothingBefore,
    async act(task) {
      if (!voice)
        throw new RekeyError("CONFIG_INVALID", "REKEY_SLACK_CHANNEL is not set, so nobody can be told");
      const { audience, text } = task.order.inputs;
      const says = `*For ${outsideText(String(audience))}*\n${outsideText(String(text), 2_000)}`;
      const message = messageOf(outsideText(`For ${audience}: ${text}`, 2_000), sections([says]));
      await voice.say({ threadId: task.runId, key: keyOf(task), message, priority: "P2" });
      return undefined;
    },
    async prove(task) {
      const shown = await voice?.shown(task.runId, keyOf(task));
      if (shown === undefined) return absent("nothing was said");
      if (shown === "waiting") return notYet("the channel has not taken it yet");
      return passed("messageTaken", `the channel has it as ${shown.as}`, now());
    },
  };
}
