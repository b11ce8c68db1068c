// Telling a person's change of a template from our own.

import { equalJson, type KubeObject } from "../../kube/object.ts";

/** A label people set; every other one with `.karmada.io` is ours. */
const USER_LABELS: ReadonlySet<string> = new Set(["namespace.karmada.io/skip-auto-propagation"]);

/** Whether an update changed anything that a template's reconciliation looks at. */
export function isRelevantUpdate(before: KubeObject, after: KubeObject): boolean {
  return !equalJson(withoutServerFields(before), withoutServerFields(after));
}

/** Whether everything that changed are marks of ours. */
export function isChangedByUs(before: KubeObject, after: KubeObject): boolean {
  return equalJson(withoutOurMarks(before), withoutOurMarks(after));
}

function withoutServerFields(object: KubeObject): KubeObject {
  const { status: _status, metadata, ...rest } = object;
  const { managedFields: _managedFields, resourceVersion: _resourceVersion, ...kept } = metadata;
  return { ...rest, apiVersion: object.apiVersion, kind: object.kind, metadata: kept };
}

function withoutOurMarks(object: KubeObject): KubeObject {
  const plain = withoutServerFields(object);
  const { labels, annotations, generation: _generation, ...kept } = plain.metadata;
  const userLabels = withoutOurKeys(labels);
  const userAnnotations = withoutOurKeys(annotations);
  return {
    ...plain,
    metadata: {
      ...kept,
      ...(userLabels === undefined ? {} : { labels: userLabels }),
      ...(userAnnotations === undefined ? {} : { annotations: userAnnotations }),
    },
  };
}

function withoutOurKeys(map: Record<string, string> | undefined): Record<string, string> | undefined {
  const entries = Object.entries(map ?? {}).filter(([key]) => !key.includes(".karmada.io") || USER_LABELS.has(key));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
