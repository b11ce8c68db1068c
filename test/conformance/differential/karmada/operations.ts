import type { Operation } from "./operation.ts";
import { scheduleOperation } from "./operations/schedule.ts";

/** What can be asked, by the name the oracle knows it by. An operation is only asked the questions it made itself. */
export const OPERATIONS: Readonly<Record<string, Operation<unknown>>> = {
  // The input is whatever `ask` of the same operation made.
  schedule: scheduleOperation as Operation<unknown>,
};
