// HorizontalPodAutoscalers have two versions, which share the stored object. Version 1 knows only a CPU target; what it
// cannot say travels in an annotation, as in the reference.
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics";

function part(object: KubeObject, name: string): JsonObject {
  return cloneJson((object[name] ?? {}) as JsonObject);
}

function isCpuUtilization(metric: JsonObject): boolean {
  const resource = metric["resource"] as JsonObject | undefined;
  const target = resource?.["target"] as JsonObject | undefined;
  return metric["type"] === "Resource" && resource?.["name"] === "cpu" && target?.["type"] === "Utilization";
}

/** The version 1 form of a version 2 autoscaler. */
export function hpaV1Of(object: KubeObject): KubeObject {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const annotations = { ...object.metadata.annotations };
  const metrics = (spec["metrics"] ?? []) as JsonObject[];
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((metric) => metric !== cpu);
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  if (spec["behavior"] !== undefined) annotations[BEHAVIOR] = JSON.stringify(spec["behavior"]);
  if (status["conditions"] !== undefined) annotations[CONDITIONS] = JSON.stringify(status["conditions"]);
  const current = (status["currentMetrics"] ?? []) as JsonObject[];
  if (current.length > 0) annotations[CURRENT_METRICS] = JSON.stringify(current);
  for (const key of ["metrics", "behavior"]) delete spec[key];
  for (const key of ["conditions", "currentMetrics"]) delete status[key];
  const target = (cpu?.["resource"] as JsonObject | undefined)?.["target"] as JsonObject | undefined;
  if (target !== undefined) spec["targetCPUUtilizationPercentage"] = target["averageUtilization"];
  return build(object, "autoscaling/v1", annotations, spec, { currentReplicas: 0, ...status });
}

/** The version 2 form of a version 1 autoscaler. */
export function hpaV2Of(object: KubeObject): KubeObject {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const annotations = { ...object.metadata.annotations };
  const utilization = spec["targetCPUUtilizationPercentage"];
  delete spec["targetCPUUtilizationPercentage"];
  const metrics = parseList(annotations[METRICS]);
  if (utilization !== undefined) {
    const target = { type: "Utilization", averageUtilization: utilization };
    metrics.unshift({ type: "Resource", resource: { name: "cpu", target } });
  }
  if (metrics.length > 0) spec["metrics"] = metrics;
  const behavior = parseObject(annotations[BEHAVIOR]);
  if (behavior !== undefined) spec["behavior"] = behavior;
  const conditions = parseList(annotations[CONDITIONS]);
  if (conditions.length > 0) status["conditions"] = conditions;
  const current = parseList(annotations[CURRENT_METRICS]);
  status["currentMetrics"] = current.length > 0 ? current : null;
  delete status["currentCPUUtilizationPercentage"];
  if (status["currentReplicas"] === 0) delete status["currentReplicas"];
  for (const key of [METRICS, BEHAVIOR, CONDITIONS, CURRENT_METRICS]) delete annotations[key];
  return build(object, "autoscaling/v2", annotations, spec, status);
}

function build(
  object: KubeObject,
  apiVersion: string,
  annotations: Record<string, string>,
  spec: JsonObject,
  status: JsonObject,
): KubeObject {
  const metadata = { ...object.metadata };
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  else delete metadata.annotations;
  return { ...object, apiVersion, metadata, spec, status };
}

function parseList(text: string | undefined): JsonObject[] {
  const value = parse(text);
  return Array.isArray(value) ? value : [];
}

function parseObject(text: string | undefined): JsonObject | undefined {
  const value = parse(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The annotation may have been written by hand.
    return undefined;
  }
}
