// Table rows of workloads and of what scales or guards them.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { ageOf, shortDuration } from "./age.ts";
import {
  conditionOf,
  containerCells,
  labelsText,
  listOf,
  NONE,
  numberOf,
  part,
  selectorText,
  textOf,
} from "./cell-values.ts";
import { parseTime } from "./go-values.ts";

type Cells = (object: KubeObject, nowMs: number) => readonly unknown[];

function age(object: KubeObject, nowMs: number): string {
  return ageOf(object.metadata.creationTimestamp, nowMs);
}

function deploymentCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  return [
    object.metadata.name,
    `${numberOf(status["readyReplicas"])}/${numberOf(spec["replicas"])}`,
    numberOf(status["updatedReplicas"]),
    numberOf(status["availableReplicas"]),
    age(object, nowMs),
    ...containerCells(part(spec, "template")),
    selectorText(spec["selector"]),
  ];
}

function statefulSetCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const ready = numberOf(part(object, "status")["readyReplicas"]);
  const template = part(spec, "template");
  return [
    object.metadata.name,
    `${ready}/${numberOf(spec["replicas"])}`,
    age(object, nowMs),
    ...containerCells(template),
  ];
}

function daemonSetCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const template = part(spec, "template");
  return [
    object.metadata.name,
    numberOf(status["desiredNumberScheduled"]),
    numberOf(status["currentNumberScheduled"]),
    numberOf(status["numberReady"]),
    numberOf(status["updatedNumberScheduled"]),
    numberOf(status["numberAvailable"]),
    labelsText(part(template, "spec")["nodeSelector"]),
    age(object, nowMs),
    ...containerCells(template),
    selectorText(spec["selector"]),
  ];
}

function replicaCells(selector: (value: unknown) => string): Cells {
  return (object, nowMs) => {
    const spec = part(object, "spec");
    const status = part(object, "status");
    return [
      object.metadata.name,
      numberOf(spec["replicas"]),
      numberOf(status["replicas"]),
      numberOf(status["readyReplicas"]),
      age(object, nowMs),
      ...containerCells(part(spec, "template")),
      selector(spec["selector"]),
    ];
  };
}

function jobStatus(job: KubeObject): string {
  const isTrue = (type: string): boolean => conditionOf(job, type)?.["status"] === "True";
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  if (isTrue("Suspended")) return "Suspended";
  if (isTrue("FailureTarget")) return "FailureTarget";
  if (isTrue("SuccessCriteriaMet")) return "SuccessCriteriaMet";
  return "Running";
}

function jobCompletions(spec: JsonObject, status: JsonObject): string {
  const succeeded = numberOf(status["succeeded"]);
  if (spec["completions"] !== undefined) return `${succeeded}/${numberOf(spec["completions"])}`;
  const parallelism = numberOf(spec["parallelism"], 0);
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const start = parseTime(status["startTime"]);
  const end = parseTime(status["completionTime"]);
  return [
    object.metadata.name,
    jobStatus(object),
    jobCompletions(spec, status),
    start === undefined ? "" : shortDuration((end ?? nowMs) - start),
    age(object, nowMs),
    ...containerCells(part(spec, "template")),
    selectorText(spec["selector"]),
  ];
}

function cronJobCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const jobSpec = part(part(spec, "jobTemplate"), "spec");
  const last = status["lastScheduleTime"];
  return [
    object.metadata.name,
    textOf(spec["schedule"]),
    textOf(spec["timeZone"], NONE),
    spec["suspend"] === undefined ? "<unset>" : spec["suspend"] === true ? "True" : "False",
    listOf(status["active"]).length,
    last === undefined ? NONE : ageOf(last, nowMs),
    age(object, nowMs),
    ...containerCells(part(jobSpec, "template")),
    selectorText(jobSpec["selector"]),
  ];
}

/** What a metric counts as a number: an average, a value or a utilization. */
function metricValue(target: JsonObject, current: boolean): string {
  if (target["averageValue"] !== undefined) return textOf(target["averageValue"]);
  if (target["averageUtilization"] !== undefined) return `${target["averageUtilization"]}%`;
  return textOf(target["value"], current ? "<unknown>" : "<auto>");
}

const METRIC_SOURCES: Readonly<Record<string, string>> = {
  Resource: "resource",
  ContainerResource: "containerResource",
  Pods: "pods",
  Object: "object",
  External: "external",
};

function metricText(metric: JsonObject, current: JsonObject | undefined): string {
  const source = METRIC_SOURCES[textOf(metric["type"])];
  if (source === undefined) return "<unknown type>";
  const spec = part(metric, source);
  const target = part(spec, "target");
  const now = part(part(current ?? {}, source), "current");
  const byUtilization = target["averageUtilization"] !== undefined;
  const isPerPod = target["averageValue"] !== undefined;
  let actual = "<unknown>";
  if (current !== undefined) {
    if (byUtilization) actual = now["averageUtilization"] === undefined ? actual : `${now["averageUtilization"]}%`;
    else actual = textOf(isPerPod ? now["averageValue"] : now["value"], "<unknown>");
  }
  const average = isPerPod && (source === "object" || source === "external") ? " (avg)" : "";
  const name = source === "resource" || source === "containerResource" ? `${textOf(spec["name"])}: ` : "";
  return `${name}${actual}/${metricValue(target, false)}${average}`;
}

const MAX_METRICS = 2;

function hpaTargets(spec: JsonObject, status: JsonObject): string {
  const metrics = listOf(spec["metrics"]);
  if (metrics.length === 0) return NONE;
  const current = listOf(status["currentMetrics"]);
  const texts = metrics.map((metric, index) => metricText(metric, current[index]));
  if (texts.length <= MAX_METRICS) return texts.join(", ");
  return `${texts.slice(0, MAX_METRICS).join(", ")} + ${texts.length - MAX_METRICS} more...`;
}

function hpaV1Targets(spec: JsonObject, status: JsonObject): string {
  const target = spec["targetCPUUtilizationPercentage"];
  if (target === undefined) return NONE;
  const current = status["currentCPUUtilizationPercentage"];
  return `cpu: ${current === undefined ? "<unknown>" : `${current}%`}/${target}%`;
}

function hpaCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const target = part(spec, "scaleTargetRef");
  return [
    object.metadata.name,
    `${textOf(target["kind"])}/${textOf(target["name"])}`,
    object.apiVersion === "autoscaling/v1" ? hpaV1Targets(spec, status) : hpaTargets(spec, status),
    textOf(spec["minReplicas"], "<unset>"),
    numberOf(spec["maxReplicas"]),
    numberOf(status["currentReplicas"]),
    age(object, nowMs),
  ];
}

function pdbCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  return [
    object.metadata.name,
    textOf(spec["minAvailable"], "N/A"),
    textOf(spec["maxUnavailable"], "N/A"),
    numberOf(part(object, "status")["disruptionsAllowed"]),
    age(object, nowMs),
  ];
}

function controllerRevisionCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const slash = owner?.apiVersion.indexOf("/") ?? -1;
  const group = owner === undefined || slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  const controller = owner === undefined ? NONE : `${owner.kind.toLowerCase()}${group}/${owner.name}`;
  return [object.metadata.name, controller, object["revision"], age(object, nowMs)];
}

function podTemplateCells(object: KubeObject): readonly unknown[] {
  const template = part(object, "template");
  return [object.metadata.name, ...containerCells(template), labelsText(part(template, "metadata")["labels"])];
}

/** Rows by the key of the kind's rules. */
export const WORKLOAD_CELLS: Readonly<Record<string, Cells>> = {
  "apps/v1/Deployment": deploymentCells,
  "apps/v1/StatefulSet": statefulSetCells,
  "apps/v1/DaemonSet": daemonSetCells,
  "apps/v1/ReplicaSet": replicaCells(selectorText),
  "/v1/ReplicationController": replicaCells(labelsText),
  "batch/v1/Job": jobCells,
  "batch/v1/CronJob": cronJobCells,
  "autoscaling/v2/HorizontalPodAutoscaler": hpaCells,
  "autoscaling/v1/HorizontalPodAutoscaler": hpaCells,
  "policy/v1/PodDisruptionBudget": pdbCells,
  "apps/v1/ControllerRevision": controllerRevisionCells,
  "/v1/PodTemplate": podTemplateCells,
};
