// Volcano, Flink, Kubeflow, Ray and Spark.

import type { RulesByKind } from "../kind-rules.ts";
import { FLINK_RULES } from "./flink.ts";
import { KUBEFLOW_RULES } from "./kubeflow/kubeflow.ts";
import { RAY_RULES } from "./ray/ray.ts";
import { SPARK_RULES } from "./spark.ts";
import { VOLCANO_RULES } from "./volcano.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const BATCH_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = {
  karmada: { ...VOLCANO_RULES, ...FLINK_RULES, ...KUBEFLOW_RULES, ...RAY_RULES, ...SPARK_RULES },
  more: {},
};
