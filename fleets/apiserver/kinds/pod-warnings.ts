// Warnings about Pods and templates that are accepted but unlikely to do what was meant.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { listOf, part } from "./cell-values.ts";

/** Volume types that no longer do anything. */
const DEAD_VOLUMES: Readonly<Record<string, string>> = {
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
};

function podSpecWarnings(spec: JsonObject, path: string): string[] {
  const warnings: string[] = [];
  for (const [index, constraint] of listOf(spec["topologySpreadConstraints"]).entries()) {
    if (constraint["labelSelector"] !== undefined) continue;
    const field = `${path}.topologySpreadConstraints[${index}].labelSelector`;
    warnings.push(`${field}: a null labelSelector results in matching no pod`);
  }
  for (const [index, volume] of listOf(spec["volumes"]).entries()) {
    for (const type in volume) {
      const text = DEAD_VOLUMES[type];
      if (text !== undefined) warnings.push(`${path}.volumes[${index}].${type}: ${text}`);
    }
  }
  return warnings;
}

export function podWarnings(pod: KubeObject): readonly string[] {
  return podSpecWarnings(part(pod, "spec"), "spec");
}

/** Warnings of a kind with a Pod template at `spec.template`. */
export function templateWarnings(object: KubeObject): readonly string[] {
  return podSpecWarnings(part(part(part(object, "spec"), "template"), "spec"), "spec.template.spec");
}

export function cronJobWarnings(object: KubeObject): readonly string[] {
  const job = part(part(part(object, "spec"), "jobTemplate"), "spec");
  return podSpecWarnings(part(part(job, "template"), "spec"), "spec.jobTemplate.spec.template.spec");
}
