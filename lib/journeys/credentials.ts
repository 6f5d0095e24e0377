/** Opens a secret's document as the credentials in it, and fetches what a strategy needs beside it. */
import { RekeyError } from "../errors.ts";
import { credentialIn, type ManagedCredential } from "../rotation/managed.ts";
import type { SecretStore } from "../rotation/secretStore.ts";
import type { Circumstances, Strategy } from "../rotation/strategy.ts";
import { Credential, SecretDocument } from "../secret.ts";
import type { Ports } from "./ports.ts";

export function openCredential(
  document: SecretDocument,
  managed: ManagedCredential,
  strategy: Strategy,
): Credential {
  return credentialIn(document, managed, strategy.valueName);
}

/**
 * The admin credential: tag `rekey:admin`, else the field `masterarn` that AWS's own functions use.
 *
 * @throws RekeyError ADMIN_MISSING if one is named and cannot be read
 */
export async function loadAdmin(
  store: SecretStore,
  managed: ManagedCredential,
  current: Credential,
): Promise<{ admin?: Credential }> {
  const named = managed.admin ?? current.reveal("masterarn");
  if (!named) return {};
  try {
    const { text } = await store.read(named, { label: "AWSCURRENT" });
    return { admin: new Credential(SecretDocument.parse(text), named) };
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    throw new RekeyError(
      "ADMIN_MISSING",
      `${managed.label}: its admin secret ${named} cannot be read (${error.message})`,
      {
        cause: error,
      },
    );
  }
}

export async function circumstances(
  ports: Ports,
  managed: ManagedCredential,
  current: Credential,
  emergency: boolean,
): Promise<Circumstances> {
  const { graceSeconds, skewSeconds, options } = managed;
  return {
    now: ports.now(),
    graceSeconds,
    skewSeconds,
    rolloutSeconds: ports.settings.rolloutSeconds,
    emergency,
    mayWrite: ports.mayWrite,
    options,
    ...(await loadAdmin(ports.store, managed, current)),
  };
}
