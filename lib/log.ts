/** The only writer: one JSON line per event on standard output, where Lambda picks it up. Ids and sentences, never values. */

export type Tell = (event: Readonly<Record<string, unknown>> & { readonly event: string }) => void;

export const tell: Tell = (event) => {
  console.log(JSON.stringify({ time: new Date().toISOString(), ...event }, withCauses));
};

/** Errors print as their code, message and chain of causes; a stack would repeat the message and say little more. */
function withCauses(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const code = "code" in value ? { code: value.code } : {};
  return {
    name: value.name,
    ...code,
    message: value.message,
    ...(value.cause ? { cause: value.cause } : {}),
  };
}
