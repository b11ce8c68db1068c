// JobSet: groups of equal Jobs that belong together.

import type { Component } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { type Fields, fieldsAt } from "../field-access.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregating, type Report, sumOf } from "./rules/aggregation.ts";
import { componentOf, nameOr } from "./rules/components.ts";
import { hasConditionWith } from "./rules/conditions.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { objectsAtPath } from "./rules/field-paths.ts";
import { countersByName, jobSetConditions } from "./rules/job-sets.ts";
import { numberOr } from "./rules/numbers.ts";
import { dependenciesOfTemplate, requirementsOfTemplate } from "./rules/pod-templates.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const JOB_COUNTERS = ["ready", "succeeded", "failed", "active", "suspended"];

export const JOB_SET_RULES: RulesByKind = {
  "jobset.x-k8s.io/v1alpha2/JobSet": {
    getComponents: componentsOf,
    getDependencies: (object) =>
      distinctDependencies(
        groupsOf(object).flatMap((group) =>
          dependenciesOfTemplate(object, fieldsAt(group, "template", "spec", "template")),
        ),
      ),
    // While it runs it says nothing.
    interpretHealth: (object) => !hasConditionWith(fieldsAt(object, "status"), "Failed", "True"),
    reflectStatus: reflectingWithGenerations(["conditions", "restarts", "terminalState", "replicatedJobsStatus"]),
    aggregateStatus: aggregating(statusOf),
  },
};

function groupsOf(object: KubeObject): readonly Fields[] {
  return objectsAtPath(object, "spec", "replicatedJobs");
}

/** The pods of each group of Jobs that run at the same time. */
function componentsOf(object: KubeObject): readonly Component[] {
  return groupsOf(object).map((group, index) => {
    const job = fieldsAt(group, "template", "spec");
    const parallelism = numberOr(job["parallelism"], 1);
    const pods = Math.min(parallelism, numberOr(job["completions"], parallelism));
    return componentOf(
      nameOr(group, "name", `job-${index}`),
      numberOr(group["replicas"], 1) * pods,
      requirementsOfTemplate(fieldsAt(job, "template")),
      `spec.replicatedJobs[${index}].replicas`,
    );
  });
}

function statusOf(report: Report): Fields {
  const conditions = jobSetConditions(report, { succeeded: "Completed", noun: "the jobs" });
  const end = conditions.find(({ type }) => type === "Completed" || type === "Failed");
  return {
    conditions,
    terminalState: end?.["type"],
    restarts: sumOf(report.members, "restarts"),
    replicatedJobsStatus: countersByName(report, "replicatedJobsStatus", JOB_COUNTERS),
  };
}
