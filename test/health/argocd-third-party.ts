// The health that Argo CD gives to custom resources of well-known products, by the rules it documents for them.
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { ArgoHealth } from "./argocd.ts";
import { fields } from "./reading.ts";

/** By `apiVersion/kind`. Argo CD asks no health of kinds it has no rule for. */
const RULES: Readonly<Record<string, (object: KubeObject) => ArgoHealth>> = {
  "apps.kruise.io/v1alpha1/CloneSet": cloneSetHealth,
  "argoproj.io/v1alpha1/Application": applicationHealth,
  "argoproj.io/v1alpha1/Rollout": rolloutHealth,
  "flink.apache.org/v1beta1/FlinkDeployment": flinkHealth,
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": kustomizationHealth,
  "serving.knative.dev/v1/Service": knativeServiceHealth,
};

/** The health of an object; undefined for a kind that Argo CD has no rule for. */
export function customResourceHealth(object: KubeObject): ArgoHealth | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return "Progressing";
  return RULES[`${object.apiVersion}/${object.kind}`]?.(object);
}

/** Judged once its controller has seen the newest generation; without a count of updated and available pods it is paused. */
function cloneSetHealth(object: KubeObject): ArgoHealth {
  const status = fields(object, "status");
  if (status["observedGeneration"] !== object.metadata.generation) return "Progressing";
  const { paused, partition } = fields(object, "spec", "updateStrategy");
  if (paused === true || status["updatedAvailableReplicas"] === undefined) return "Suspended";
  if (partition !== 0 && (object.metadata.generation ?? 0) > 1) {
    return Number(status["updatedReplicas"]) >= Number(status["expectedUpdatedReplicas"]) ? "Suspended" : "Progressing";
  }
  return status["updatedAvailableReplicas"] === status["replicas"] ? "Healthy" : "Degraded";
}

/** Healthy when its operator has deployed it; its job manager says whether that is under way or has failed. */
function flinkHealth(object: KubeObject): ArgoHealth {
  const status = fields(object, "status");
  const reconciliation = fields(status, "reconciliationStatus");
  if (reconciliation["success"] === true || reconciliation["state"] === "DEPLOYED") return "Healthy";
  return Object.keys(reconciliation).length > 0 && status["jobManagerDeploymentStatus"] === "ERROR"
    ? "Degraded"
    : "Progressing";
}

/** Healthy when ready; progressing while its readiness is unknown and it reconciles, or nothing is said yet. */
function kustomizationHealth(object: KubeObject): ArgoHealth {
  if (fields(object, "spec")["suspend"] === true) return "Suspended";
  const { conditions } = fields(object, "status");
  if (!Array.isArray(conditions)) return "Progressing";
  const has = (type: string, status: string): boolean =>
    conditions.some((condition) => isObject(condition) && condition["type"] === type && condition["status"] === status);
  if (has("Ready", "Unknown") && has("Reconciling", "True")) return "Progressing";
  return has("Ready", "True") ? "Healthy" : "Degraded";
}

/** As the documentation of Argo CD has it for an app of apps: what the child says of itself. */
function applicationHealth(object: KubeObject): ArgoHealth {
  const { status } = fields(object, "status", "health");
  // Argo CD's own words.
  return typeof status === "string" ? (status as ArgoHealth) : "Progressing";
}

/** The phase, once the generation has been observed, which a Rollout tells as a text. */
function rolloutHealth(object: KubeObject): ArgoHealth {
  const { observedGeneration, phase } = fields(object, "status");
  if (Number(observedGeneration) !== object.metadata.generation) return "Progressing";
  // The controller's words are Argo CD's but for this one.
  return phase === "Paused" ? "Suspended" : (phase as ArgoHealth);
}

/** Three conditions must be True; any that is False is trouble. */
function knativeServiceHealth(object: KubeObject): ArgoHealth {
  const { conditions } = fields(object, "status");
  if (!Array.isArray(conditions)) return "Progressing";
  const said = conditions.filter(isObject);
  if (said.some(({ status }) => status === "False")) return "Degraded";
  const good = said.filter(
    ({ type, status }) =>
      status === "True" && (type === "Ready" || type === "ConfigurationsReady" || type === "RoutesReady"),
  );
  return good.length === 3 && said.every(({ status }) => status !== "Unknown") ? "Healthy" : "Progressing";
}
