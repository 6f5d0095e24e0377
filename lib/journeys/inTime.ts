/** An answer, or an error when it does not come in time; the question itself cannot be taken back and ends by its own limits. */
import { RekeyError } from "../errors.ts";
import type { Ports } from "./ports.ts";

/** @throws RekeyError AWS_UNANSWERED after `ms` */
export async function inTime<T>({ sleep }: Pick<Ports, "sleep">, ms: number, asked: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const late = sleep(ms, answered.signal).then((): never => {
    throw new RekeyError("AWS_UNANSWERED", `no answer within ${Math.round(ms / 1000)} s`);
  });
  // When the answer was first, nobody looks at this one any more.
  late.catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } finally {
    answered.abort();
  }
}
