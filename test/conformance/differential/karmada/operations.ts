import type { Operation } from "./operation.ts";
import { bindingOperation } from "./operations/binding.ts";
import { estimateOperation } from "./operations/estimate.ts";
import { interpretCustomOperation } from "./operations/interpret-custom.ts";
import { interpretLuaOperation } from "./operations/interpret-lua.ts";
import { askRecombinedNative, interpretNativeOperation } from "./operations/interpret-native.ts";
import { interpretThirdPartyOperation } from "./operations/interpret-thirdparty.ts";
import { matchOperation } from "./operations/match.ts";
import { namingOperation } from "./operations/naming.ts";
import { overrideOperation } from "./operations/override.ts";
import { policyAdmissionOperation } from "./operations/policy-admission.ts";
import {
  askRecombinedAdmission,
  askRecombinedBinding,
  askRecombinedEstimate,
  askRecombinedMatch,
  askRecombinedOverride,
  askRecombinedProcess,
  askRecombinedSchedule,
} from "./operations/recombined.ts";
import { scheduleOperation } from "./operations/schedule.ts";
import { scheduleProcessOperation } from "./operations/schedule-process.ts";
import { askRecombinedStatus, statusOperation } from "./operations/status.ts";
import { askRecombinedWork, workOperation } from "./operations/work.ts";

// The input of an operation is whatever its own `ask` made, which the compiler cannot know once they stand side by side.
const RANDOM = [
  bindingOperation as Operation<unknown>,
  estimateOperation as Operation<unknown>,
  interpretCustomOperation as Operation<unknown>,
  interpretLuaOperation as Operation<unknown>,
  interpretNativeOperation as Operation<unknown>,
  interpretThirdPartyOperation as Operation<unknown>,
  matchOperation as Operation<unknown>,
  namingOperation as Operation<unknown>,
  overrideOperation as Operation<unknown>,
  policyAdmissionOperation as Operation<unknown>,
  scheduleOperation as Operation<unknown>,
  scheduleProcessOperation as Operation<unknown>,
  statusOperation as Operation<unknown>,
  workOperation as Operation<unknown>,
];

const RECOMBINED: Readonly<Record<string, Operation<unknown>["ask"]>> = {
  binding: askRecombinedBinding,
  estimate: askRecombinedEstimate,
  "interpret-native": askRecombinedNative,
  match: askRecombinedMatch,
  override: askRecombinedOverride,
  "policy-admission": askRecombinedAdmission,
  schedule: askRecombinedSchedule,
  "schedule-process": askRecombinedProcess,
  status: askRecombinedStatus,
  work: askRecombinedWork,
};

/** What can be asked: `schedule` with questions out of nothing, `recombined-schedule` from parts of recorded ones. */
export const OPERATIONS: Readonly<Record<string, Operation<unknown>>> = Object.fromEntries(
  RANDOM.flatMap((operation) => {
    const name = operation.name ?? operation.op;
    const ask = RECOMBINED[name];
    const plain: [string, Operation<unknown>] = [name, operation];
    return ask === undefined ? [plain] : [plain, [`recombined-${name}`, { ...operation, ask }] as typeof plain];
  }),
);
