// Volcano, Flink, Kubeflow, Ray and Spark; beyond Karmada, JobSet, LeaderWorkerSet and KEDA.

import type { RulesByKind } from "../kind-rules.ts";
import { FLINK_RULES, MORE_FLINK_RULES } from "./flink.ts";
import { JOB_SET_RULES } from "./jobset.ts";
import { KEDA_RULES } from "./keda.ts";
import { KUBEFLOW_RULES, MORE_KUBEFLOW_RULES } from "./kubeflow/kubeflow.ts";
import { LEADER_WORKER_SET_RULES } from "./leader-worker-set.ts";
import { MORE_RAY_RULES, RAY_RULES } from "./ray/ray.ts";
import { SPARK_RULES } from "./spark.ts";
import { MORE_SPARK_RULES } from "./spark-references.ts";
import { MORE_VOLCANO_RULES, VOLCANO_RULES } from "./volcano.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
export const BATCH_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = {
  karmada: { ...VOLCANO_RULES, ...FLINK_RULES, ...KUBEFLOW_RULES, ...RAY_RULES, ...SPARK_RULES },
  more: {
    ...MORE_VOLCANO_RULES,
    ...MORE_FLINK_RULES,
    ...MORE_KUBEFLOW_RULES,
    ...MORE_RAY_RULES,
    ...MORE_SPARK_RULES,
    ...JOB_SET_RULES,
    ...LEADER_WORKER_SET_RULES,
    ...KEDA_RULES,
  },
};
