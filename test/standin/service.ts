/**
 * The seam between the stand-in's one HTTP door and the services behind it: a service is a table of operations, named
 * as in `x-amz-target`, over plain JSON inputs and outputs (AWS JSON 1.1; dates travel as epoch seconds).
 */

export interface Caller {
  /** From the request's access key: who CloudTrail says it was. */
  readonly principalArn: string;
  readonly userAgent: string;
  /** Where the call came from, if a proxy said so. */
  readonly address?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: an operation checks its own input, as AWS does
export type Operation = (input: any, caller: Caller) => unknown;

export interface AwsService {
  /** What stands before the dot in `x-amz-target`. */
  readonly targetPrefix: string;
  /** As in CloudTrail records: `secretsmanager.amazonaws.com`. */
  readonly eventSource: string;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Its calls are data events, which CloudTrail keeps only for those who ask and pay for them. */
  readonly isDataOnly?: true;
  /** Operations that share a token bucket, with AWS's documented burst and refill per second. */
  readonly limits: readonly {
    readonly operations: readonly string[];
    readonly burst: number;
    readonly perSecond: number;
  }[];
}

/** An error as AWS answers it; the SDK client makes its own exception class of it. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}
