import { describeRef, type ObjectRef } from "../../../kube/object.ts";
import { AppError, type Recovery } from "../../../runtime/errors.ts";
import type { CustomizationScript } from "./customization-index.ts";

/** Longest part of a script's own words that is passed on. */
const LONGEST_PROBLEM = 1_000;

export interface ScriptProblem {
  readonly problem: string;
  /** Line of the script, counted from 1. */
  readonly line?: number | undefined;
  readonly recovery?: Recovery | undefined;
  readonly cause?: unknown;
}

/** A script of a customization cannot be run, failed, or answered what makes no sense. */
export function customizationFailed(
  { customization, operation }: CustomizationScript,
  object: ObjectRef,
  { problem, line, recovery = "stall", cause }: ScriptProblem,
): AppError {
  const place = line === undefined ? "" : `, line ${line}`;
  const words = problem.length > LONGEST_PROBLEM ? `${problem.slice(0, LONGEST_PROBLEM)}...` : problem;
  return new AppError(
    "customization-failed",
    `${operation} of ${describeRef(object)}: ResourceInterpreterCustomization ${customization}${place}: ${words}`,
    {
      recovery,
      details: { customization, operation, problem: words, ...(line === undefined ? {} : { line }) },
      cause,
    },
  );
}

/** What a script returned is not what its operation needs. */
export function resultMalformed(problem: string): AppError {
  return new AppError("customization-result-malformed", problem, { recovery: "stall" });
}
