/**
 * Finds every reason to refuse, for all secrets at once, and what the others will do. Reads only: Secrets Manager, ECS,
 * and each target through its strategy.
 */
import pLimit from "p-limit";
import { RekeyError } from "../errors.ts";
import { type Consumers, findConsumers } from "../rotation/consumers.ts";
import type { FleetFacts } from "../rotation/fleet.ts";
import type { RotationRequest, SecretHistory } from "../rotation/intent.ts";
import { isManaged, type ManagedCredential, type ManagedSecret, readTags } from "../rotation/managed.ts";
import { isFunction } from "../rotation/native.ts";
import { notesOn, objectToConsumers, objectToSecret, objectToWaves, waive } from "../rotation/preflight.ts";
import { objectToRights, type RightsAnswer, type Subject } from "../rotation/rights.ts";
import { holderOf, type SecretFacts } from "../rotation/secretStore.ts";
import { dueCredentials, select } from "../rotation/selection.ts";
import { type Objection, type Strategy, WAVES, type Wave } from "../rotation/strategy.ts";
import { SecretDocument } from "../secret.ts";
import { circumstances, openCredential } from "./credentials.ts";
import { pendingOf } from "./gather.ts";
import type { Ports } from "./ports.ts";

export interface PlannedSecret {
  readonly managed: ManagedSecret;
  readonly fromVersionId: string;
  readonly credentials: readonly { readonly label: string; readonly waves: readonly Wave[] }[];
  readonly waves: readonly Wave[];
  readonly briefCut: boolean;
  readonly consumers: Consumers;
  readonly notes: readonly string[];
  /** The run that still has an earlier rotation open, which an emergency must see ended first. */
  readonly openRun?: string;
}

export interface RefusedSecret {
  readonly name: string;
  readonly arn: string;
  readonly objections: readonly Objection[];
}

export interface Preflight {
  readonly planned: readonly PlannedSecret[];
  readonly refused: readonly RefusedSecret[];
  readonly notDue: readonly string[];
}

/**
 * @param runId the run that asks; secrets that it has claimed itself, before a crash, are not in its own way
 * @throws RekeyError PAYLOAD_INVALID if `only` or `except` match nothing
 */
export async function preflight(ports: Ports, request: RotationRequest, runId?: string): Promise<Preflight> {
  // The whole of ECS takes the longest to read, and what is read of it does not depend on the rest. What is wrong with the
  // request is told first all the same.
  const surveying = ports.fleet.survey();
  surveying.catch(() => {});
  const [all, histories, claims] = await Promise.all([
    ports.store.list(),
    ports.log.histories(),
    ports.log.claims(),
  ]);
  const [tagged, others] = [
    all.filter(({ tags }) => isManaged(tags)),
    all.filter(({ tags }) => !isManaged(tags)),
  ];
  const { selected, unmanaged } = select(request, tagged, others);
  if (selected.length === 0) {
    return { planned: [], refused: unmanaged.map(notManaged), notDue: [] };
  }
  const fleet = await surveying;
  const managedAll = tagged.map((facts) => readTags(facts.arn, facts.name, facts.tags));
  const consumersOf = findConsumers(managedAll, fleet);
  const limit = pLimit(ports.settings.concurrency);
  // Beside everything else: IAM may take its time, or never answer.
  const rights = ports.rights?.toWrite(subjectsOf(selected, consumersOf)) ?? Promise.resolve({ lacking: [] });
  const verdicts = await Promise.all(
    selected.map((listed) =>
      limit(() =>
        judge(ports, request, listed, {
          history: histories.get(listed.arn),
          openRun: claims.get(listed.arn) === runId ? undefined : claims.get(listed.arn),
          consumers: consumersOf.get(listed.arn) ?? { services: [], tasks: [], missing: [] },
          fleet,
          rights,
        }),
      ),
    ),
  );
  return {
    planned: verdicts.flatMap((verdict) => ("planned" in verdict ? [verdict.planned] : [])),
    refused: [
      ...unmanaged.map(notManaged),
      ...verdicts.flatMap((one) => ("refused" in one ? [one.refused] : [])),
    ],
    notDue: verdicts.flatMap((verdict) => ("notDue" in verdict ? [verdict.notDue] : [])),
  };
}

interface Surroundings {
  readonly history: SecretHistory | undefined;
  readonly openRun: string | undefined;
  readonly consumers: Consumers;
  readonly fleet: FleetFacts;
  readonly rights: Promise<RightsAnswer>;
}

type Judged =
  | { readonly planned: PlannedSecret }
  | { readonly refused: RefusedSecret }
  | { readonly notDue: string };

async function judge(
  ports: Ports,
  request: RotationRequest,
  listed: SecretFacts,
  around: Surroundings,
): Promise<Judged> {
  const refuse = (objections: readonly Objection[]): Judged => ({
    refused: { name: listed.name, arn: listed.arn, objections },
  });
  try {
    // Listing lags behind writes by minutes; labels and tags are decided upon as they are now.
    const facts = await ports.store.describe(listed.arn);
    const managed = readTags(facts.arn, facts.name, facts.tags);
    const isOurs =
      request.native !== undefined || isFunction(facts.rotationFunctionArn, ports.settings.rotationFunction);
    const pending = facts.deletedAt ? undefined : await pendingOf(ports, facts, request.native ?? "");
    const native = { isOurs, ...(pending && pending !== request.native ? { pending } : {}) };
    const objections = [
      ...objectToSecret(facts, managed, new Set(ports.strategies.keys()), around.openRun, native),
      ...objectToConsumers(managed, around.consumers, around.fleet),
    ];
    const atTarget: Objection[] = [];
    if (facts.deletedAt || !holderOf(facts, "AWSCURRENT")) return refuse(objections);
    const current = await ports.store.read(facts.arn, { label: "AWSCURRENT" });
    const due =
      request.scheduled && !request.force
        ? dueCredentials(managed, around.history, facts.lastRotatedAt ?? current.createdAt, ports.now())
        : managed.credentials;
    if (due.length === 0 && managed.credentials.length > 0) return { notDue: facts.name };
    const document = SecretDocument.parse(current.text);
    const oldestTaskCreatedAt = oldestTask(around);
    const credentials: { label: string; waves: readonly Wave[] }[] = [];
    let briefCut = false;
    for (const one of due) {
      const strategy = ports.strategies.get(one.strategy);
      if (!strategy) continue;
      const found = await inspect(ports, one, strategy, document, request.emergency);
      atTarget.push(...found.objections);
      if (!found.ready) continue;
      const recorded = around.history?.credentials[one.label];
      const isRecorded =
        recorded?.nextKid !== undefined && recorded.nextKid === strategy.upcoming?.(found.ready.current);
      // Labels carry no time: a version that we did not promote may have been made current long after it was created.
      const nextPublishedAt =
        isRecorded && recorded.nextPublishedAt
          ? new Date(recorded.nextPublishedAt)
          : (facts.changedAt ?? current.createdAt);
      const audience = {
        ...(oldestTaskCreatedAt ? { oldestTaskCreatedAt } : {}),
        ...(nextPublishedAt ? { nextPublishedAt } : {}),
      };
      credentials.push({
        label: one.label,
        waves: request.emergency ? ["rotate"] : strategy.waves(found.ready.current, audience, found.ready.at),
      });
      briefCut ||= strategy.overlap === "brief-cut";
    }
    const rights = await around.rights;
    const { consumers } = around;
    const written = [facts.arn, ...consumers.services.map(({ service }) => service.serviceArn)];
    objections.push(...objectToRights(facts.name, new Set(written), rights));
    const waves = WAVES.filter((wave) => credentials.some((one) => one.waves.includes(wave)));
    if (request.native !== undefined) objections.push(...objectToWaves(facts.name, waves));
    const { blocking, waived } = request.emergency
      ? waive(objections, atTarget)
      : { blocking: [...objections, ...atTarget], waived: [] };
    if (blocking.length > 0) return refuse(blocking);
    return {
      planned: {
        managed,
        fromVersionId: current.versionId,
        credentials,
        waves,
        briefCut,
        consumers,
        notes: [
          ...notesOn(managed, consumers, document.isPlain),
          ...waived,
          ...(request.dryRun && rights.unasked
            ? [`whether Rekey may write it could not be asked beforehand: ${rights.unasked}`]
            : []),
        ],
        ...(around.openRun === undefined ? {} : { openRun: around.openRun }),
      },
    };
  } catch (error) {
    if (error instanceof RekeyError) return refuse([{ code: error.code, message: error.message }]);
    throw error;
  }
}

async function inspect(
  ports: Ports,
  managed: ManagedCredential,
  strategy: Strategy,
  document: SecretDocument,
  emergency: boolean,
) {
  try {
    const current = openCredential(document, managed, strategy);
    const at = await circumstances(ports, managed, current, emergency);
    return { objections: await strategy.inspect(current, at), ready: { current, at } };
  } catch (error) {
    if (error instanceof RekeyError) return { objections: [{ code: error.code, message: error.message }] };
    throw error;
  }
}

function subjectsOf(
  selected: readonly SecretFacts[],
  consumersOf: ReadonlyMap<string, Consumers>,
): readonly Subject[] {
  const services = selected.flatMap(({ arn }) => consumersOf.get(arn)?.services ?? []);
  const arns = new Set(services.map(({ service }) => service.serviceArn));
  return [
    ...selected.map(({ arn, tags }): Subject => ({ kind: "secret", arn, tags })),
    ...[...arns].map((arn): Subject => ({ kind: "service", arn })),
  ];
}

function oldestTask({ consumers, fleet }: Surroundings): Date | undefined {
  const names = new Set(consumers.services.map(({ service }) => service.name));
  const created = [
    ...fleet.tasks.filter(({ service }) => service !== undefined && names.has(service)),
    ...consumers.tasks.map(({ task }) => task),
  ].map(({ createdAt }) => createdAt);
  return created.toSorted((a, b) => +a - +b)[0];
}

function notManaged({ name, arn }: { readonly name: string; readonly arn: string }): RefusedSecret {
  const message = `${name}: carries no rekey:* tag, so Rekey leaves it alone; add rekey:strategy or rekey:field:<FIELD>`;
  return { name, arn, objections: [{ code: "NOT_MANAGED", message }] };
}
