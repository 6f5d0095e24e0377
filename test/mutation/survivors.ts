/** Changes to lib/rotation that no test notices, and why that is right. By file; a change reads `before => after`. */
export const UNNOTICED: Readonly<
  Record<string, readonly { readonly why: string; readonly changes: readonly string[] }[]>
> = {};
