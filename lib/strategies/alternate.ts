/**
 * The two logins that take turns. `app_a` and `app_b` belong to `app`; a login without a suffix, and the `app_clone` of
 * AWS's own alternating functions, are followed by `app_a`.
 */
export interface Alternation {
  readonly base: string;
  readonly next: string;
}

export function alternate(login: string): Alternation {
  const [, base = login, turn] = /^(.+)_(a|b|clone)$/.exec(login) ?? [];
  return { base, next: turn === "a" ? `${base}_b` : `${base}_a` };
}
