/** Which version a read was given, as far as it can be known. */
import type { Known } from "./known.ts";
import type { SecretEvent } from "./secretEvent.ts";
import { withProvenVersions } from "./versionProof.ts";

const MOVED_MS = 2_000;

/** As sure as can be: by the KMS record of the same call, else by which version is in use. */
export function withVersions(events: readonly SecretEvent[], { secrets }: Known): readonly SecretEvent[] {
  return withProvenVersions(events).map((event) => {
    const { version, atMs } = event;
    const current = secrets.get(event.secrets[0]?.key ?? "")?.current;
    if (version?.known !== "unknown" || version.label !== "AWSCURRENT" || current === undefined) return event;
    // Times are told to the second, and a label that has just moved is not seen everywhere at once.
    if (atMs < current.fromMs + MOVED_MS) return event;
    return { ...event, version: { ...version, id: current.versionId, known: "inferred" } };
  });
}
