/**
 * Every failure Rekey reports. A code is part of the product: it stands in reports, logs and Slack, and runbooks
 * refer to it. Messages name ids and fields, never values; the cause is kept and not repeated in the message.
 */

export type ErrorCode =
  // What a caller asked for
  | "PAYLOAD_INVALID"
  | "CONFIG_INVALID"
  // What preflight refuses
  | "NOT_MANAGED"
  | "TAG_INVALID"
  | "UNKNOWN_STRATEGY"
  | "SECRET_UNREADABLE"
  | "SECRET_DELETED"
  | "SECRET_MALFORMED"
  | "NATIVELY_ROTATED"
  | "PUBLISH_FIRST"
  | "SERVICE_OWNED"
  | "FOREIGN_PENDING"
  | "ROTATION_OPEN"
  | "ADMIN_MISSING"
  | "MISSING_RIGHTS"
  | "TARGET_UNREACHABLE"
  | "TARGET_REFUSES_CURRENT"
  | "NOT_PERSISTENT"
  | "UNSUPPORTED_TARGET"
  | "SERVICE_NOT_STEADY"
  | "LAST_DEPLOYMENT_FAILED"
  | "PINNED_VERSION"
  | "SHADOWED_KEY"
  // What Secrets Manager's own rotation is answered
  | "ROTATION_NOT_ENABLED"
  | "TOKEN_UNKNOWN"
  | "TOKEN_NOT_PENDING"
  | "STEP_OUT_OF_ORDER"
  | "ROTATION_ABANDONED"
  // What can go wrong on the way
  | "PENDING_REFUSED"
  | "PENDING_EXPIRED"
  | "OLD_VALUE_REFUSED"
  | "OLD_VALUE_STILL_ACCEPTED"
  | "LABEL_MOVED"
  | "DEPLOYMENT_FAILED"
  | "STRAGGLERS"
  | "LEASE_LOST"
  | "AWS_DENIED"
  | "AWS_THROTTLED"
  /** No answer, or one that says nothing: the call may have taken effect. */
  | "AWS_UNANSWERED"
  | "AWS_FAILED"
  | "RECORD_INVALID"
  | "SLACK_FAILED";

export class RekeyError extends Error {
  override readonly name = "RekeyError";
  readonly code: ErrorCode;
  /** What the other side asked for, if it said. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}
