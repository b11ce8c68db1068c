// Volcano, Flink, Kubeflow, Ray and Spark.

import type { RulesByKind } from "../kind-rules.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const BATCH_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = { karmada: {}, more: {} };
