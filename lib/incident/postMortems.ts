/** Where what is known of an incident is written down for people. */
import type { Run } from "./run.ts";

export interface PostMortems {
  /** Safe to repeat: what people wrote into it stays. @throws RekeyError AWS_* */
  open(run: Run): Promise<{ readonly link: string }>;
}
