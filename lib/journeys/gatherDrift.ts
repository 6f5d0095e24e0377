/** Reads what `judgeDrift` wants to know about one secret. Whatever cannot be read is said so, and the rest is read all the same. */
import { RekeyError } from "../errors.ts";
import type { Consumers } from "../rotation/consumers.ts";
import type { CredentialDrift, NodeFacts, SecretDrift } from "../rotation/drift.ts";
import type { FleetFacts } from "../rotation/fleet.ts";
import type { Rotation, SecretHistory } from "../rotation/intent.ts";
import { type ManagedCredential, type ManagedSecret, readTags } from "../rotation/managed.ts";
import { printing, printingCurrent } from "../rotation/mend.ts";
import { currentSince, holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import type { Answer, Circumstances, Strategy } from "../rotation/strategy.ts";
import { type Credential, SecretDocument } from "../secret.ts";
import { circumstances, openCredential } from "./credentials.ts";
import type { Ports } from "./ports.ts";

export interface Surroundings {
  readonly history: SecretHistory | undefined;
  readonly openRun: string | undefined;
  /** Or why ECS could not be asked. */
  readonly fleet: FleetFacts | string;
  readonly consumers: Consumers;
}

interface Version {
  readonly versionId: string;
  readonly document: SecretDocument;
  readonly createdAt?: Date;
}

const DAY_SECONDS = 86_400;

export async function gatherDrift(ports: Ports, arn: string, around: Surroundings): Promise<SecretDrift> {
  const unasked: string[] = [];
  const attempt = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      unasked.push(error.message);
      return undefined;
    }
  };
  const nothing = { credentials: [], consumers: around.consumers, rotatingFields: [], unasked };
  const facts = await attempt(() => ports.store.describe(arn));
  if (!facts) return { name: arn, ...nothing };
  const managed = readTags(facts.arn, facts.name, facts.tags);
  const previous = holderOf(facts, "AWSPREVIOUS");
  const pending = holderOf(facts, "AWSPENDING");
  const labels = {
    name: facts.name,
    ...(facts.deletedAt ? { deletedAt: facts.deletedAt } : {}),
    ...(previous ? { previousVersionId: previous.versionId } : {}),
    ...(pending ? { pendingVersionId: pending.versionId } : {}),
  };
  if (facts.deletedAt || !holderOf(facts, "AWSCURRENT")) return { ...nothing, ...labels };
  unasked.push(...managed.objections.map(({ message }) => message));
  if (typeof around.fleet === "string") unasked.push(`its consumers could not be asked: ${around.fleet}`);
  const rotations = around.openRun && (await attempt(() => ports.log.rotations(around.openRun ?? "")));
  const open = around.openRun && openRotation(managed, around.openRun, rotations || [], ports.now());
  const current = await attempt(() => readVersion(ports, arn, undefined));
  const credentials = current
    ? await Promise.all(managed.credentials.map((one) => askCredential(ports, facts, one, current, around)))
    : [];
  return {
    ...labels,
    ...(current
      ? {
          current: {
            versionId: current.versionId,
            since: currentSince(facts, current, around.history?.current),
          },
        }
      : {}),
    ...(open ? { open } : {}),
    credentials,
    ...(typeof around.fleet === "string" ? {} : { fleet: around.fleet }),
    consumers: around.consumers,
    rotatingFields: managed.credentials.flatMap(({ field }) => (field === undefined ? [] : [field])),
    unasked,
  };
}

async function readVersion(ports: Ports, arn: string, versionId: string | undefined): Promise<Version> {
  const { text, ...read } = await ports.store.read(
    arn,
    versionId === undefined ? { label: "AWSCURRENT" } : { versionId },
  );
  return { ...read, document: SecretDocument.parse(text) };
}

function openRotation(managed: ManagedSecret, runId: string, rotations: readonly Rotation[], now: Date) {
  const rotation = rotations.find(({ secretArn }) => secretArn === managed.arn);
  const graces = managed.credentials.map(({ graceSeconds, skewSeconds }) => graceSeconds + skewSeconds);
  return {
    runId,
    // The claim comes a moment before the record.
    since: new Date(rotation?.history[0]?.startedAt ?? now),
    ...(rotation?.because ? { because: rotation.because } : {}),
    allowedSeconds: DAY_SECONDS + Math.max(0, ...graces),
  };
}

async function askCredential(
  ports: Ports,
  facts: SecretFacts,
  managed: ManagedCredential,
  { versionId, document }: Version,
  { history, openRun }: Surroundings,
): Promise<CredentialDrift> {
  const { label } = managed;
  const nobody = { label, current: [], revoked: [] };
  const strategy = ports.strategies.get(managed.strategy);
  if (!strategy) return { ...nobody, unasked: `${label}: no strategy is called ${managed.strategy}` };
  const dead = history?.credentials[label]?.revoked;
  // A version that was made current again by hand is judged as that.
  const isTried = dead !== undefined && dead.versionId !== versionId && openRun === undefined;
  try {
    const current = openCredential(document, managed, strategy);
    const at = await circumstances(ports, managed, current, false);
    const old = isTried ? await readIfThere(ports, facts.arn, dead.versionId) : undefined;
    const ask = () => strategy.check(current, old && current.on(old.document), at);
    const first = await ask();
    // Silence once may be a moment's load; nobody should be called for that.
    const isHeard = [...first.current, ...first.revoked].every(({ verdict }) => verdict !== "silent");
    const found = isHeard ? first : await ask();
    const mend = byHand(facts.name, strategy, current, at, versionId, old?.versionId);
    const isAlive = (where: string) =>
      found.revoked.some((one) => one.where === where && one.verdict === "accepted");
    return {
      label,
      current: found.current.map((one) =>
        one.verdict === "refused" ? mend(isAlive(one.where) ? "replace" : "add", one) : one,
      ),
      revoked: found.revoked.map((one) => (one.verdict === "accepted" ? mend("remove", one) : one)),
      ...(dead ? { revokedAt: dead.at } : {}),
    };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    return { ...nobody, [error.code === "SECRET_MALFORMED" ? "malformed" : "unasked"]: error.message };
  }
}

/** Secrets Manager deletes versions without a label some day; then the value is out of everybody's reach. */
async function readIfThere(ports: Ports, arn: string, versionId: string): Promise<Version | undefined> {
  try {
    return await readVersion(ports, arn, versionId);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "SECRET_UNREADABLE") return undefined;
    throw error;
  }
}

function byHand(
  secret: string,
  strategy: Strategy,
  current: Credential,
  at: Circumstances,
  versionId: string,
  revokedVersionId: string | undefined,
) {
  const field = current.fieldOf(strategy.valueName);
  const prints = {
    current: printing(secret, versionId, field),
    ...(revokedVersionId === undefined ? {} : { revoked: printing(secret, revokedVersionId, field) }),
    ...(at.admin ? { admin: printingCurrent(at.admin.label, at.admin.fieldOf("password")) } : {}),
  };
  return (what: "add" | "remove" | "replace", answer: Answer): NodeFacts => {
    const line = strategy.byHand?.(what, answer.where, current, prints, at);
    return line === undefined ? answer : { ...answer, byHand: line };
  };
}
