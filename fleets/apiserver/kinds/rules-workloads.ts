// Rules of workloads and what scales or guards them.
import { cloneJson, equalJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { ScalePaths } from "../registry/kind.ts";
import { admitPod, gatedCondition, qosClass } from "./default-pods.ts";
import { hpaV1Of, hpaV2Of } from "./hpa-versions.ts";
import type { KindRules } from "./kind-rules.ts";
import { cronJobWarnings, podWarnings, templateWarnings } from "./pod-warnings.ts";
import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
  validatePodTemplate,
  validateReplicationController,
} from "./validate-others.ts";
import { validatePod, validatePodUpdate } from "./validate-pods.ts";
import {
  selectorUnchanged,
  validateAutoscaler,
  validateCronJob,
  validateDaemonSet,
  validateDeployment,
  validateDisruptionBudget,
  validateJob,
  validateJobUpdate,
  validateReplicaSet,
  validateStatefulSet,
  validateStatefulSetUpdate,
} from "./validate-workloads.ts";

const SCALE: ScalePaths = { specReplicas: "spec.replicas", statusReplicas: "status.replicas" };

function field(object: KubeObject, part: string, name: string): string {
  const value = (object[part] as JsonObject | undefined)?.[name];
  return value === undefined || value === null ? "" : String(value);
}

function specField(name: string, absent = ""): (object: KubeObject) => string {
  return (object) => field(object, "spec", name) || absent;
}

function statusField(name: string, absent = ""): (object: KubeObject) => string {
  return (object) => field(object, "status", name) || absent;
}

function podIps(object: KubeObject): string {
  const list = (object["status"] as JsonObject | undefined)?.["podIPs"] as JsonObject[] | undefined;
  return (list ?? []).map((entry) => String(entry["ip"])).join(",");
}

/** A Job's Pods are found by its own uid, in labels and selector, unless the selector is manual. */
function addJobSelector(job: KubeObject): void {
  const spec = job["spec"] as JsonObject;
  if (spec["manualSelector"] === true) return;
  const uid = job.metadata.uid ?? "";
  const name = job.metadata.name ?? "";
  const generated = {
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const template = spec["template"] as JsonObject;
  const metadata = (template["metadata"] ?? {}) as JsonObject;
  template["metadata"] = { ...metadata, labels: { ...(metadata["labels"] as JsonObject | undefined), ...generated } };
  // The reference shares one map between template and Job when the Job has no labels of its own.
  job.metadata.labels = { ...generated, ...job.metadata.labels, ...generated };
  const selector = (spec["selector"] ?? {}) as JsonObject;
  const matchLabels = { ...(selector["matchLabels"] as JsonObject | undefined) };
  matchLabels["batch.kubernetes.io/controller-uid"] = uid;
  spec["selector"] = { ...selector, matchLabels };
}

export const WORKLOAD_RULES: Readonly<Record<string, KindRules>> = {
  "/v1/Pod": {
    generation: true,
    statusKeeps: ["ownerReferences"],
    selectable: {
      "spec.nodeName": specField("nodeName"),
      "spec.restartPolicy": specField("restartPolicy"),
      "spec.schedulerName": specField("schedulerName"),
      "spec.serviceAccountName": specField("serviceAccountName"),
      "spec.hostNetwork": specField("hostNetwork", "false"),
      "status.phase": statusField("phase"),
      "status.podIP": statusField("podIP"),
      "status.podIPs": podIps,
      "status.nominatedNodeName": statusField("nominatedNodeName"),
    },
    prepareForCreate(pod) {
      admitPod(pod as unknown as JsonObject);
      const gated = gatedCondition(pod as unknown as JsonObject);
      pod["status"] = {
        phase: "Pending",
        ...(gated === undefined ? {} : { conditions: [gated] }),
        qosClass: qosClass(pod as unknown as JsonObject),
      };
    },
    validate: validatePod,
    warnings: podWarnings,
    validateUpdate: validatePodUpdate,
  },
  "/v1/PodTemplate": { generation: true, validate: validatePodTemplate },
  "/v1/ReplicationController": {
    generation: true,
    validate: validateReplicationController,
    scale: SCALE,
    selectable: { "status.replicas": statusField("replicas", "0") },
  },
  "apps/v1/Deployment": {
    generation: true,
    statusKeeps: ["labels"],
    // As the reference, for this kind alone: annotations count, because ReplicaSets inherit them.
    prepareForUpdate(deployment, old) {
      if (equalJson(deployment.metadata.annotations ?? {}, old.metadata.annotations ?? {})) return;
      deployment.metadata.generation = (old.metadata.generation ?? 0) + 1;
    },
    scale: SCALE,
    validate: validateDeployment,
    warnings: templateWarnings,
    validateUpdate: selectorUnchanged,
  },
  "apps/v1/ReplicaSet": {
    generation: true,
    scale: SCALE,
    selectable: { "status.replicas": statusField("replicas", "0") },
    validate: validateReplicaSet,
    warnings: templateWarnings,
    validateUpdate: selectorUnchanged,
  },
  "apps/v1/StatefulSet": {
    generation: true,
    prepareForCreate: (set) => dropMaxUnavailable(set, undefined),
    prepareForUpdate: (set, old) => dropMaxUnavailable(set, old),
    scale: SCALE,
    validate: validateStatefulSet,
    warnings: templateWarnings,
    validateUpdate: validateStatefulSetUpdate,
  },
  "apps/v1/DaemonSet": {
    generation: true,
    validate: validateDaemonSet,
    warnings: templateWarnings,
    validateUpdate: selectorUnchanged,
    applyDefaults: (set, old) => setTemplateGeneration(set, templateGeneration(old) || 1),
    prepareForUpdate(set, old) {
      const same = equalJson((set["spec"] as JsonObject)["template"], (old["spec"] as JsonObject)["template"]);
      setTemplateGeneration(set, templateGeneration(old) + (same ? 0 : 1));
    },
  },
  "apps/v1/ControllerRevision": {
    validate: validateControllerRevision,
    validateUpdate: validateControllerRevisionUpdate,
  },
  "batch/v1/Job": {
    generation: true,
    selectable: { "status.successful": statusField("succeeded", "0") },
    prepareForCreate: addJobSelector,
    validate: validateJob,
    warnings: templateWarnings,
    validateUpdate: validateJobUpdate,
  },
  "batch/v1/CronJob": { generation: true, nameRule: "cronjob", validate: validateCronJob, warnings: cronJobWarnings },
  "autoscaling/v2/HorizontalPodAutoscaler": { convert: hpaV2Of, validate: validateAutoscaler },
  "autoscaling/v1/HorizontalPodAutoscaler": { convert: hpaV1Of, validate: validateAutoscaler },
  "policy/v1/PodDisruptionBudget": {
    generation: true,
    conditionalUpdateOnly: true,
    validate: validateDisruptionBudget,
  },
};

/** As Kubernetes 1.36: behind a feature gate that is off, so that it is kept only where it was stored before. */
function dropMaxUnavailable(set: KubeObject, old: KubeObject | undefined): void {
  const rolling = rollingUpdateOf(set);
  if (rolling !== undefined && rollingUpdateOf(old)?.["maxUnavailable"] === undefined) delete rolling["maxUnavailable"];
}

function rollingUpdateOf(set: KubeObject | undefined): JsonObject | undefined {
  const spec = set?.["spec"] as { readonly updateStrategy?: { readonly rollingUpdate?: JsonObject } } | undefined;
  return spec?.updateStrategy?.rollingUpdate;
}

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

function templateGeneration(set: KubeObject | undefined): number {
  return Number(set?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
}

function setTemplateGeneration(set: KubeObject, generation: number): void {
  set.metadata.annotations = { ...cloneJson(set.metadata.annotations), [TEMPLATE_GENERATION]: String(generation) };
}
