import { AppError } from "../../../runtime/errors.ts";
import type { PlanLimits } from "./plan-job.ts";

const LIMITS = "spec.pullRequests.limits";
const MEBIBYTE = 1024 * 1024;

export function planTimedOut({ timeoutMs }: PlanLimits): AppError {
  return refused(
    "plan-timed-out",
    `the plan was not made within ${seconds(timeoutMs)}: change less at once, or raise ${LIMITS}.timeout of the Reporter`,
  );
}

export function planOutOfMemory({ memoryBytes }: PlanLimits): AppError {
  return refused(
    "plan-out-of-memory",
    `the plan needs more memory than ${mebibytes(memoryBytes)}: change less at once, or raise ${LIMITS}.memory of the Reporter`,
  );
}

/** `what` grew beyond a bound that no field sets. */
export function planTooLarge(what: string): AppError {
  return refused("plan-too-large", `${what}: change less at once, or let the Reporter plan a folder (spec.path)`);
}

export function reportTooLarge({ outputBytes }: PlanLimits): AppError {
  return planTooLarge(`the report of the plan is larger than ${mebibytes(outputBytes)}`);
}

/** How the program of a plan ended is for its operators; people who wrote the change can but try again. */
export function planCrashed(how: string): AppError {
  return new AppError("plan-crashed", `the program that makes the plan ended by itself (${how}); its log says more`, {
    recovery: "retry",
  });
}

/** Trying again would end alike, and cost as much. */
function refused(code: string, message: string): AppError {
  return new AppError(code, message, { recovery: "stall" });
}

function seconds(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1_000}s`;
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)}Mi`;
}
