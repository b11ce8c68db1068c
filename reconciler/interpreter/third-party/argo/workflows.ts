// Argo Workflows beyond what Karmada knows: the status of a Workflow, what its steps refer to, and CronWorkflow. None of
// their definitions has a status subresource, so that whoever updates a copy has to keep its status.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt, listAt } from "../../field-access.ts";
import type { KindRules, RulesByKind } from "../../kind-rules.ts";
import { aggregating, type Report, sumsOf } from "../rules/aggregation.ts";
import { agreedConditions } from "../rules/agreed-conditions.ts";
import { textAtPath } from "../rules/field-paths.ts";
import { retaining } from "../rules/fields.ts";
import { isTrue } from "../rules/kstatus.ts";
import { extremeTextOf } from "../rules/merging.ts";
import { decidingPhase } from "../rules/phases.ts";
import { reflecting } from "../rules/reflection.ts";
import { WORKFLOW } from "./workflow.ts";
import { dependenciesOfRuns } from "./workflow-references.ts";

const PHASES = ["Error", "Failed", "Running", "Pending", "Succeeded"];
const ENDED = ["Error", "Failed", "Succeeded"];

const BETTER_WORKFLOW: KindRules = {
  ...WORKFLOW,
  getDependencies: dependenciesOfRuns("spec"),
  // Not the nodes: every step of every run, with all that came out of it.
  reflectStatus: reflecting(["phase", "message", "progress", "startedAt", "finishedAt", "conditions"]),
  aggregateStatus: aggregating(workflowStatus),
};

const CRON_WORKFLOW: KindRules = {
  retain: retaining(["spec", "suspend"], ["status"]),
  getDependencies: dependenciesOfRuns("spec", "workflowSpec"),
  interpretHealth: canSubmit,
  reflectStatus: reflecting(["phase", "active", "lastScheduledTime", "succeeded", "failed", "conditions"]),
  aggregateStatus: aggregating((report) => ({
    ...sumsOf(report.members, ["succeeded", "failed"]),
    phase: decidingPhase(report, { order: ["Active", "Stopped"], silent: "Active" })?.phase,
    active: report.members.flatMap(({ status }) => listAt(status, "active")),
    lastScheduledTime: extremeTextOf(report.members, "lastScheduledTime", "last"),
    conditions: agreedConditions(report, []),
  })),
};

export const WORKFLOW_RULES: RulesByKind = {
  "argoproj.io/v1alpha1/Workflow": BETTER_WORKFLOW,
  "argoproj.io/v1alpha1/CronWorkflow": CRON_WORKFLOW,
  "argoproj.io/v1alpha1/WorkflowTemplate": { getDependencies: dependenciesOfRuns("spec") },
};

/** Ended when the last run has, as badly as the worst. */
function workflowStatus(report: Report): Fields {
  const { members } = report;
  const deciding = decidingPhase(report, { order: PHASES, silent: "Pending" });
  const hasEnded =
    members.length === report.items.length &&
    members.every(({ status }) => ENDED.includes(textAtPath(status, "phase")));
  return {
    ...deciding,
    progress: progressOf(report),
    startedAt: extremeTextOf(members, "startedAt", "first"),
    finishedAt: hasEnded ? extremeTextOf(members, "finishedAt", "last") : undefined,
    conditions: agreedConditions(report, []),
  };
}

/** Steps that are done of those there are, such as `3/5`, over all clusters; undefined when none counts them. */
function progressOf({ members }: Report): string | undefined {
  let [done, all] = [0, 0];
  for (const { status } of members) {
    const counted = /^([0-9]+)\/([0-9]+)$/.exec(textAtPath(status, "progress"));
    done += Number(counted?.[1] ?? 0);
    all += Number(counted?.[2] ?? 0);
  }
  return all === 0 ? undefined : `${done}/${all}`;
}

/** As Argo CD judges it: nothing keeps it from starting its runs. */
function canSubmit(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  return !isTrue(status, "SubmissionError") && !isTrue(status, "SpecError");
}
