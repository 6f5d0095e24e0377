/**
 * CloudTrail's event history as LookupEvents serves it: the newest first, fifty to a page, one attribute, ninety days, a
 * token that only continues the question it was given for, and records that turn up some time after they happened. A token
 * stands for a place in the order: what turns up late above it is not in the pages that follow.
 */
import { createHash } from "node:crypto";
import { AwsError, type AwsService } from "./service.ts";

export interface TrailRecord {
  readonly eventID: string;
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly requestParameters: unknown;
  readonly [field: string]: unknown;
}

interface Entry {
  readonly record: TrailRecord;
  readonly second: number;
  readonly order: number;
  readonly visibleAtMs: number;
}

interface Question {
  readonly LookupAttributes?: readonly { readonly AttributeKey: string; readonly AttributeValue: string }[];
  readonly StartTime?: number;
  readonly EndTime?: number;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface HistoryOptions {
  readonly now?: () => number;
  /** Until a record can be looked up; at once when left out. */
  readonly delaySeconds?: (record: TrailRecord) => number;
  /** How long a token is taken; for ever when left out, since AWS tells of no end. */
  readonly tokenSeconds?: number;
}

const KEEP_SECONDS = 90 * 86_400;
const MOST = 50;
const ATTRIBUTES: Readonly<Record<string, (record: TrailRecord) => unknown>> = {
  EventId: ({ eventID }) => eventID,
  EventName: ({ eventName }) => eventName,
  EventSource: ({ eventSource }) => eventSource,
  ReadOnly: (record) => String(record["readOnly"]),
};

export class EventHistory {
  /** Oldest first. */
  readonly #entries: Entry[] = [];
  readonly #options: HistoryOptions;
  readonly #now: () => number;
  #order = 0;

  constructor(options: HistoryOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** @param delaySeconds instead of the history's own */
  add(record: TrailRecord, delaySeconds = this.#options.delaySeconds?.(record) ?? 0): void {
    const second = Math.floor(Date.parse(record.eventTime) / 1000);
    const entry = { record, second, order: this.#order++, visibleAtMs: this.#now() + delaySeconds * 1000 };
    let at = this.#entries.length;
    while (at > 0 && (this.#entries[at - 1]?.second ?? 0) > second) at--;
    this.#entries.splice(at, 0, entry);
  }

  /** Forgets the oldest. */
  trim(keep: number): void {
    if (this.#entries.length > keep) this.#entries.splice(0, this.#entries.length - keep);
  }

  /** How many a question could find at this moment, on all its pages. */
  count(question: Question): number {
    return this.#entries.filter((entry) => this.#fits(entry, question)).length;
  }

  service(): AwsService {
    return {
      targetPrefix: "CloudTrail_20131101",
      eventSource: "cloudtrail.amazonaws.com",
      operations: { LookupEvents: (question: Question) => this.#lookUp(question) },
      limits: [{ operations: ["LookupEvents"], burst: 2, perSecond: 2 }],
    };
  }

  #lookUp(question: Question) {
    this.#refuse(question);
    const most = question.MaxResults ?? MOST;
    const after = question.NextToken === undefined ? undefined : this.#placeOf(question.NextToken, question);
    const found: Entry[] = [];
    const { EndTime = Number.POSITIVE_INFINITY, StartTime = 0 } = question;
    // From the first that is beyond the end, downwards.
    for (let at = this.#firstAfter(Math.min(EndTime, after?.second ?? EndTime)) - 1; at >= 0; at--) {
      const entry = this.#entries[at];
      if (!entry || entry.second < StartTime || found.length > most) break;
      const isPast = after && entry.second === after.second && entry.order >= after.order;
      if (!isPast && this.#fits(entry, question)) found.push(entry);
    }
    const page = found.slice(0, most);
    const last = page.at(-1);
    return {
      Events: page.map(({ record, second }) => ({
        EventId: record.eventID,
        EventName: record.eventName,
        EventSource: record.eventSource,
        EventTime: second,
        ReadOnly: String(record["readOnly"]),
        CloudTrailEvent: JSON.stringify(record),
      })),
      ...(found.length > most && last ? { NextToken: this.#tokenFor(last, question) } : {}),
    };
  }

  #refuse({ LookupAttributes, MaxResults = MOST, StartTime, EndTime }: Question): void {
    const [attribute, ...more] = LookupAttributes ?? [];
    if (more.length > 0)
      throw new AwsError("InvalidLookupAttributesException", "Only one lookup attribute is allowed.");
    if (attribute && !Object.hasOwn(ATTRIBUTES, attribute.AttributeKey))
      throw new AwsError("InvalidLookupAttributesException", `${attribute.AttributeKey} is not served.`);
    if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > MOST)
      throw new AwsError("InvalidMaxResultsException", "MaxResults must be 1 to 50.");
    const oldest = this.#now() / 1000 - KEEP_SECONDS;
    if ((StartTime ?? 0) > (EndTime ?? Number.POSITIVE_INFINITY) || (EndTime ?? oldest) < oldest)
      throw new AwsError("InvalidTimeRangeException", "The time range is not valid.");
  }

  #fits({ record, second, visibleAtMs }: Entry, question: Question): boolean {
    const [attribute] = question.LookupAttributes ?? [];
    const now = this.#now();
    return (
      visibleAtMs <= now &&
      second >= Math.max(question.StartTime ?? 0, now / 1000 - KEEP_SECONDS) &&
      second <= (question.EndTime ?? Number.POSITIVE_INFINITY) &&
      (!attribute || ATTRIBUTES[attribute.AttributeKey]?.(record) === attribute.AttributeValue)
    );
  }

  #firstAfter(second: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.second ?? 0) <= second) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tokenFor({ second, order }: Entry, question: Question): string {
    const token = { second, order, asked: digestOf(question), atMs: this.#now() };
    return Buffer.from(JSON.stringify(token)).toString("base64url");
  }

  #placeOf(token: string, question: Question): Pick<Entry, "second" | "order"> {
    const { second, order, asked, atMs } = opened(token);
    const life = (this.#options.tokenSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    if (asked !== digestOf(question) || this.#now() - Number(atMs) > life)
      throw new AwsError("InvalidNextTokenException", "Invalid token or token that was previously used.");
    return { second: Number(second), order: Number(order) };
  }
}

function digestOf({ NextToken: _, ...question }: Question): string {
  return createHash("sha256").update(JSON.stringify(question)).digest("base64url");
}

function opened(token: string): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(Buffer.from(token, "base64url").toString()) };
  } catch {
    return {};
  }
}
