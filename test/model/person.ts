/** What people do by hand: they move labels, edit secrets, and do what a waiting rotation asks of them. */
import type { Rotation } from "../../lib/rotation/intent.ts";
import type { Laws } from "./laws.ts";
import type { Secret } from "./secrets.ts";
import { labelOf, type World } from "./world.ts";

export function move(
  world: World,
  laws: Laws,
  secret: Secret | undefined,
  versionId: string | undefined,
): void {
  if (!secret || versionId === undefined || versionId === secret.holder("AWSCURRENT")) return;
  secret.move("AWSCURRENT", versionId, world.schedule.now);
  laws.movedByHand(secret, versionId);
}

/** A person edits the secret: another setting, or a value that nobody told the target. */
export function put(world: World, laws: Laws, secret: Secret | undefined, isWrong: boolean): void {
  const current = secret?.versions.get(secret.holder("AWSCURRENT") ?? "");
  if (!secret || !current) return;
  const document: Record<string, string> = JSON.parse(current.text.reveal());
  document["DEBUG"] = "on";
  for (const { field, kind } of laws.values.plansOf(secret))
    if (isWrong) document[field ?? (kind === "pair" ? "password" : "current")] = world.newValue();
  const versionId = `by-hand-${secret.versions.size}`;
  secret.put(versionId, JSON.stringify(document), "AWSCURRENT", world.schedule.now);
  laws.movedByHand(secret, versionId);
}

/** Mends everything that a rotation may wait for: the label, the target, sessions from outside, and the services. */
export function mend(world: World, laws: Laws): void {
  for (const rotation of world.records.openRotations()) mendSecret(world, laws, rotation);
  for (const target of world.targets.values()) target.guest = undefined;
  for (const service of world.fleet.services) {
    service.fates.length = 0;
    laws.foreign(service.name);
    world.fleet.deploy(service);
  }
  laws.changed();
}

function mendSecret(world: World, laws: Laws, { secretArn, history }: Rotation): void {
  const wave = history.at(-1);
  const secret = world.secrets.find(secretArn);
  if (!wave) return;
  const wanted = wave.retreat ? wave.fromVersionId : wave.toVersionId;
  for (const plan of laws.values.plansOf(secret)) {
    const target = world.targets.get(labelOf(plan.secret, plan.field));
    const value = laws.values.value(secret, wanted, plan);
    if (!target || target.accepted.includes(value)) continue;
    // In place of whatever somebody put there.
    target.accepted = [value, ...target.accepted].slice(0, 2);
    target.saved = [...target.accepted];
  }
  move(world, laws, secret, wanted);
}
