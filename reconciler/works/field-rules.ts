// Which fields of a copy others may decide, from what its template says and from who scales it.

import type { AnnotatedDrift, ObjectDriftRule } from "../../api/drift-rules.ts";
import type { KubeObject } from "../../kube/object.ts";
import { RETAIN_REPLICAS_LABEL } from "./metadata-keys.ts";

/** Where workloads keep how many replicas they are to have. */
export const REPLICAS_POINTER = "/spec/replicas";

export interface CopyRules {
  readonly mode: "correct" | "report" | "pause";
  readonly rules: readonly ObjectDriftRule[];
}

/**
 * The rules for one copy. Replicas that a scaler decides are given up, unless a rule of the template wants them corrected
 * all the same.
 */
export function rulesOfCopy({ mode, rules }: AnnotatedDrift, isScaled: boolean): CopyRules {
  const insists = rules.some((rule) => rule.mode === "correct" && rule.jsonPointers.includes(REPLICAS_POINTER));
  if (!isScaled || insists) return { mode, rules };
  return { mode, rules: [{ mode: "ignore", jsonPointers: [REPLICAS_POINTER], managers: [] }, ...rules] };
}

/**
 * Whether the template itself leaves its replicas to a scaler. As Karmada: the label is about Deployments; other kinds that
 * know it keep their replicas by their Retain rules.
 */
export function retainsReplicas(manifest: KubeObject): boolean {
  return manifest.kind === "Deployment" && manifest.metadata.labels?.[RETAIN_REPLICAS_LABEL] === "true";
}
