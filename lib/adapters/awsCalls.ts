/**
 * How Rekey calls AWS: every client behind a pace that stays under AWS's documented rates, and every SDK error turned into
 * one of ours. The SDK's own retries stay on for what still gets throttled, since other callers share the account's rates.
 */
import pThrottle from "p-throttle";
import { type ErrorCode, RekeyError } from "../errors.ts";

export const CLIENT_OPTIONS = { retryMode: "standard", maxAttempts: 6 } as const;

type Call = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * A gate that lets through `calls` in any `intervalMs`. AWS's buckets have a burst and a refill: a long interval uses the
 * burst, a short one keeps an even stream. Rates: Secrets Manager and ECS quota pages, read November 2026.
 */
export function pace(calls: number, intervalMs: number): Call {
  const throttle = pThrottle({ limit: calls, interval: intervalMs, strict: true });
  const run = throttle((call: () => Promise<unknown>) => call());
  return <T>(call: () => Promise<T>) => run(call) as Promise<T>;
}

interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function isSdkError(error: unknown, ...names: readonly string[]): error is SdkError {
  return error instanceof Error && names.includes(error.name);
}

const CODES: readonly (readonly [ErrorCode, readonly string[]])[] = [
  ["AWS_DENIED", ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "NotAuthorized"]],
  [
    "AWS_THROTTLED",
    ["ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException"],
  ],
];

/** @param doing what was tried, with ids: `move AWSCURRENT of <arn>` */
export function awsError(
  error: unknown,
  doing: string,
  codes: Readonly<Record<string, ErrorCode>> = {},
): RekeyError {
  if (error instanceof RekeyError) return error;
  const name = error instanceof Error ? error.name : "unknown error";
  const code = codes[name] ?? CODES.find(([, names]) => names.includes(name))?.[0] ?? "AWS_FAILED";
  return new RekeyError(code, `could not ${doing}: ${name}`, { cause: error });
}
