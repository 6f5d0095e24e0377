/**
 * Which version of which secret a program fetched by itself, last and by session. CloudTrail records the read without
 * saying which version was answered; a container that reads its settings at start holds exactly that one until it ends.
 */
import type { ServedCall } from "./server.ts";

export class FetchedSecrets {
  readonly #bySession = new Map<string, Map<string, string>>();

  observe({ operation, error, output, caller }: ServedCall): void {
    if (operation !== "GetSecretValue" || error !== undefined) return;
    const { ARN, VersionId } = output as { readonly ARN: string; readonly VersionId: string };
    const session = caller.principalArn.split("/").at(-1) ?? "";
    const fetched = this.#bySession.get(session) ?? new Map<string, string>();
    this.#bySession.set(session, fetched.set(ARN, VersionId));
  }

  /** @returns secret ARN -> version id */
  by(session: string): ReadonlyMap<string, string> {
    return this.#bySession.get(session) ?? new Map();
  }
}
