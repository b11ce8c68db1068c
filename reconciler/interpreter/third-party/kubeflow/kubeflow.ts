// Kubeflow: notebooks, and jobs of its training and MPI operators.

import type { RulesByKind } from "../../kind-rules.ts";
import { MPI_JOB_RULES } from "./mpi-job.ts";
import { NOTEBOOK_RULES } from "./notebook.ts";
import { endConditions, failureAboveAll, lastEnding, progressConditions } from "./training-conditions.ts";
import { trainingJobRules } from "./training-job.ts";

export const KUBEFLOW_RULES: RulesByKind = {
  "kubeflow.org/v1/Notebook": NOTEBOOK_RULES,
  "kubeflow.org/v1/PyTorchJob": trainingJobRules({
    specs: "pytorchReplicaSpecs",
    roles: ["Master", "Worker"],
    ending: failureAboveAll,
    conditions: progressConditions("PyTorchJob"),
    resets: true,
  }),
  "kubeflow.org/v1/TFJob": trainingJobRules({
    specs: "tfReplicaSpecs",
    roles: ["PS", "Worker", "Chief", "Master", "Evaluator"],
    ending: lastEnding,
    conditions: endConditions("TFJob"),
    resets: false,
  }),
  "kubeflow.org/v2beta1/MPIJob": MPI_JOB_RULES,
};
