// OpenKruise, Argo and Knative.

import type { RulesByKind } from "../kind-rules.ts";
import { WORKFLOW } from "./argo/workflow.ts";
import { ADVANCED_CRON_JOB, BROADCAST_JOB } from "./kruise/jobs.ts";
import { SIDECAR_SET } from "./kruise/sidecar-set.ts";
import {
  CLONE_SET,
  CLONE_SET_WITH_AVAILABILITY,
  DAEMON_SET,
  STATEFUL_SET,
  STATEFUL_SET_WITH_AVAILABILITY,
  UNITED_DEPLOYMENT,
} from "./kruise/workloads.ts";

/** `karmada`: the kinds Karmada ships customizations for. `more`: those it knows nothing of. */
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
    "apps.kruise.io/v1alpha1/CloneSet": CLONE_SET_WITH_AVAILABILITY,
    "apps.kruise.io/v1beta1/StatefulSet": STATEFUL_SET_WITH_AVAILABILITY,
  },
};
