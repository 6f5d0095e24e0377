/**
 * Which values could be read at this moment: what AWSCURRENT names, since a task may start now, and what each task that
 * has not stopped was given when it started. AWSPREVIOUS is among them for as long as such a task holds it; nobody else
 * reads it, and after the revocation it is dead by design.
 */
import { isManaged, type ManagedCredential, readTags } from "../../lib/rotation/managed.ts";
import type { Cloud } from "../standin/cloud.ts";
import type { Secret, Version } from "../standin/secretsModel.ts";

export type Watched = Pick<Cloud, "secrets" | "ecs" | "fetched">;

export interface Readable {
  readonly secret: Secret;
  readonly version: Version;
  /** `AWSCURRENT`, or the service and id of a task. */
  readonly heldBy: readonly string[];
  readonly credentials: readonly ManagedCredential[];
}

export function readableNow({ secrets, ecs, fetched }: Watched): Readable[] {
  const holders = new Map<Version, string[]>();
  const hold = (version: Version | undefined, holder: string) => {
    if (version) holders.set(version, [...(holders.get(version) ?? []), holder]);
  };
  const managed = [...secrets.secrets.values()].filter(
    ({ tags, deletedAt }) => !deletedAt && isManaged(tags),
  );
  for (const secret of managed) hold(secrets.holder(secret, "AWSCURRENT"), "AWSCURRENT");
  for (const task of ecs.tasks()) {
    // On its way out it still runs, and logs in, until it has stopped.
    if (task.lastStatus === "STOPPED") continue;
    const id = task.taskArn.split("/").at(-1) ?? "";
    const given = task.secrets.map(({ valueFrom, versionId }) => [arnIn(valueFrom), versionId] as const);
    const held = new Set([...given, ...fetched.by(id)].map((pair) => pair.join(" ")));
    for (const pair of held) {
      const [arn = "", versionId = ""] = pair.split(" ");
      const secret = managed.find((one) => one.arn === arn || one.arn.slice(0, -7) === arn);
      hold(secret?.versions.get(versionId), `${task.service ?? "task"}/${id.slice(0, 8)}`);
    }
  }
  return managed.flatMap((secret) =>
    [...secret.versions.values()].flatMap((version) => {
      const heldBy = holders.get(version);
      if (heldBy === undefined) return [];
      const { credentials } = readTags(secret.arn, secret.name, secret.tags);
      return [{ secret, version, heldBy, credentials }];
    }),
  );
}

/** The first seven parts; behind them stand JSON key, stage and version. */
const arnIn = (valueFrom: string) => valueFrom.split(":").slice(0, 7).join(":");
