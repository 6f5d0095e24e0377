/** Every rule there is; a file in `rules/` that is missing here fails a test. */
import type { Rule } from "./rule.ts";
import { approvalMissing } from "./rules/approvalMissing.ts";
import { batchOfEverything } from "./rules/batchOfEverything.ts";
import { burst } from "./rules/burst.ts";
import { canaryTouched } from "./rules/canaryTouched.ts";
import { deletedSecretRead } from "./rules/deletedSecretRead.ts";
import { deniedSweep } from "./rules/deniedSweep.ts";
import { deniedThenAllowed } from "./rules/deniedThenAllowed.ts";
import { dormantWoken } from "./rules/dormantWoken.ts";
import { enumerateThenTake } from "./rules/enumerateThenTake.ts";
import { firstBatch } from "./rules/firstBatch.ts";
import { firstRead } from "./rules/firstRead.ts";
import { forcedDeletion } from "./rules/forcedDeletion.ts";
import { foreignKey } from "./rules/foreignKey.ts";
import { foreignPolicy } from "./rules/foreignPolicy.ts";
import { foreignReader } from "./rules/foreignReader.ts";
import { foreignReplication } from "./rules/foreignReplication.ts";
import { grantedThenRead } from "./rules/grantedThenRead.ts";
import { keyDisabled } from "./rules/keyDisabled.ts";
import { keyPolicyChanged } from "./rules/keyPolicyChanged.ts";
import { labelMovedByHand } from "./rules/labelMovedByHand.ts";
import { longTermKey } from "./rules/longTermKey.ts";
import { manyDeletions } from "./rules/manyDeletions.ts";
import { manyFirstReads } from "./rules/manyFirstReads.ts";
import { missingReRead } from "./rules/missingReRead.ts";
import { newClient } from "./rules/newClient.ts";
import { newNetwork } from "./rules/newNetwork.ts";
import { offBirthAddress } from "./rules/offBirthAddress.ts";
import { outOfLedgerVersion } from "./rules/outOfLedgerVersion.ts";
import { pendingRead } from "./rules/pendingRead.ts";
import { personOnProduction } from "./rules/personOnProduction.ts";
import { publicPolicy } from "./rules/publicPolicy.ts";
import { rapidRetrieval } from "./rules/rapidRetrieval.ts";
import { retiredVersionRead } from "./rules/retiredVersionRead.ts";
import { revokedRetries } from "./rules/revokedRetries.ts";
import { rootTouchesSecret } from "./rules/rootTouchesSecret.ts";
import { rotationAbandoned } from "./rules/rotationAbandoned.ts";
import { rotationCancelled } from "./rules/rotationCancelled.ts";
import { rotationFunctionTampered } from "./rules/rotationFunctionTampered.ts";
import { rotationOffScript } from "./rules/rotationOffScript.ts";
import { rotationWeakened } from "./rules/rotationWeakened.ts";
import { severalRegions } from "./rules/severalRegions.ts";
import { strangerWrites } from "./rules/strangerWrites.ts";
import { trailBlinded } from "./rules/trailBlinded.ts";
import { unledgeredRead } from "./rules/unledgeredRead.ts";
import { unmappedReader } from "./rules/unmappedReader.ts";
import { watchBlinded } from "./rules/watchBlinded.ts";

export const RULES: readonly Rule[] = [
  approvalMissing,
  batchOfEverything,
  burst,
  canaryTouched,
  deletedSecretRead,
  deniedSweep,
  deniedThenAllowed,
  dormantWoken,
  enumerateThenTake,
  firstBatch,
  firstRead,
  forcedDeletion,
  foreignKey,
  foreignPolicy,
  foreignReader,
  foreignReplication,
  grantedThenRead,
  keyDisabled,
  keyPolicyChanged,
  labelMovedByHand,
  longTermKey,
  manyDeletions,
  manyFirstReads,
  missingReRead,
  newClient,
  newNetwork,
  offBirthAddress,
  outOfLedgerVersion,
  pendingRead,
  personOnProduction,
  publicPolicy,
  rapidRetrieval,
  retiredVersionRead,
  revokedRetries,
  rootTouchesSecret,
  rotationAbandoned,
  rotationCancelled,
  rotationFunctionTampered,
  rotationOffScript,
  rotationWeakened,
  severalRegions,
  strangerWrites,
  trailBlinded,
  unledgeredRead,
  unmappedReader,
  watchBlinded,
];
