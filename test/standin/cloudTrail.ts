/** CloudTrail: one record for every AWS call that the stand-in serves, as LookupEvents returns it. Values never enter. */
import { randomUUID } from "node:crypto";
import { EventHistory, type HistoryOptions, type TrailRecord } from "./lookupEvents.ts";
import type { ServedCall } from "./server.ts";
import type { AwsService } from "./service.ts";

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
  readonly #history: EventHistory;

  constructor(region: string, account: string, options: HistoryOptions = {}) {
    this.#history = new EventHistory(options);
    this.#region = region;
    this.#account = account;
  }

  observe({ service, operation, input, error, caller, requestId, at }: ServedCall): void {
    const denied = error?.type === "AccessDeniedException";
    const [arn = "", role = "unknown", session = "session"] = caller.principalArn.split("/");
    const account = arn.split(":")[4] ?? this.#account;
    this.plant({
      eventVersion: "1.11",
      userIdentity: {
        type: "AssumedRole",
        arn: caller.principalArn,
        accountId: account,
        principalId: `AROA:${session}`,
        sessionContext: {
          sessionIssuer: { type: "Role", arn: `arn:aws:iam::${account}:role/${role}`, userName: role },
        },
      },
      eventTime: `${at.toISOString().slice(0, 19)}Z`,
      eventSource: service.eventSource,
      eventName: operation,
      awsRegion: this.#region,
      sourceIPAddress: caller.address ?? "127.0.0.1",
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
  }

  /** What a service does by itself, without anybody's call: `AwsServiceEvent`. */
  publish(eventSource: string, eventName: string, secretArn: string, token: string): void {
    this.plant({
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
  }

  /** As if it had just happened, or as if it were known only later. */
  plant(record: TrailRecord, delaySeconds?: number): void {
    this.records.push(record);
    this.#history.add(record, delaySeconds);
    if (this.records.length > KEEP) this.records.splice(0, this.records.length - KEEP);
    this.#history.trim(KEEP);
  }

  service(): AwsService {
    return this.#history.service();
  }
}
