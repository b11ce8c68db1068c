// Failures of scheduling plugins.
import { AppError } from "../../runtime/errors.ts";

/** The module can never be used as it is: told at start. */
export function pluginUnusable(name: string, path: string, reason: string): AppError {
  return new AppError("scheduling-plugin-unusable", `scheduling plugin ${name} (${path}) ${reason}`, {
    recovery: "stall",
    details: { plugin: name },
  });
}

/** A call went wrong: `plugin NAME failed for cluster C: score answered NaN, not a number from 0 to 100`. */
export function pluginFailed(name: string, problem: string, cluster: string | undefined): AppError {
  const about = cluster === undefined ? "" : ` for cluster ${cluster}`;
  return new AppError("scheduling-plugin-failed", `plugin ${name} failed${about}: ${problem}`, {
    recovery: "retry",
    details: { plugin: name, ...(cluster === undefined ? {} : { cluster }) },
  });
}
