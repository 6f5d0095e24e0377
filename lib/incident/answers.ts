/** What answering a click needs of the outside world: to do each thing once, and to ask a person for more. */

/** Who does what was asked for, when it is asked twice. */
export interface Answers {
  /**
   * @param key what is asked for
   * @param workId the piece of work that asks; the same one may begin again, since Lambda repeats what died
   * @returns whether it is to be done now: nobody else is at it, or did it within the last minutes
   */
  begin(key: string, workId: string, until: Date): Promise<boolean>;
  /** It was done. */
  finish(key: string, workId: string): Promise<void>;
  /** It was not: whoever asks next may try. */
  giveUp(key: string, workId: string): Promise<void>;
}

export interface Dialogs {
  /**
   * @param triggerId a click's, which Slack takes once, for three seconds
   * @returns false if it came too late
   * @throws RekeyError SLACK_FAILED
   */
  open(triggerId: string, view: Readonly<Record<string, unknown>>): Promise<boolean>;
}

/** Starts a function and does not wait for it. */
export interface Starter {
  /** @throws RekeyError AWS_* when it is not certain that it starts */
  enqueue(payload: unknown): Promise<void>;
}
