/** Where drills are kept, so that one can be held against the last ones. */
import type { Drill, DrillResult } from "./drill.ts";

/** @throws RekeyError AWS_*, RECORD_INVALID */
export interface Drills {
  all(): Promise<readonly Drill[]>;
  /** Before its run begins. @returns false if it is kept already */
  begin(drill: Omit<Drill, "result">): Promise<boolean>;
  /** @returns false if it has a result already, which then stays: whoever wrote it tells it */
  settle(run: string, result: DrillResult): Promise<boolean>;
}
