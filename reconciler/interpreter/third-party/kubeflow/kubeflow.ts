// Kubeflow: notebooks, and jobs of its training and MPI operators.

import type { KubeObject } from "../../../../kube/object.ts";
import { fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import type { KindRules, RulesByKind } from "../../kind-rules.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { MPI_JOB_RULES } from "./mpi-job.ts";
import { NOTEBOOK_RULES } from "./notebook.ts";
import { TRAIN_JOB_RULES } from "./train-job.ts";
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

/**
 * Further kinds of the training operator, the jobs of its successor, and what the pods of notebooks and MPI jobs refer to.
 * Differs from Karmada, which knows none of them.
 */
export const MORE_KUBEFLOW_RULES: RulesByKind = {
  "kubeflow.org/v1/Notebook": {
    ...NOTEBOOK_RULES,
    getDependencies: (object) => dependenciesOfTemplate(object, fieldsAt(object, "spec", "template")),
  },
  "kubeflow.org/v1/XGBoostJob": furtherJob("XGBoostJob", "xgbReplicaSpecs", ["Master", "Worker"]),
  "kubeflow.org/v1/PaddleJob": furtherJob("PaddleJob", "paddleReplicaSpecs", ["Master", "Worker"]),
  "kubeflow.org/v1/JAXJob": furtherJob("JAXJob", "jaxReplicaSpecs", ["Worker"]),
  "kubeflow.org/v1/MPIJob": furtherJob("MPIJob", "mpiReplicaSpecs", ["Launcher", "Worker"]),
  "kubeflow.org/v2beta1/MPIJob": { ...MPI_JOB_RULES, getDependencies: dependenciesOfMpiJob },
  "trainer.kubeflow.org/v1alpha1/TrainJob": TRAIN_JOB_RULES,
};

function furtherJob(kind: string, specs: string, roles: readonly string[]): KindRules {
  const conditions = progressConditions(kind);
  return trainingJobRules({ specs, roles, ending: failureAboveAll, conditions, resets: true });
}

function dependenciesOfMpiJob(object: KubeObject): readonly Dependency[] {
  const roles = Object.values(fieldsAt(object, "spec", "mpiReplicaSpecs"));
  return distinctDependencies(roles.flatMap((role) => dependenciesOfTemplate(object, fieldsAt(role, "template"))));
}
