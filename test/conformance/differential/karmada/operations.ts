import type { Operation } from "./operation.ts";
import { bindingOperation } from "./operations/binding.ts";
import { estimateOperation } from "./operations/estimate.ts";
import { matchOperation } from "./operations/match.ts";
import { namingOperation } from "./operations/naming.ts";
import { policyAdmissionOperation } from "./operations/policy-admission.ts";
import { scheduleOperation } from "./operations/schedule.ts";
import { scheduleProcessOperation } from "./operations/schedule-process.ts";

/** What can be asked, by the name the oracle knows it by. An operation is only asked the questions it made itself. */
export const OPERATIONS: Readonly<Record<string, Operation<unknown>>> = {
  // The input is whatever `ask` of the same operation made.
  binding: bindingOperation as Operation<unknown>,
  estimate: estimateOperation as Operation<unknown>,
  match: matchOperation as Operation<unknown>,
  naming: namingOperation as Operation<unknown>,
  "policy-admission": policyAdmissionOperation as Operation<unknown>,
  schedule: scheduleOperation as Operation<unknown>,
  "schedule-process": scheduleProcessOperation as Operation<unknown>,
};
