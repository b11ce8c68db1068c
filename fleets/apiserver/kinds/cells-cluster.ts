// Table rows of access control, coordination, storage, scheduling and extension kinds.
import type { KubeObject } from "../../../kube/object.ts";
import { ageOf, shortDuration } from "./age.ts";
import { conditionOf, listOf, part, textOf } from "./cell-values.ts";

type Cells = (object: KubeObject, nowMs: number) => readonly unknown[];

function age(object: KubeObject, nowMs: number): string {
  return ageOf(object.metadata.creationTimestamp, nowMs);
}

function bindingCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const role = part(object, "roleRef");
  const subjects = listOf(object["subjects"]);
  const names = (kind: string): string =>
    subjects
      .filter((subject) => subject["kind"] === kind)
      .map((subject) => (kind === "ServiceAccount" ? `${textOf(subject["namespace"])}/` : "") + textOf(subject["name"]))
      .join(", ");
  return [
    object.metadata.name,
    `${textOf(role["kind"])}/${textOf(role["name"])}`,
    age(object, nowMs),
    names("User"),
    names("Group"),
    names("ServiceAccount"),
  ];
}

function leaseCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, textOf(part(object, "spec")["holderIdentity"]), age(object, nowMs)];
}

const DEFAULT_CLASS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

function storageClassCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const isDefault = DEFAULT_CLASS.some((key) => object.metadata.annotations?.[key] === "true");
  return [
    `${object.metadata.name}${isDefault ? " (default)" : ""}`,
    textOf(object["provisioner"]),
    textOf(object["reclaimPolicy"], "Delete"),
    textOf(object["volumeBindingMode"], "Immediate"),
    object["allowVolumeExpansion"] === true,
    age(object, nowMs),
  ];
}

function priorityClassCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [
    object.metadata.name,
    object["value"],
    object["globalDefault"] === true,
    age(object, nowMs),
    textOf(object["preemptionPolicy"]),
  ];
}

function runtimeClassCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, textOf(object["handler"]), age(object, nowMs)];
}

function apiServiceCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const service = part(spec, "service");
  const condition = conditionOf(object, "Available");
  // What the reference prints when nothing has looked at the service yet.
  let available = "<any>";
  if (condition !== undefined) {
    const status = textOf(condition["status"]);
    available = status === "True" ? status : `${status} (${textOf(condition["reason"])})`;
  }
  const target = spec["service"] === undefined || spec["service"] === null;
  return [
    object.metadata.name,
    target ? "Local" : `${textOf(service["namespace"])}/${textOf(service["name"])}`,
    available,
    age(object, nowMs),
  ];
}

function csiDriverCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const tokens = listOf(spec["tokenRequests"]).map((request) => textOf(request["audience"]));
  const modes = (spec["volumeLifecycleModes"] ?? []) as string[];
  return [
    object.metadata.name,
    spec["attachRequired"] !== false,
    spec["podInfoOnMount"] === true,
    spec["storageCapacity"] === true,
    tokens.length === 0 ? "<unset>" : tokens.join(","),
    spec["requiresRepublish"] === true,
    modes.length === 0 ? "<none>" : modes.join(","),
    age(object, nowMs),
  ];
}

function webhookCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, listOf(object["webhooks"]).length, age(object, nowMs)];
}

function admissionPolicyCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const param = part(spec, "paramKind");
  const kind = spec["paramKind"] === undefined ? "<unset>" : `${textOf(param["apiVersion"])}/${textOf(param["kind"])}`;
  // A policy has one of the two.
  const rules = listOf(spec["validations"]).length + listOf(spec["mutations"]).length;
  return [object.metadata.name, rules, kind, age(object, nowMs)];
}

function admissionBindingCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const param = part(spec, "paramRef");
  const namespace = textOf(param["namespace"], "*");
  const ref = spec["paramRef"] === undefined ? "<unset>" : `${namespace}/${textOf(param["name"], "*")}`;
  return [object.metadata.name, textOf(spec["policyName"]), ref, age(object, nowMs)];
}

function csiNodeCells(object: KubeObject, nowMs: number): readonly unknown[] {
  return [object.metadata.name, listOf(part(object, "spec")["drivers"]).length, age(object, nowMs)];
}

function volumeAttachmentCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const volume = textOf(part(spec, "source")["persistentVolumeName"]);
  const attached = part(object, "status")["attached"] === true;
  return [
    object.metadata.name,
    textOf(spec["attacher"]),
    volume,
    textOf(spec["nodeName"]),
    attached,
    age(object, nowMs),
  ];
}

function signingRequestCells(object: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(object, "spec");
  const status = part(object, "status");
  const seconds = spec["expirationSeconds"];
  const duration = typeof seconds === "number" ? shortDuration(seconds * 1000) : "<none>";
  const words = listOf(status["conditions"]).map((condition) => textOf(condition["type"]));
  if (words.length === 0) words.push("Pending");
  if (textOf(status["certificate"]) !== "") words.push("Issued");
  const signer = textOf(spec["signerName"], "<none>");
  return [object.metadata.name, age(object, nowMs), signer, textOf(spec["username"]), duration, words.join(",")];
}

/** Rows by the key of the kind's rules. */
export const CLUSTER_CELLS: Readonly<Record<string, Cells>> = {
  "rbac.authorization.k8s.io/v1/RoleBinding": bindingCells,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": bindingCells,
  "coordination.k8s.io/v1/Lease": leaseCells,
  "storage.k8s.io/v1/StorageClass": storageClassCells,
  "scheduling.k8s.io/v1/PriorityClass": priorityClassCells,
  "node.k8s.io/v1/RuntimeClass": runtimeClassCells,
  "apiregistration.k8s.io/v1/APIService": apiServiceCells,
  "storage.k8s.io/v1/CSIDriver": csiDriverCells,
  "storage.k8s.io/v1/CSINode": csiNodeCells,
  "storage.k8s.io/v1/VolumeAttachment": volumeAttachmentCells,
  "certificates.k8s.io/v1/CertificateSigningRequest": signingRequestCells,
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": webhookCells,
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": webhookCells,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": admissionPolicyCells,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": admissionBindingCells,
  "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy": admissionPolicyCells,
  "admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding": admissionBindingCells,
};
