/** With what an event is looked at: what is known, what is usual, and which events are a tool's refresh of its own state. */
import { NOTHING_USUAL, type Usual } from "./history.ts";
import { type Known, type KnownSecret, NOTHING_KNOWN } from "./known.ts";
import type { SecretEvent } from "./secretEvent.ts";

export interface View {
  readonly known: Known;
  readonly usual: Usual;
  /** Event ids. */
  readonly refreshed: ReadonlySet<string>;
}

export const PLAIN_VIEW: View = { known: NOTHING_KNOWN, usual: NOTHING_USUAL, refreshed: new Set() };

export function knownSecretsOf({ known }: View, { secrets }: SecretEvent): readonly KnownSecret[] {
  return secrets.map(({ key }) => known.secrets.get(key)).filter((secret) => secret !== undefined);
}

export const isOurs = ({ known }: View, { principal }: SecretEvent): boolean =>
  principal !== undefined && known.ourRoles.has(principal.key);
