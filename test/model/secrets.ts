/** Secrets Manager as a few maps: labels that are exact for writers and up to two seconds old for readers. */
import { RekeyError } from "../../lib/errors.ts";
import type { SecretFacts, VersionFacts } from "../../lib/rotation/secretStore.ts";
import { SecretText } from "../../lib/secret.ts";

/** For how long after a write a reader may be given what was there before. */
export const STALE_MS = 2_000;

interface Version {
  readonly text: SecretText;
  readonly createdAt: number;
  readonly labels: Set<string>;
}

export class Secret {
  readonly arn: string;
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly versions = new Map<string, Version>();
  /** What the labels were since when, oldest first. */
  readonly states: { readonly at: number; readonly versions: readonly VersionFacts[] }[] = [];

  constructor(name: string, tags: ReadonlyMap<string, string>) {
    this.name = name;
    this.arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
    this.tags = tags;
  }

  holder(label: string): string | undefined {
    for (const [versionId, { labels }] of this.versions) if (labels.has(label)) return versionId;
    return undefined;
  }

  holders(label: string): string[] {
    return [...this.versions].filter(([, { labels }]) => labels.has(label)).map(([versionId]) => versionId);
  }

  /** Every version that a reader could be given as AWSCURRENT now. */
  currents(now: number): Set<string> {
    const found = new Set<string>();
    for (let place = this.states.length - 1; place >= 0; place--) {
      const state = this.states[place];
      const current = state?.versions.find(({ labels }) => labels.includes("AWSCURRENT"));
      if (current) found.add(current.versionId);
      if (state && state.at <= now - STALE_MS) break;
    }
    return found;
  }

  seenAt(time: number): readonly VersionFacts[] {
    return this.#stateAt(time)?.versions ?? [];
  }

  #stateAt(time: number) {
    return this.states.findLast(({ at }) => at <= time) ?? this.states[0];
  }

  put(versionId: string, text: string, label: string, now: number): void {
    this.versions.set(versionId, { text: new SecretText(text), createdAt: now, labels: new Set() });
    this.move(label, versionId, now);
  }

  move(label: string, to: string | undefined, now: number): void {
    const from = this.holder(label);
    if (from === to) return;
    if (from !== undefined) this.versions.get(from)?.labels.delete(label);
    if (to !== undefined) this.versions.get(to)?.labels.add(label);
    if (label === "AWSCURRENT" && from !== undefined) {
      for (const { labels } of this.versions.values()) labels.delete("AWSPREVIOUS");
      this.versions.get(from)?.labels.add("AWSPREVIOUS");
    }
    this.note(now);
  }

  note(now: number): void {
    const versions = [...this.versions]
      .filter(([, { labels }]) => labels.size > 0)
      .map(([versionId, { labels, createdAt }]) => ({
        versionId,
        labels: [...labels],
        createdAt: new Date(createdAt),
      }));
    this.states.push({ at: now, versions });
  }

  facts(time: number): SecretFacts {
    const { arn, name, tags } = this;
    const changedAt = new Date(this.#stateAt(time)?.at ?? 0);
    return { arn, name, tags, rotationEnabled: false, versions: this.seenAt(time), changedAt };
  }
}

export class Secrets {
  readonly all = new Map<string, Secret>();

  find(arn: string): Secret {
    const secret = this.all.get(arn);
    if (!secret) throw new RekeyError("SECRET_UNREADABLE", `there is no secret ${arn}`);
    return secret;
  }

  /** @param time when the replica that answers was up to date */
  read(arn: string, version: { versionId: string } | { label: string }, time: number) {
    const secret = this.find(arn);
    const versionId =
      "versionId" in version
        ? version.versionId
        : secret.seenAt(time).find(({ labels }) => labels.includes(version.label))?.versionId;
    const found = versionId === undefined ? undefined : secret.versions.get(versionId);
    if (versionId === undefined || !found || found.createdAt > time)
      throw new RekeyError("SECRET_UNREADABLE", `no such version of ${secret.name}`);
    return { versionId, text: found.text, createdAt: new Date(found.createdAt) };
  }

  stage(arn: string, versionId: string, text: SecretText, now: number): void {
    const secret = this.find(arn);
    if (!secret.versions.has(versionId)) secret.put(versionId, text.reveal(), "AWSPENDING", now);
  }

  moveCurrent(arn: string, from: string, to: string, now: number): void {
    const secret = this.find(arn);
    if (!secret.versions.get(from)?.labels.has("AWSCURRENT") || !secret.versions.has(to))
      throw new RekeyError("LABEL_MOVED", `AWSCURRENT of ${secret.name} is not on ${from}`);
    secret.move("AWSCURRENT", to, now);
  }

  dropPending(arn: string, versionId: string, now: number): void {
    const secret = this.find(arn);
    if (secret.holder("AWSPENDING") === versionId) secret.move("AWSPENDING", undefined, now);
  }
}
