import type { FeatureGates } from "../feature-gates.ts";

/** What admission knows of a write beside the object. Chance and time come from outside. */
export interface AdmissionContext {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** Namespace the request goes to; empty for kinds without one. */
  readonly requestNamespace: string;
  readonly nowMs: number;
  newUuid(): string;
}

/** What is wrong with a script. */
export interface ScriptProblem {
  /** `warning`: it can be loaded, but will not work. */
  readonly severity: "error" | "warning";
  /** With line and column where there are any. */
  readonly words: string;
}

/** Looks at a Lua script that shall define a function of that name. */
export type CheckScript = (source: string, functionName: string) => ScriptProblem | undefined;

/** What the operator of the control plane allows beyond the usual. */
export interface ValidationOptions {
  /** Karmada's `--allow-no-execute-taint-policy`. */
  readonly allowNoExecuteTaintPolicy?: boolean | undefined;
  /** Gates that are not what Karmada has by default; some rules hold only behind one. */
  readonly featureGates?: Partial<FeatureGates> | undefined;
  /** Absent where scripts are not looked at. */
  readonly checkScript?: CheckScript | undefined;
}
