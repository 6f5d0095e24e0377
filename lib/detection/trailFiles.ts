/** Where a trail's files lie. */
export interface TrailFiles {
  /** @throws RekeyError AWS_* if the other side does not give it, which may be asked again */
  read(bucket: string, key: string): Promise<TrailFile>;
}

/** Its contents, unzipped, or why there are none, which asking again would not change. */
export type TrailFile = { readonly bytes: Buffer } | { readonly broken: string };
