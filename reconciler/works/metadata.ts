// What is written on the copy of an object and on the Work that carries it, so that both can be traced back, and so
// that a later version knows which labels and annotations were ours.

import { isObject, type KubeObject } from "../../kube/object.ts";
import type { AnyBinding } from "./binding.ts";
import {
  BINDING_NAME_ANNOTATION,
  BINDING_NAMESPACE_ANNOTATION,
  CLUSTER_BINDING_NAME_ANNOTATION,
  CONFLICT_RESOLUTION_ANNOTATION,
  MANAGED_ANNOTATIONS_ANNOTATION,
  MANAGED_LABEL,
  MANAGED_LABEL_VALUE,
  MANAGED_LABELS_ANNOTATION,
  TEMPLATE_GENERATION_ANNOTATION,
  TEMPLATE_UID_ANNOTATION,
  WORK_ID_LABEL,
  WORK_NAME_ANNOTATION,
  WORK_NAMESPACE_ANNOTATION,
} from "./metadata-keys.ts";
import { bindingId, bindingIdLabel } from "./targets.ts";

/** The Work that carries a copy. `id` is absent while admission has not given it one. */
export interface WorkIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly id: string | undefined;
}

/** Annotations that name the binding, on its Works and on the copies. */
export function bindingAnnotations(binding: AnyBinding): Record<string, string> {
  const { name = "", namespace = "" } = binding.metadata;
  return binding.kind === "ResourceBinding"
    ? { [BINDING_NAMESPACE_ANNOTATION]: namespace, [BINDING_NAME_ANNOTATION]: name }
    : { [CLUSTER_BINDING_NAME_ANNOTATION]: name };
}

/** The label with the binding's permanent id; empty while it has none. */
export function bindingLabels(binding: AnyBinding): Record<string, string> {
  const id = bindingId(binding);
  return id === undefined ? {} : { [bindingIdLabel(binding)]: id };
}

/** What happens to an object that is in the cluster already: its own annotation decides, then the policy. */
export function conflictResolutionOf(object: KubeObject, binding: AnyBinding): "overwrite" | "abort" {
  const own = textsOf(object.metadata.annotations)[CONFLICT_RESOLUTION_ANNOTATION];
  if (own === "overwrite" || own === "abort") return own;
  return binding.spec.conflictResolution === "Overwrite" ? "overwrite" : "abort";
}

/** `object` with everything we write on copies; nothing a policy did to the metadata can remove or change that. */
export function withCopyMetadata(
  object: KubeObject,
  template: KubeObject,
  binding: AnyBinding,
  work: WorkIdentity,
): KubeObject {
  const { uid, generation = 0 } = template.metadata;
  const labels: Record<string, string> = {
    ...textsOf(object.metadata.labels),
    ...bindingLabels(binding),
    [MANAGED_LABEL]: MANAGED_LABEL_VALUE,
    ...(work.id === undefined ? {} : { [WORK_ID_LABEL]: work.id }),
  };
  const annotations: Record<string, string> = {
    ...textsOf(object.metadata.annotations),
    ...bindingAnnotations(binding),
    [CONFLICT_RESOLUTION_ANNOTATION]: conflictResolutionOf(object, binding),
    ...(generation > 0 ? { [TEMPLATE_GENERATION_ANNOTATION]: String(generation) } : {}),
    ...(uid === undefined ? {} : { [TEMPLATE_UID_ANNOTATION]: uid }),
    [WORK_NAMESPACE_ANNOTATION]: work.namespace,
    [WORK_NAME_ANNOTATION]: work.name,
  };
  return withManagedKeys({ ...object, metadata: { ...object.metadata, labels, annotations } });
}

/** `object` with labels and annotations as `withCopyMetadata` reads them, and nothing written on it. */
export function withTextMetadata(object: KubeObject): KubeObject {
  const { labels, annotations } = object.metadata;
  return { ...object, metadata: { ...object.metadata, labels: textsOf(labels), annotations: textsOf(annotations) } };
}

/**
 * An override may have written anything here. As Karmada: null is an empty text, and with a value that is no text none of
 * the map can be read.
 */
function textsOf(map: unknown): Record<string, string> {
  if (!isObject(map)) return {};
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(map)) {
    if (value !== null && typeof value !== "string") return {};
    texts[key] = value ?? "";
  }
  return texts;
}

/** Records which labels and annotations are ours, those two records included. */
export function withManagedKeys(object: KubeObject): KubeObject {
  const { labels = {}, annotations = {} } = object.metadata;
  const keys = new Set([...Object.keys(annotations), MANAGED_ANNOTATIONS_ANNOTATION, MANAGED_LABELS_ANNOTATION]);
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: {
        ...annotations,
        [MANAGED_ANNOTATIONS_ANNOTATION]: [...keys].sort().join(","),
        [MANAGED_LABELS_ANNOTATION]: Object.keys(labels).sort().join(","),
      },
    },
  };
}
