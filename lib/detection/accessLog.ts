/** CloudTrail's event history, as the detection needs it: what an account's Region recorded of one service. */

/** `[fromMs, toMs)`. It must not change while it is paged through: a token belongs to the question that it answers. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface AccessLogPage {
  /** CloudTrail records, parsed; what did not parse is the text itself, so that it can be counted. */
  readonly records: readonly unknown[];
  /** Asks for what follows; undefined on the last page. */
  readonly next?: string;
}

export interface AccessLog {
  /** The account and the Region that are looked at, as in `123456789012/eu-central-1`. */
  readonly place: () => Promise<string>;
  /**
   * The next page of what was recorded of one service, the newest first.
   *
   * @param source as records name it: `secretsmanager.amazonaws.com`
   * @throws RekeyError AWS_THROTTLED if the two calls a second that all callers share are used up, AWS_FAILED otherwise
   */
  readonly page: (source: string, period: Period, token?: string) => Promise<AccessLogPage>;
}
