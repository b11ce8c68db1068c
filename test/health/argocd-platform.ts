// The health that Argo CD gives to resources that platforms are made of, by the rules it documents for them.
import { isObject, type KubeObject } from "../../kube/object.ts";
import type { ArgoHealth } from "./argocd.ts";

type Fields = Readonly<Record<string, unknown>>;

/** By `apiVersion/kind`. */
const RULES: Readonly<Record<string, (object: KubeObject) => ArgoHealth>> = {
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": fluxHealth(1),
  "helm.toolkit.fluxcd.io/v2/HelmRelease": fluxHealth(2, "Released", "TestSuccess"),
  "source.toolkit.fluxcd.io/v1/GitRepository": fluxHealth(2, "ArtifactInStorage"),
  "source.toolkit.fluxcd.io/v1/HelmRepository": fluxHealth(2, "ArtifactInStorage"),
  "cert-manager.io/v1/Certificate": (object) => (says(object, "Issuing", "True") ? "Progressing" : readyHealth(object)),
  "cert-manager.io/v1/CertificateRequest": requestHealth,
  "cert-manager.io/v1/Issuer": readyHealth,
  "cert-manager.io/v1/ClusterIssuer": readyHealth,
  "external-secrets.io/v1/ExternalSecret": readyHealth,
  "external-secrets.io/v1/SecretStore": readyHealth,
  "pkg.crossplane.io/v1/Provider": packageHealth,
  "kyverno.io/v1/ClusterPolicy": policyHealth,
  "cluster.x-k8s.io/v1beta1/Cluster": clusterHealth,
  "cluster.x-k8s.io/v1beta1/MachineDeployment": machineHealth,
  "gateway.networking.k8s.io/v1/Gateway": gatewayHealth,
  "gateway.networking.k8s.io/v1/HTTPRoute": routeHealth,
};

/** The health of an object; undefined for a kind that has no rule here. */
export function platformHealth(object: KubeObject): ArgoHealth | undefined {
  return RULES[`${object.apiVersion}/${object.kind}`]?.(object);
}

/** Progressing while its readiness is unknown and it reconciles; else as many good signs are wanted as `wanted` says. */
function fluxHealth(wanted: number, ...types: readonly string[]): (object: KubeObject) => ArgoHealth {
  return (object) => {
    if (fieldsOf(object, "spec")["suspend"] === true) return "Suspended";
    if (conditionsOf(object) === undefined) return "Progressing";
    if (says(object, "Ready", "Unknown") && says(object, "Reconciling", "True")) return "Progressing";
    return ["Ready", ...types].filter((type) => says(object, type, "True")).length === wanted ? "Healthy" : "Degraded";
  };
}

/** What Ready says; progressing while it says neither. */
function readyHealth(object: KubeObject): ArgoHealth {
  if (says(object, "Ready", "False")) return "Degraded";
  return says(object, "Ready", "True") ? "Healthy" : "Progressing";
}

/** Any verdict but True is bad, once there is one. */
function policyHealth(object: KubeObject): ArgoHealth {
  if (says(object, "Ready", "True")) return "Healthy";
  return conditionsOf(object)?.some(({ type }) => type === "Ready") === true ? "Degraded" : "Progressing";
}

function requestHealth(object: KubeObject): ArgoHealth {
  const ready = conditionsOf(object)?.find(({ type }) => type === "Ready");
  return ready?.["reason"] === "Pending" ? "Progressing" : policyHealth(object);
}

/** Degraded unless installed and healthy, from the first condition on. */
function packageHealth(object: KubeObject): ArgoHealth {
  if (conditionsOf(object) === undefined) return "Progressing";
  return says(object, "Installed", "True") && says(object, "Healthy", "True") ? "Healthy" : "Degraded";
}

function clusterHealth(object: KubeObject): ArgoHealth {
  const { phase } = fieldsOf(object, "status");
  if (phase === "Failed" || says(object, "Ready", "False")) return "Degraded";
  return phase === "Provisioned" ? "Healthy" : "Progressing";
}

function machineHealth(object: KubeObject): ArgoHealth {
  const { phase, replicas, updatedReplicas, readyReplicas } = fieldsOf(object, "status");
  if (phase === "Failed") return "Degraded";
  return phase === "Running" && replicas === updatedReplicas && replicas === readyReplicas ? "Healthy" : "Progressing";
}

function gatewayHealth(object: KubeObject): ArgoHealth {
  if (says(object, "Accepted", "False") || says(object, "ResolvedRefs", "False")) return "Degraded";
  const conditions = conditionsOf(object);
  const isOpen = conditions?.some(({ type, status }) => type === "Programmed" && status !== "True") ?? true;
  return isOpen ? "Progressing" : "Healthy";
}

/** Gateways count that have seen the route as it is; one that refuses it is enough. */
function routeHealth(object: KubeObject): ArgoHealth {
  const { parents } = fieldsOf(object, "status");
  const current = (Array.isArray(parents) ? parents : []).filter((parent) =>
    conditionsIn(parent)?.some(({ observedGeneration }) => observedGeneration === object.metadata.generation),
  );
  const refuses = ({ type, status }: Fields): boolean =>
    (type === "Accepted" || type === "ResolvedRefs") && status === "False";
  if (current.some((parent) => conditionsIn(parent)?.some(refuses))) return "Degraded";
  return current.length > 0 ? "Healthy" : "Progressing";
}

function says(object: KubeObject, type: string, status: string): boolean {
  return (
    conditionsOf(object)?.some((condition) => condition["type"] === type && condition["status"] === status) === true
  );
}

function conditionsOf(object: KubeObject): readonly Fields[] | undefined {
  return conditionsIn(object["status"]);
}

function conditionsIn(status: unknown): readonly Fields[] | undefined {
  const conditions = isObject(status) ? status["conditions"] : undefined;
  return Array.isArray(conditions) ? conditions.filter(isObject) : undefined;
}

function fieldsOf(parent: Fields, key: string): Fields {
  const value = parent[key];
  return isObject(value) ? value : {};
}
