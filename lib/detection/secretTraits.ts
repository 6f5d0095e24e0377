/** What is to be said of the secret that an event is about, at the time of the event. */
import { textOf } from "./fields.ts";
import { DAY_MS, factsOf, isSeeded, wasKnown } from "./history.ts";
import { isWithin, type KnownSecret } from "./known.ts";
import { FACT } from "./lessons.ts";
import type { SecretTrait } from "./rule.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { knownSecretsOf, type View } from "./view.ts";

/** Where nobody has said which secrets matter most, their names do. */
const PRODUCTION = /(^|[/_.-])(prod|production|prd|live)([/_.-]|$)/i;
const DORMANT_MS = 60 * DAY_MS;
const ROTATION_MARGIN_MS = 900_000;
/** Of a secret that was just made everybody is a new reader. */
const YOUNG_MS = 7 * DAY_MS;

export function hasTrait(trait: SecretTrait, event: SecretEvent, view: View): boolean {
  const known = knownSecretsOf(view, event);
  const reader = event.principal?.key ?? "";
  switch (trait) {
    case "canary":
      return known.some(({ isCanary }) => isCanary === true);
    case "production":
      return isProduction(event, view);
    case "managed":
      return known.some(({ versions }) => versions !== undefined);
    case "mapped to the reader":
      return (
        event.secrets.length > 0 &&
        event.secrets.every(({ key }) => view.known.secrets.get(key)?.consumers?.has(reader) === true)
      );
    case "mapped to others":
      return known.some(({ consumers }) => consumers !== undefined && !consumers.has(reader));
    case "rotating":
      return known.some((secret) => isOpen(secret, event.atMs)) || isRotating(event, view);
    case "dormant":
      return isDormant(event, view);
    case "at a retired version":
      return known.some((secret) => readsRetired(secret, event));
    case "given a version that nobody knows":
      return known.some(({ versions }) => versions !== undefined && !versions.has(versionWritten(event)));
    case "new":
      return event.secrets.some(({ key }) =>
        isYoung(view.usual.seen.get(key)?.get(FACT.isMade)?.lastMs, event.atMs),
      );
    case "made by the caller":
      return event.secrets.every(({ key }) => wasKnown(view.usual, reader, FACT.made(key), event.atMs));
    case "break glass":
      return known.some(({ isBreakGlass }) => isBreakGlass === true);
    case "approved":
      return known.some(({ approvals }) =>
        approvals?.some((one) => isWithin(event.atMs, one) && (one.principal ?? reader) === reader),
      );
  }
}

function isProduction({ secrets }: SecretEvent, { known }: View): boolean {
  return secrets.some(({ key, name }) => known.secrets.get(key)?.isProduction ?? PRODUCTION.test(name));
}

const isOpen = ({ rotations }: KnownSecret, atMs: number) =>
  rotations?.some((rotation) => isWithin(atMs, rotation, 300_000)) === true;

/** A rotation of Secrets Manager's own tells when it begins and ends. */
function isRotating({ secrets, atMs }: SecretEvent, { usual }: View): boolean {
  return secrets.some(({ key }) =>
    factsOf(usual, key, "rotation ").some(([, { firstMs, lastMs }]) =>
      isWithin(atMs, { fromMs: firstMs, toMs: lastMs }, ROTATION_MARGIN_MS),
    ),
  );
}

function isDormant({ secrets, atMs }: SecretEvent, { usual }: View): boolean {
  return (
    isSeeded(usual, atMs) &&
    secrets.some(({ key }) => {
      const read = usual.seen.get(key)?.get(FACT.read);
      return read !== undefined && read.lastMs < atMs - DORMANT_MS;
    })
  );
}

/** AWSPREVIOUS is a retired version as soon as the one before the last promotion was revoked. */
function readsRetired({ retired, promoted }: KnownSecret, { version, atMs }: SecretEvent): boolean {
  if (retired === undefined || version === undefined) return false;
  if (version.id !== undefined) return (retired.get(version.id) ?? Number.POSITIVE_INFINITY) < atMs;
  if (version.label !== "AWSPREVIOUS" || promoted === undefined) return false;
  return [...retired.values()].some((revokedAtMs) => revokedAtMs >= promoted.atMs && revokedAtMs < atMs);
}

const isYoung = (madeMs: number | undefined, atMs: number) =>
  madeMs !== undefined && atMs - madeMs <= YOUNG_MS;

const versionWritten = ({ request }: SecretEvent) => textOf(request["clientRequestToken"]) ?? "";
