// OpenKruise, Argo and Knative.

import type { RulesByKind } from "../kind-rules.ts";
import { ANALYSIS_RUN, EXPERIMENT } from "./argo/analysis.ts";
import { APP_PROJECT, APPLICATION } from "./argo/application.ts";
import { APPLICATION_SET } from "./argo/application-set.ts";
import { ROLLOUT } from "./argo/rollout.ts";
import { WORKFLOW } from "./argo/workflow.ts";
import { WORKFLOW_RULES } from "./argo/workflows.ts";
import { KNATIVE_RULES } from "./knative.ts";
import { CURRENT_KRUISE_RULES } from "./kruise/current.ts";
import { ADVANCED_CRON_JOB, BROADCAST_JOB } from "./kruise/jobs.ts";
import { SIDECAR_SET } from "./kruise/sidecar-set.ts";
import { CLONE_SET, DAEMON_SET, STATEFUL_SET, UNITED_DEPLOYMENT } from "./kruise/workloads.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of, and betterments of the former. */
export const WORKLOAD_RULES: { readonly karmada: RulesByKind; readonly more: RulesByKind } = {
  karmada: {
    "apps.kruise.io/v1alpha1/AdvancedCronJob": ADVANCED_CRON_JOB,
    "apps.kruise.io/v1alpha1/BroadcastJob": BROADCAST_JOB,
    "apps.kruise.io/v1alpha1/CloneSet": CLONE_SET,
    "apps.kruise.io/v1alpha1/DaemonSet": DAEMON_SET,
    "apps.kruise.io/v1alpha1/SidecarSet": SIDECAR_SET,
    "apps.kruise.io/v1alpha1/UnitedDeployment": UNITED_DEPLOYMENT,
    "apps.kruise.io/v1beta1/StatefulSet": STATEFUL_SET,
    "argoproj.io/v1alpha1/Workflow": WORKFLOW,
  },
  more: {
    ...CURRENT_KRUISE_RULES,
    ...KNATIVE_RULES,
    ...WORKFLOW_RULES,
    "argoproj.io/v1alpha1/AnalysisRun": ANALYSIS_RUN,
    "argoproj.io/v1alpha1/AppProject": APP_PROJECT,
    "argoproj.io/v1alpha1/Application": APPLICATION,
    "argoproj.io/v1alpha1/ApplicationSet": APPLICATION_SET,
    "argoproj.io/v1alpha1/Experiment": EXPERIMENT,
    "argoproj.io/v1alpha1/Rollout": ROLLOUT,
  },
};
