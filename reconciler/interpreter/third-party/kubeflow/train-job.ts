// Kubeflow Trainer: a training job of equal nodes, on a runtime that is described elsewhere.

import type { Component } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../../dependencies.ts";
import { fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating } from "../rules/aggregation.ts";
import { componentOf } from "../rules/components.ts";
import { hasConditionWith } from "../rules/conditions.ts";
import { distinctDependencies } from "../rules/dependencies.ts";
import { textAtPath } from "../rules/field-paths.ts";
import { countersByName, jobSetConditions } from "../rules/job-sets.ts";
import { numberOr } from "../rules/numbers.ts";
import { requirementsOfPodSpec } from "../rules/pod-templates.ts";
import { References } from "../rules/references.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";

const JOB_COUNTERS = ["ready", "succeeded", "failed", "active", "suspended"];

export const TRAIN_JOB_RULES: KindRules = {
  getComponents: componentsOf,
  getDependencies: dependenciesOf,
  interpretHealth: (object) => !hasConditionWith(fieldsAt(object, "status"), "Failed", "True"),
  reflectStatus: reflectingWithGenerations(["conditions", "jobsStatus"]),
  aggregateStatus: aggregating((report) => ({
    conditions: jobSetConditions(report, { succeeded: "Complete", noun: "the training" }),
    jobsStatus: countersByName(report, "jobsStatus", JOB_COUNTERS),
  })),
};

/** The nodes of the trainer; what the runtime adds to them is not written here. */
function componentsOf(object: KubeObject): readonly Component[] {
  const { numNodes, resourcesPerNode } = fieldsAt(object, "spec", "trainer");
  const needs = requirementsOfPodSpec({ containers: [{ resources: resourcesPerNode }] });
  return [componentOf("trainer", numberOr(numNodes, 1), needs, "spec.trainer.numNodes")];
}

/** A runtime of the namespace, what is needed to fetch data and model, and what the environments refer to. */
function dependenciesOf(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  if (textAtPath(object, "spec", "runtimeRef", "kind") === "TrainingRuntime") {
    const name = textAtPath(object, "spec", "runtimeRef", "name");
    references.add("TrainingRuntime", name, "trainer.kubeflow.org/v1alpha1");
  }
  const parts = [["initializer", "dataset"], ["initializer", "model"], ["trainer"]];
  for (const part of parts) references.add("Secret", textAtPath(object, "spec", ...part, "secretRef", "name"));
  const containers = parts.map((part) => ({ env: fieldsAt(object, "spec", ...part)["env"] }));
  return distinctDependencies([
    ...references.list(),
    ...dependenciesOfPodSpec(object.metadata.namespace, { containers }),
  ]);
}
