/** CloudTrail: one record for every AWS call that the stand-in serves, as LookupEvents returns it. Values never enter. */
import { randomUUID } from "node:crypto";
import type { ServedCall } from "./server.ts";
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

const KEEP = 200_000;
/** Of an environment variable the name stays; its value stands under `value`. */
const HIDDEN = ["SecretString", "SecretBinary", "RotationToken", "value"];
const READ_ONLY = /^(Get|List|Describe|Lookup|BatchGet)/;

const lowerFirst = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1);

/** Parameters as CloudTrail spells them, without what it leaves out: values, at any depth. */
function parametersOf(input: unknown): unknown {
  if (Array.isArray(input)) return input.map(parametersOf);
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(
    Object.entries(input)
      .filter(([key]) => !HIDDEN.includes(key))
      .map(([key, value]) => [lowerFirst(key), parametersOf(value)]),
  );
}

export class Trail {
  readonly records: TrailRecord[] = [];
  readonly #region: string;
  readonly #account: string;

  constructor(region: string, account: string) {
    this.#region = region;
    this.#account = account;
  }

  observe({ service, operation, input, error, caller, requestId, at }: ServedCall): void {
    const denied = error?.type === "AccessDeniedException";
    const [, role = "unknown", session = "session"] = caller.principalArn.split("/");
    this.records.push({
      eventVersion: "1.11",
      userIdentity: {
        type: "AssumedRole",
        arn: caller.principalArn,
        accountId: this.#account,
        principalId: `AROA:${session}`,
        sessionContext: { sessionIssuer: { type: "Role", userName: role } },
      },
      eventTime: `${at.toISOString().slice(0, 19)}Z`,
      eventSource: service.eventSource,
      eventName: operation,
      awsRegion: this.#region,
      sourceIPAddress: "127.0.0.1",
      userAgent: caller.userAgent,
      // A denied read keeps its parameters out of the record; who was refused what stands in the message.
      requestParameters: denied ? null : parametersOf(input),
      responseElements: null,
      requestID: requestId,
      eventID: randomUUID(),
      readOnly: READ_ONLY.test(operation),
      eventType: "AwsApiCall",
      managementEvent: true,
      recipientAccountId: this.#account,
      eventCategory: "Management",
      ...(error ? { errorCode: error.type, errorMessage: error.message } : {}),
    });
    this.#trim();
  }

  /** What a service does by itself, without anybody's call: `AwsServiceEvent`. */
  publish(eventSource: string, eventName: string, secretArn: string, token: string): void {
    this.records.push({
      eventVersion: "1.11",
      userIdentity: { accountId: this.#account, invokedBy: eventSource },
      eventTime: `${new Date().toISOString().slice(0, 19)}Z`,
      eventSource,
      eventName,
      awsRegion: this.#region,
      sourceIPAddress: eventSource,
      userAgent: eventSource,
      requestParameters: null,
      responseElements: null,
      additionalEventData: { SecretId: secretArn },
      requestID: `Rotation-${secretArn}-${token}`,
      eventID: randomUUID(),
      readOnly: false,
      eventType: "AwsServiceEvent",
      managementEvent: true,
      recipientAccountId: this.#account,
      eventCategory: "Management",
    });
    this.#trim();
  }

  /** As if it had happened. */
  plant(record: TrailRecord): void {
    this.records.push(record);
    this.#trim();
  }

  #trim(): void {
    if (this.records.length > KEEP) this.records.splice(0, this.records.length - KEEP);
  }

  service(): AwsService {
    return {
      targetPrefix: "CloudTrail_20131101",
      eventSource: "cloudtrail.amazonaws.com",
      operations: { LookupEvents: (input) => this.#lookUp(input) },
      limits: [{ operations: ["LookupEvents"], burst: 2, perSecond: 2 }],
    };
  }

  #lookUp(input: {
    LookupAttributes?: { AttributeKey: string; AttributeValue: string }[];
    StartTime?: number;
    EndTime?: number;
    MaxResults?: number;
    NextToken?: string;
  }) {
    const [attribute, ...more] = input.LookupAttributes ?? [];
    if (more.length > 0)
      throw new AwsError("InvalidLookupAttributesException", "Only one lookup attribute is allowed.");
    const most = input.MaxResults ?? 50;
    if (most < 1 || most > 50)
      throw new AwsError("InvalidMaxResultsException", "MaxResults must be 1 to 50.");
    const within = this.records.filter((record) => {
      const at = Date.parse(record.eventTime) / 1000;
      const matches = {
        EventSource: record.eventSource,
        EventName: record.eventName,
        EventId: record.eventID,
        ReadOnly: String(record["readOnly"]),
      }[attribute?.AttributeKey ?? ""];
      return (
        at >= (input.StartTime ?? 0) &&
        at <= (input.EndTime ?? Number.POSITIVE_INFINITY) &&
        (!attribute || matches === attribute.AttributeValue)
      );
    });
    // The token counts from the oldest record, because every look-up adds a newest one.
    const end = Number(input.NextToken ?? within.length);
    const start = Math.max(0, end - most);
    const Events = within
      .slice(start, end)
      .toReversed()
      .map((record) => ({
        EventId: record.eventID,
        EventName: record.eventName,
        EventSource: record.eventSource,
        EventTime: Date.parse(record.eventTime) / 1000,
        ReadOnly: String(record["readOnly"]),
        CloudTrailEvent: JSON.stringify(record),
      }));
    return { Events, ...(start > 0 ? { NextToken: String(start) } : {}) };
  }
}
