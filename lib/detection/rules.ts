/** Every rule there is; a file in `rules/` that is missing here fails a test. */
import type { Rule } from "./rule.ts";
import { batchOfEverything } from "./rules/batchOfEverything.ts";
import { deniedSweep } from "./rules/deniedSweep.ts";
import { deniedThenAllowed } from "./rules/deniedThenAllowed.ts";
import { forcedDeletion } from "./rules/forcedDeletion.ts";
import { foreignPolicy } from "./rules/foreignPolicy.ts";
import { foreignReader } from "./rules/foreignReader.ts";
import { longTermKey } from "./rules/longTermKey.ts";
import { manyDeletions } from "./rules/manyDeletions.ts";
import { publicPolicy } from "./rules/publicPolicy.ts";
import { rootTouchesSecret } from "./rules/rootTouchesSecret.ts";
import { rotationCancelled } from "./rules/rotationCancelled.ts";
import { severalRegions } from "./rules/severalRegions.ts";
import { trailBlinded } from "./rules/trailBlinded.ts";

export const RULES: readonly Rule[] = [
  batchOfEverything,
  deniedSweep,
  deniedThenAllowed,
  forcedDeletion,
  foreignPolicy,
  foreignReader,
  longTermKey,
  manyDeletions,
  publicPolicy,
  rootTouchesSecret,
  rotationCancelled,
  severalRegions,
  trailBlinded,
];
