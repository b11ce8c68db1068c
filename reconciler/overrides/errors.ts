import { AppError } from "../../runtime/errors.ts";

/** An overrider cannot do its work on the object; `applyOverrides` adds which one of which policy it is. */
export function overrideImpossible(path: string, problem: string, cause?: unknown): AppError {
  return new AppError("override-impossible", problem, { recovery: "stall", details: { path }, cause });
}

export interface FailedOverride {
  /** `OverridePolicy shop/registry-by-region`. */
  readonly policy: string;
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
  return new AppError(
    "override-failed",
    `${failed.policy}, ${failed.field}, cannot be carried out for cluster ${failed.cluster}: ${problem}`,
    { recovery: "retry", details: { ...failed }, cause },
  );
}
