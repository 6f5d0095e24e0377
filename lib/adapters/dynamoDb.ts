/**
 * Intents, leases and histories in one DynamoDB table (`pk`, `sk`), every write conditional. A run and its rotations
 * share a partition, so that one query loads them; what is open stands under `OPEN`, which is empty on a quiet day.
 *
 *     RUN#<run id>   RUN                    the run
 *     RUN#<run id>   ROTATION#<secret arn>  one rotation of it
 *     RUN#<run id>   LEASE                  who drives it, until when
 *     OPEN           RUN#<run id>           runs that are not done
 *     OPEN           ACTIVE                 the one run that others must not start beside
 *     OPEN           EMERGENCY#<digest>     the same for an emergency, by the secrets that it names
 *     CLOSED         <run id>               runs that were taken off that list, for two days
 *     CLAIM          <secret arn>           the run that has this secret's rotation open
 *     HISTORY        <secret arn>           what outlives the runs
 */
import { createHash, randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { RekeyError } from "../errors.ts";
import { isOver, type Rotation, type RotationLog, type Run, readRecord } from "../rotation/intent.ts";
import { CLIENT_OPTIONS } from "./awsCalls.ts";
import { type Condition, type Key, Table } from "./dynamoTable.ts";

/** Finished runs are kept for the post-mortem and the audit, then DynamoDB's TTL removes them. */
const KEEP_DAYS = 400;
/** For how long the watch over secret reads may ask which runs there were. */
const RECENT_DAYS = 2;

/** `sls invoke` calls again by itself, so the same emergency twice is one; another one must not wait for it. */
function pointerOf({ request }: Pick<Run, "request">): Key {
  if (!request.emergency) return { pk: "OPEN", sk: "ACTIVE" };
  const named = JSON.stringify([request.only?.toSorted(), request.except?.toSorted()]);
  return { pk: "OPEN", sk: `EMERGENCY#${createHash("sha256").update(named).digest("base64url")}` };
}

export function dynamoRotationLog(table: string, client = new DynamoDBClient(CLIENT_OPTIONS)): RotationLog {
  return logFor(new Table(table, client), 0);
}

/** @param token of the lease under which this log writes; 0 before there is one */
function logFor(table: Table, token: number): RotationLog {
  /** Writes the record only if nobody wrote it since it was read, and no later worker ever did. */
  async function save<Record_ extends { readonly rev: number }>(
    key: Key,
    record: Record_,
    expiresAt?: number,
  ): Promise<Record_> {
    const next = { ...record, rev: record.rev + 1 };
    const write = randomUUID();
    const written = await table.put(
      `save ${key.sk}`,
      {
        ...key,
        record: next,
        rev: next.rev,
        fence: token,
        write,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
      record.rev === 0
        ? IS_NEW
        : {
            that: "#rev = :rev and #fence <= :fence",
            names: { "#rev": "rev", "#fence": "fence" },
            values: { ":rev": record.rev, ":fence": token },
          },
    );
    // The SDK sends a call again whose answer was lost, and then finds its own work in the way.
    if (written || (await table.get(key))?.["write"] === write) return next;
    throw new RekeyError("LEASE_LOST", `another worker wrote ${key.sk} first; this one stops`);
  }

  /**
   * Ends a run that has no record: with one in its place, a process that only stood still before writing it cannot begin.
   * @returns false if it has written it by now
   */
  async function refuse(run: Run): Promise<boolean> {
    try {
      await save(
        { pk: `RUN#${run.runId}`, sk: "RUN" },
        { ...run, status: "refused", finishedAt: run.createdAt },
        expiryFrom(run.createdAt),
      );
    } catch (error) {
      if (error instanceof RekeyError && error.code === "LEASE_LOST") return false;
      throw error;
    }
    return true;
  }

  return {
    async begin(run) {
      const known = await table.get({ pk: `RUN#${run.runId}`, sk: "RUN" });
      if (known) return { begun: false, runId: run.runId };
      const pointer = pointerOf(run);
      // The pointer before the run: the other order could leave a run that nobody is told to advance.
      const won = await table.put(
        "begin a run",
        { ...pointer, runId: run.runId, since: run.createdAt },
        isFreeOr(run.runId),
      );
      if (!won) {
        const active = await table.get(pointer);
        const runId = String(active?.["runId"] ?? "");
        const record = runId === "" ? undefined : await this.run(runId);
        const isHeld = record ? !givesWay(record) : isRecent(active?.["since"], run.createdAt);
        if (isHeld || runId === "") return { begun: false, runId };
        // A process died between the pointer and its run, or between its run's end and the pointer's. It promises nothing,
        // so it is taken over; a run that has a record may stay listed for what is still to be told of it.
        if (!record) {
          const isEnded = await refuse({ ...run, runId, createdAt: String(active?.["since"]) });
          if (!isEnded) return { begun: false, runId };
          await this.closeRun(runId);
        }
        await table.remove("clear a pointer without a run", pointer, is(runId));
        return this.begin(run);
      }
      await this.open(run);
      return { begun: true };
    },

    async open(run) {
      await table.put(`open run ${run.runId}`, { pk: "OPEN", sk: `RUN#${run.runId}` });
      return save({ pk: `RUN#${run.runId}`, sk: "RUN" }, run);
    },

    async run(runId) {
      const item = await table.get({ pk: `RUN#${runId}`, sk: "RUN" });
      return item && readRecord("run", item["record"]);
    },

    async openRuns() {
      const items = await table.query("OPEN", "RUN#");
      return items.map(({ sk }) => String(sk).slice("RUN#".length));
    },

    async closedRuns() {
      const items = await table.query("CLOSED");
      return items.map(({ sk }) => String(sk));
    },

    async rotations(runId) {
      const items = await table.query(`RUN#${runId}`, "ROTATION#");
      return items.map((item) => readRecord("rotation", item["record"]));
    },

    async saveRun(run: Run) {
      const expiresAt = isOver(run) ? expiryFrom(run.createdAt) : undefined;
      const saved = await save({ pk: `RUN#${run.runId}`, sk: "RUN" }, run, expiresAt);
      if (givesWay(run)) {
        await table.remove("clear the way for other runs", pointerOf(run), is(run.runId));
      }
      return saved;
    },

    async closeRun(runId) {
      const expiresAt = expiryFrom(new Date().toISOString(), RECENT_DAYS);
      await table.put(`remember that run ${runId} is over`, { pk: "CLOSED", sk: runId, expiresAt });
      await table.remove(`close run ${runId}`, { pk: "OPEN", sk: `RUN#${runId}` });
    },

    async saveRotation(rotation: Rotation) {
      const key = { pk: `RUN#${rotation.runId}`, sk: `ROTATION#${rotation.secretArn}` };
      const ended = rotation.outcome === undefined ? undefined : rotation.history.at(-1)?.startedAt;
      return save(key, rotation, ended === undefined ? undefined : expiryFrom(ended));
    },

    async hurry(runId, secretArn) {
      const change = (sk: string, expression: string, values: Record<string, unknown> = {}) =>
        table.update(`make an emergency of ${sk}`, { pk: `RUN#${runId}`, sk }, expression, {
          that: "attribute_exists(pk)",
          names: {
            "#record": "record",
            "#rev": "rev",
            ...(":true" in values ? { "#emergency": "emergency" } : {}),
          },
          values: { ":one": 1, ...values },
        });
      const bump = "#rev = #rev + :one, #record.#rev = #record.#rev + :one";
      await change(`ROTATION#${secretArn}`, `set ${bump}, #record.#emergency = :true`, { ":true": true });
      await change("RUN", `set ${bump}`);
    },

    async claim(rotation) {
      const key = { pk: "CLAIM", sk: rotation.secretArn };
      const won = await table.put(
        `claim ${rotation.secretArn}`,
        { ...key, runId: rotation.runId },
        isFreeOr(rotation.runId),
      );
      return won ? undefined : String((await table.get(key))?.["runId"] ?? "unknown");
    },

    async claims() {
      const items = await table.query("CLAIM");
      return new Map(items.map((item) => [String(item["sk"]), String(item["runId"])]));
    },

    async release(rotation) {
      await table.remove(
        `release ${rotation.secretArn}`,
        { pk: "CLAIM", sk: rotation.secretArn },
        is(rotation.runId),
      );
    },

    async remember(secretArn, history) {
      await table.put(`remember ${secretArn}`, { pk: "HISTORY", sk: secretArn, record: history });
    },

    async history(secretArn) {
      const item = await table.get({ pk: "HISTORY", sk: secretArn });
      return item ? readRecord("history", item["record"]) : { credentials: {} };
    },

    async histories() {
      const items = await table.query("HISTORY");
      return new Map(items.map((item) => [String(item["sk"]), readRecord("history", item["record"])]));
    },

    async lease(runId, holder, now, seconds) {
      const before = await table.update(
        `lease run ${runId}`,
        leaseOf(runId),
        "set #holder = :holder, #until = :until, #token = if_not_exists(#token, :none) + :one, expiresAt = :expires",
        // Its own, because the SDK sends a call again whose answer was lost.
        {
          that: "attribute_not_exists(#holder) or #holder = :holder or #until < :now",
          names: { "#holder": "holder", "#until": "until", "#token": "token" },
          values: {
            ":holder": holder,
            ":until": now.getTime() + seconds * 1000,
            ":now": now.getTime(),
            ":none": 0,
            ":one": 1,
            ":expires": expiryFrom(now.toISOString()),
          },
        },
      );
      if (!before) return undefined;
      const { holder: other } = before;
      return {
        token: Number(before["token"] ?? 0) + 1,
        tookOver: other !== undefined && other !== holder,
      };
    },

    async renew(runId, holder, now, seconds) {
      const before = await table.update(
        `renew the lease of run ${runId}`,
        leaseOf(runId),
        "set #until = :until",
        {
          that: "#holder = :holder",
          names: { "#holder": "holder", "#until": "until" },
          values: { ":holder": holder, ":until": now.getTime() + seconds * 1000 },
        },
      );
      return before !== undefined;
    },

    async unlease(runId, holder) {
      // The token stays, or the next worker's would be no greater than this one's.
      await table.update(`give back the lease of run ${runId}`, leaseOf(runId), "remove #holder, #until", {
        that: "#holder = :holder",
        names: { "#holder": "holder", "#until": "until" },
        values: { ":holder": holder },
      });
    },

    fencedBy: (later) => logFor(table, later),
  };
}

const IS_NEW: Condition = { that: "attribute_not_exists(pk)" };

const is = (runId: string): Condition => ({
  that: "#run = :run",
  names: { "#run": "runId" },
  values: { ":run": runId },
});

/** Its own counts as free, because the SDK sends a call again whose answer was lost. */
const isFreeOr = (runId: string): Condition => ({ ...is(runId), that: `${IS_NEW.that} or #run = :run` });

/** Whether other runs may begin beside it. */
const givesWay = (run: Run) => isOver(run) || run.status === "waiting";

const leaseOf = (runId: string): Key => ({ pk: `RUN#${runId}`, sk: "LEASE" });

const expiryFrom = (time: string, days = KEEP_DAYS) => Math.floor(Date.parse(time) / 1000) + days * 86_400;

/** How long a run's record may take to follow its pointer. */
const POINTER_GRACE_MS = 60_000;

function isRecent(since: unknown, now: string): boolean {
  return typeof since === "string" && Date.parse(now) - Date.parse(since) < POINTER_GRACE_MS;
}
