// Objects made for the built-in field specs: each has the fields that some transformer knows for its kind.
import tables from "../../../../renderers/kustomize/transformers/field-specs.table.json" with { type: "json" };
import type { Random } from "../../../../runtime/random.ts";
import type { YamlValue } from "./yaml-writer.ts";

export interface Spec {
  readonly path: string;
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
}

type Fields = { [key: string]: YamlValue | undefined };

/** Kinds for specs that name none. */
const ANY_KIND = ["Deployment", "StatefulSet", "CronJob", "Pod", "ConfigMap", "Widget", "Namespace"];

const API_VERSIONS: { readonly [kind: string]: readonly string[] } = {
  Pod: ["v1"],
  ConfigMap: ["v1"],
  Secret: ["v1"],
  Service: ["v1"],
  ServiceAccount: ["v1"],
  PersistentVolume: ["v1"],
  PersistentVolumeClaim: ["v1"],
  ReplicationController: ["v1"],
  Namespace: ["v1", "v1", "example.org/v1"],
  Deployment: ["apps/v1", "apps/v1", "extensions/v1beta1"],
  ReplicaSet: ["apps/v1"],
  DaemonSet: ["apps/v1"],
  StatefulSet: ["apps/v1", "apps/v1beta1"],
  Job: ["batch/v1"],
  CronJob: ["batch/v1", "batch/v1beta1"],
  Ingress: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"],
  IngressClass: ["networking.k8s.io/v1"],
  NetworkPolicy: ["networking.k8s.io/v1", "extensions/v1beta1"],
  Role: ["rbac.authorization.k8s.io/v1"],
  ClusterRole: ["rbac.authorization.k8s.io/v1"],
  RoleBinding: ["rbac.authorization.k8s.io/v1"],
  ClusterRoleBinding: ["rbac.authorization.k8s.io/v1"],
  HorizontalPodAutoscaler: ["autoscaling/v1", "autoscaling/v2"],
  PodDisruptionBudget: ["policy/v1", "policy/v1beta1"],
  PodSecurityPolicy: ["policy/v1beta1"],
  StorageClass: ["storage.k8s.io/v1"],
  PriorityClass: ["scheduling.k8s.io/v1"],
  RuntimeClass: ["node.k8s.io/v1"],
  CustomResourceDefinition: ["apiextensions.k8s.io/v1"],
  APIService: ["apiregistration.k8s.io/v1", "example.org/v1"],
  ValidatingWebhookConfiguration: ["admissionregistration.k8s.io/v1"],
  MutatingWebhookConfiguration: ["admissionregistration.k8s.io/v1"],
  ValidatingAdmissionPolicy: ["admissionregistration.k8s.io/v1"],
  ValidatingAdmissionPolicyBinding: ["admissionregistration.k8s.io/v1"],
};

/** Parts of paths that stand for lists in real objects. */
const LISTS = new Set([
  ...["containers", "initContainers", "ephemeralContainers", "volumes", "env", "envFrom", "sources", "rules", "tls"],
  ...[
    "paths",
    "imagePullSecrets",
    "secrets",
    "subjects",
    "webhooks",
    "ingress",
    "egress",
    "from",
    "to",
    "args",
    "command",
  ],
  ...["requiredDuringSchedulingIgnoredDuringExecution", "volumeMounts", "topologySpreadConstraints", "metrics"],
]);

/** Kinds that are never in a namespace. */
export const CLUSTER_SCOPED = new Set([
  ...["Namespace", "PersistentVolume", "IngressClass", "ClusterRole", "ClusterRoleBinding", "StorageClass"],
  ...["PriorityClass", "RuntimeClass", "CustomResourceDefinition", "APIService", "PodSecurityPolicy"],
  ...["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"],
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
]);

export function apiVersionOf(kind: string, random: Random, spec: Spec = { path: "" }): string {
  const known = API_VERSIONS[kind] ?? ["example.org/v1"];
  const fitting = known.filter((apiVersion) => {
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    return (
      (spec.group ?? group) === group && (spec.version ?? apiVersion.slice(slash + 1)) === apiVersion.slice(slash + 1)
    );
  });
  return random.pick(fitting.length > 0 ? fitting : known);
}

type SpecTable = Exclude<keyof typeof tables, "nameReference">;

/** A row of one of the tables of transformers. */
export function randomSpec(random: Random, names: readonly SpecTable[]): Spec {
  return random.pick<Spec>(tables[random.pick(names)] as readonly Spec[]);
}

export interface Reference extends Spec {
  /** What is referred to. */
  readonly target: { readonly kind: string; readonly group?: string; readonly version?: string };
}

/** A row of the table of references. */
export function randomReference(random: Random): Reference {
  const { fieldSpecs, ...target } = random.pick<(typeof tables.nameReference)[number]>(tables.nameReference);
  return { ...random.pick<Spec>(fieldSpecs), target: target as Reference["target"] };
}

/** Puts a value into an object at the path of a spec, along lists where real objects have them. */
export function fillSpec(object: Fields, spec: Spec, random: Random, leaf: () => YamlValue): void {
  const parts = spec.path.split("/");
  let map = object;
  for (const [index, written] of parts.entries()) {
    const part = written.replace(/\[\]$/, "");
    const isList = written.endsWith("[]") || LISTS.has(part);
    if (index === parts.length - 1) {
      if (map[part] === undefined) map[part] = leaf();
      return;
    }
    const present = map[part];
    const first: unknown = Array.isArray(present) ? present[0] : present;
    if (typeof first === "object" && first !== null) {
      map = first as Fields;
      continue;
    }
    if (present !== undefined) return;
    const inner: Fields = {};
    if (isList) {
      const more: Fields[] = random.chance(0.2) ? [{ name: "more" }] : [];
      if (["containers", "initContainers", "volumes", "env"].includes(part)) inner["name"] = "first";
      map[part] = [inner, ...more];
    } else map[part] = inner;
    map = inner;
  }
}

/** The kind of an object for a spec. */
export function kindFor(spec: Spec, random: Random): string {
  return spec.kind ?? random.pick(ANY_KIND);
}
