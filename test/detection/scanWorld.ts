/** What a scan needs, without a network and on a clock that jumps: for properties over many small histories, and for benches. */
import type { AccessLog } from "../../lib/detection/accessLog.ts";
import type { Cursor, CursorKind, Remembered } from "../../lib/detection/cursor.ts";
import { type CursorStore, readCursor } from "../../lib/detection/cursorStore.ts";
import { RekeyError } from "../../lib/errors.ts";
import type { EventHistory } from "../standin/lookupEvents.ts";
import { AwsError } from "../standin/service.ts";
import { record } from "./records.ts";

export const PLACE = "123456789012/eu-central-1";

/** Time passes only where somebody waits, or is made to. */
export class JumpingClock {
  ms: number;

  constructor(start: string) {
    this.ms = Date.parse(start);
  }

  readonly now = (): Date => new Date(this.ms);
  readonly sleep = async (ms: number): Promise<void> => {
    this.ms += ms;
  };
}

/** A read of a secret, as the history has it. */
export const readAt = (eventID: string, atMs: number) => ({
  ...record({ eventID, eventTime: `${new Date(atMs).toISOString().slice(0, 19)}Z` }),
  eventID,
  eventTime: new Date(atMs).toISOString(),
  eventSource: "secretsmanager.amazonaws.com",
  eventName: "GetSecretValue",
  requestParameters: {},
});

export class MemoryCursors implements CursorStore {
  readonly cursors = new Map<CursorKind, Cursor>();
  readonly lots = new Map<number, Remembered>();

  readonly read = async (_place: string, kind: CursorKind) => {
    const found = this.cursors.get(kind);
    return found && readCursor(JSON.parse(JSON.stringify(found)));
  };

  readonly save = async (cursor: Cursor) => {
    if ((this.cursors.get(cursor.kind)?.rev ?? 0) !== cursor.rev) return undefined;
    const next = { ...cursor, rev: cursor.rev + 1 };
    this.cursors.set(cursor.kind, next);
    return next;
  };

  readonly file = async ({ rev, recent }: Cursor) => void this.lots.set(rev, recent);

  readonly filed = async () => [...this.lots.values()];

  readonly forget = async (_place: string, beforeMs: number) => {
    for (const [rev, ids] of this.lots) if (Math.max(...Object.values(ids)) < beforeMs) this.lots.delete(rev);
  };
}

/** LookupEvents without its rates, in pages of a size that a small history also fills. */
export function directLog(history: EventHistory, pageSize: number): AccessLog {
  const { LookupEvents } = history.service().operations;
  return {
    place: async () => PLACE,
    page: async (source, { fromMs, toMs }, token) => {
      const question = {
        LookupAttributes: [{ AttributeKey: "EventSource", AttributeValue: source }],
        StartTime: fromMs / 1000,
        EndTime: toMs / 1000 - 1,
        MaxResults: pageSize,
        ...(token === undefined ? {} : { NextToken: token }),
      };
      try {
        const answer = LookupEvents?.(question, { principalArn: "", userAgent: "" }) as {
          Events: { CloudTrailEvent: string }[];
          NextToken?: string;
        };
        return {
          records: answer.Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent)),
          ...(answer.NextToken === undefined ? {} : { next: answer.NextToken }),
        };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        throw new RekeyError("AWS_FAILED", `could not look up: ${error.type}`, { cause: error });
      }
    },
  };
}
