// Rules of the core group's kinds other than workloads and Services.
import { cloneJson, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { coreEventOf } from "./events.ts";
import type { KindRules } from "./kind-rules.ts";
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateEvent,
  validateSecret,
  validateSecretUpdate,
  validateVolume,
  validateVolumeClaim,
  validateVolumeClaimUpdate,
} from "./validate-core.ts";
import { validateResourceQuota, validateVolumeUpdate } from "./validate-others.ts";

function addFinalizer(object: KubeObject, finalizer: string): void {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) object.metadata.finalizers = [...finalizers, finalizer];
}

function text(object: KubeObject, ...path: readonly string[]): string {
  let value: unknown = object;
  for (const key of path) value = (value as JsonObject | undefined)?.[key];
  return value === undefined || value === null ? "" : String(value);
}

function eventField(path: readonly string[]): (object: KubeObject) => string {
  return (object) => text(object, ...path);
}

export const EVENT_FIELDS: NonNullable<KindRules["selectable"]> = {
  "involvedObject.kind": eventField(["involvedObject", "kind"]),
  "involvedObject.namespace": eventField(["involvedObject", "namespace"]),
  "involvedObject.name": eventField(["involvedObject", "name"]),
  "involvedObject.uid": eventField(["involvedObject", "uid"]),
  "involvedObject.apiVersion": eventField(["involvedObject", "apiVersion"]),
  "involvedObject.resourceVersion": eventField(["involvedObject", "resourceVersion"]),
  "involvedObject.fieldPath": eventField(["involvedObject", "fieldPath"]),
  reason: eventField(["reason"]),
  reportingComponent: eventField(["reportingComponent"]),
  source: (object) => text(object, "source", "component") || text(object, "reportingComponent"),
  type: eventField(["type"]),
};

export const CORE_RULES: Readonly<Record<string, KindRules>> = {
  "/v1/Namespace": {
    nameRule: "label",
    selectable: { "status.phase": (object) => text(object, "status", "phase") },
    prepareForCreate(namespace) {
      const spec = (namespace["spec"] ?? {}) as JsonObject;
      const finalizers = (spec["finalizers"] ?? []) as string[];
      if (!finalizers.includes("kubernetes")) finalizers.push("kubernetes");
      namespace["spec"] = { ...spec, finalizers };
      namespace["status"] = { phase: "Active" };
    },
    prepareForUpdate(namespace, old) {
      // Only the finalize subresource changes them.
      namespace["spec"] = cloneJson(old["spec"]);
    },
  },
  "/v1/ConfigMap": { validate: validateConfigMap, validateUpdate: validateConfigMapUpdate },
  "/v1/Secret": {
    selectable: { type: (object) => text(object, "type") },
    validate: validateSecret,
    validateUpdate: validateSecretUpdate,
  },
  "/v1/ServiceAccount": { conditionalUpdateOnly: true },
  "/v1/Event": {
    createOnUpdate: true,
    selectable: EVENT_FIELDS,
    convert: coreEventOf,
    validate: validateEvent,
  },
  "/v1/LimitRange": { createOnUpdate: true },
  "/v1/ResourceQuota": { validate: validateResourceQuota },
  "/v1/Node": {
    keepsStatusOnCreate: true,
    selectable: { "spec.unschedulable": (object) => text(object, "spec", "unschedulable") || "false" },
    applyDefaults(node) {
      const spec = (node["spec"] ?? {}) as JsonObject;
      const { podCIDR, podCIDRs } = spec;
      if (podCIDR !== undefined && podCIDR !== "" && podCIDRs === undefined) spec["podCIDRs"] = [podCIDR];
    },
    prepareForCreate(node) {
      const spec = (node["spec"] ?? {}) as JsonObject;
      const taints = [...((spec["taints"] ?? []) as JsonObject[])];
      if (!taints.some((taint) => taint["key"] === NOT_READY)) taints.push({ key: NOT_READY, effect: "NoSchedule" });
      node["spec"] = { ...spec, taints };
    },
  },
  "/v1/PersistentVolume": {
    prepareForCreate(volume) {
      addFinalizer(volume, "kubernetes.io/pv-protection");
      volume["status"] = { phase: "Pending", lastPhaseTransitionTime: volume.metadata.creationTimestamp };
    },
    validate: validateVolume,
    validateUpdate: validateVolumeUpdate,
  },
  "/v1/PersistentVolumeClaim": {
    prepareForCreate: (claim) => addFinalizer(claim, "kubernetes.io/pvc-protection"),
    validate: validateVolumeClaim,
    validateUpdate: validateVolumeClaimUpdate,
  },
};

const NOT_READY = "node.kubernetes.io/not-ready";
