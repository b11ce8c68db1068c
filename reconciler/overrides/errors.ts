import { AppError } from "../../runtime/errors.ts";
import { describePolicy, type PolicyRef } from "./override-result.ts";

/** An overrider cannot do its work on the object; `applyOverrides` adds which one of which policy it is. */
export function overrideImpossible(path: string, problem: string, cause?: unknown): AppError {
  return new AppError("override-impossible", problem, { recovery: "stall", details: { path }, cause });
}

export interface FailedOverride {
  readonly policy: PolicyRef;
  /** Index in `spec.overrideRules`. */
  readonly rule: number;
  /** `imageOverrider[0]`. */
  readonly overrider: string;
  /** Where the policy says it: `spec.overrideRules[0].overriders.imageOverrider[0]`. */
  readonly field: string;
  /** The place in the object, as a JSON pointer, if there is one. */
  readonly path: string | undefined;
  readonly cluster: string;
}

/** A rule that applies to the cluster cannot be carried out, so that nothing may be sent there. */
export function overrideFailed(failed: FailedOverride, problem: string, cause: unknown): AppError {
  const { policy, field, cluster } = failed;
  return new AppError(
    "override-failed",
    `${describePolicy(policy)}, ${field}, cannot be carried out for cluster ${cluster}: ${problem}`,
    { recovery: "retry", details: { ...failed, problem }, cause },
  );
}

/** What `overrideFailed` said; undefined for any other error. */
export function readFailedOverride(error: unknown): (FailedOverride & { readonly problem: string }) | undefined {
  if (!(error instanceof AppError) || error.code !== "override-failed") return undefined;
  // Made above.
  return error.details as unknown as FailedOverride & { readonly problem: string };
}
