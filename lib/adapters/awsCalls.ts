/**
 * How Rekey calls AWS: every client behind a pace that stays under AWS's documented rates, and every SDK error turned into
 * one of ours. The SDK's own retries stay on for what still gets throttled, since other callers share the account's rates.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, RekeyError } from "../errors.ts";

export const CLIENT_OPTIONS = {
  retryMode: "standard",
  maxAttempts: 6,
  // A connection that fell silent would otherwise be waited for until Lambda ends.
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;

/** For calls that do their work twice when they are sent twice: whether one took effect is looked up, not tried again. */
export const ONCE = { ...CLIENT_OPTIONS, maxAttempts: 1 } as const;

/** While a person waits at Slack, which gives up after three seconds. */
export const HURRIED = {
  ...CLIENT_OPTIONS,
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 800, requestTimeout: 1_200, throwOnRequestTimeout: true },
} as const;

type Call = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * A gate with AWS's own shape: a bucket of `burst` calls, refilled at `perSecond`. Stay a little under both, for what else
 * runs in the account. Rates: Secrets Manager and ECS quota pages, read November 2026.
 *
 * Packages that pace calls count them in windows, which either waste the burst or spend it twice.
 */
export function bucket(burst: number, perSecond: number): Call {
  let tokens = burst;
  let filledAt = performance.now();
  let turn: Promise<void> = Promise.resolve();
  const take = async (): Promise<void> => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    if (tokens < 1) {
      await sleep(Math.ceil(((1 - tokens) / perSecond) * 1000));
      return take();
    }
    tokens -= 1;
  };
  return (call) => {
    turn = turn.then(take);
    return turn.then(call);
  };
}

interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function isSdkError(error: unknown, ...names: readonly string[]): error is SdkError {
  return error instanceof Error && names.includes(error.name);
}

const UNKNOWN_OPERATIONS = [
  "UnknownOperationException",
  "UnknownOperation",
  "InvalidAction",
  "InvalidActionException",
  "NotImplementedException",
  "NotImplementedError",
  "NotImplemented",
  "UnsupportedOperationException",
  "UnsupportedOperation",
  "UnsupportedFeatureException",
  "ActionNotSupported",
];

/**
 * Whether the other side says that it does not have this operation, as older Regions and other clouds do, each in words of
 * its own. A denied right, a missing resource and a server in trouble are other answers.
 */
export function isNotOffered(error: unknown): boolean {
  if (isSdkError(error, ...UNKNOWN_OPERATIONS)) return true;
  if (!(error instanceof Error) || error.name.endsWith("NotFoundException")) return false;
  const status = (error as Partial<SdkError>).$metadata?.httpStatusCode ?? 0;
  return [404, 405, 501].includes(status);
}

const CODES: readonly (readonly [ErrorCode, readonly string[]])[] = [
  ["AWS_DENIED", ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized"]],
  [
    "AWS_THROTTLED",
    ["ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException"],
  ],
];

/** An answer that says no. Timeouts, broken connections and servers in trouble say nothing. */
function isRefusal(error: unknown): boolean {
  const status = (error as Partial<SdkError>)?.$metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}

/** @param doing what was tried, with ids: `move AWSCURRENT of <arn>` */
export function awsError(
  error: unknown,
  doing: string,
  codes: Readonly<Record<string, ErrorCode>> = {},
): RekeyError {
  if (error instanceof RekeyError) return error;
  const name = error instanceof Error ? error.name : "unknown error";
  const known = codes[name] ?? CODES.find(([, names]) => names.includes(name))?.[0];
  const code = known ?? (isRefusal(error) ? "AWS_FAILED" : "AWS_UNANSWERED");
  return new RekeyError(code, `could not ${doing}: ${name}`, { cause: error });
}
