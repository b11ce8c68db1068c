// The health that Argo CD gives to custom resources of well-known products, by the rules it documents for them.
import { isObject, type KubeObject } from "../../kube/object.ts";

type Fields = Readonly<Record<string, unknown>>;
export type ArgoStatus = "Healthy" | "Progressing" | "Degraded" | "Suspended" | "Unknown";

/** By `apiVersion/kind`. Argo CD asks no health of kinds it has no rule for. */
const RULES: Readonly<Record<string, (object: KubeObject) => ArgoStatus>> = {
  "apps.kruise.io/v1alpha1/CloneSet": cloneSetHealth,
  "argoproj.io/v1alpha1/Application": applicationHealth,
  "argoproj.io/v1alpha1/Rollout": rolloutHealth,
  "flink.apache.org/v1beta1/FlinkDeployment": flinkHealth,
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": kustomizationHealth,
  "serving.knative.dev/v1/Service": knativeServiceHealth,
};

/** The health of an object; undefined for a kind that Argo CD has no rule for. */
export function customResourceHealth(object: KubeObject): ArgoStatus | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return "Progressing";
  return RULES[`${object.apiVersion}/${object.kind}`]?.(object);
}

/** Judged once its controller has seen the newest generation; without a count of updated and available pods it is paused. */
function cloneSetHealth(object: KubeObject): ArgoStatus {
  const status = fieldsOf(object, "status");
  if (status["observedGeneration"] !== object.metadata.generation) return "Progressing";
  const { paused, partition } = fieldsOf(fieldsOf(object, "spec"), "updateStrategy");
  if (paused === true || status["updatedAvailableReplicas"] === undefined) return "Suspended";
  if (partition !== 0 && (object.metadata.generation ?? 0) > 1) {
    return Number(status["updatedReplicas"]) >= Number(status["expectedUpdatedReplicas"]) ? "Suspended" : "Progressing";
  }
  return status["updatedAvailableReplicas"] === status["replicas"] ? "Healthy" : "Degraded";
}

/** Healthy when its operator has deployed it; its job manager says whether that is under way or has failed. */
function flinkHealth(object: KubeObject): ArgoStatus {
  const status = fieldsOf(object, "status");
  const reconciliation = fieldsOf(status, "reconciliationStatus");
  if (reconciliation["success"] === true || reconciliation["state"] === "DEPLOYED") return "Healthy";
  return Object.keys(reconciliation).length > 0 && status["jobManagerDeploymentStatus"] === "ERROR"
    ? "Degraded"
    : "Progressing";
}

/** Healthy when ready; progressing while its readiness is unknown and it reconciles, or nothing is said yet. */
function kustomizationHealth(object: KubeObject): ArgoStatus {
  if (fieldsOf(object, "spec")["suspend"] === true) return "Suspended";
  const { conditions } = fieldsOf(object, "status");
  if (!Array.isArray(conditions)) return "Progressing";
  const has = (type: string, status: string): boolean =>
    conditions.some((condition) => isObject(condition) && condition["type"] === type && condition["status"] === status);
  if (has("Ready", "Unknown") && has("Reconciling", "True")) return "Progressing";
  return has("Ready", "True") ? "Healthy" : "Degraded";
}

/** As the documentation of Argo CD has it for an app of apps: what the child says of itself. */
function applicationHealth(object: KubeObject): ArgoStatus {
  const { status } = fieldsOf(fieldsOf(object, "status"), "health");
  // Argo CD's own words.
  return typeof status === "string" ? (status as ArgoStatus) : "Progressing";
}

/** The phase, once the generation has been observed, which a Rollout tells as a text. */
function rolloutHealth(object: KubeObject): ArgoStatus {
  const { observedGeneration, phase } = fieldsOf(object, "status");
  if (Number(observedGeneration) !== object.metadata.generation) return "Progressing";
  // The controller's words are Argo CD's but for this one.
  return phase === "Paused" ? "Suspended" : (phase as ArgoStatus);
}

/** Three conditions must be True; any that is False is trouble. */
function knativeServiceHealth(object: KubeObject): ArgoStatus {
  const { conditions } = fieldsOf(object, "status");
  if (!Array.isArray(conditions)) return "Progressing";
  const said = conditions.filter(isObject);
  if (said.some(({ status }) => status === "False")) return "Degraded";
  const good = said.filter(
    ({ type, status }) =>
      status === "True" && (type === "Ready" || type === "ConfigurationsReady" || type === "RoutesReady"),
  );
  return good.length === 3 && said.every(({ status }) => status !== "Unknown") ? "Healthy" : "Progressing";
}

function fieldsOf(parent: Fields, key: string): Fields {
  const value = parent[key];
  return isObject(value) ? value : {};
}
