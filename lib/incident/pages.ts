/** Where pages are kept that people write in, too. A write counts only if nobody else wrote in between. */

export interface StoredPage {
  readonly text: string;
  /** Of exactly this text. */
  readonly tag: string;
  /** By the store's clock. */
  readonly storedAt: Date;
}

export interface Pages {
  /** @throws RekeyError AWS_DENIED, AWS_FAILED, AWS_UNANSWERED */
  read(name: string): Promise<StoredPage | undefined>;
  /**
   * @param over the tag of what it takes the place of; absent for a new one
   * @returns false if somebody else wrote meanwhile; also where an answer was lost, and the same write came twice
   */
  write(name: string, text: string, over?: string): Promise<boolean>;
  /** As the store's own tools name it. */
  placeOf(name: string): string;
  /** For a person who is signed in. */
  linkTo(name: string): string;
}
