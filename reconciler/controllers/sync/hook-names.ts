// What a hook is known by: the mark of its operation and, where it has only the beginning of one, its name: a new one for
// each time it runs, and the same however often that time is looked at.
import type { SyncOperation } from "../../../api/gitops.ts";
import { type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import { type Phase, readSyncWishes } from "./sync-wishes.ts";

/** On a hook: the attempt and phase it was made for, so that none is made twice, whatever happens to this process. */
export const OPERATION_ANNOTATION = "gitops.flaghoist.io/operation";

/** Longer names could not be the label that a Job puts on its Pods. */
const MAX_NAME = 63;

/** Whether an object has only the beginning of a name. */
export function hasGeneratedName({ metadata }: KubeObject): boolean {
  return (metadata.name ?? "") === "" && (metadata.generateName ?? "") !== "";
}

/**
 * A hook with its name for one phase of an operation. As Argo CD: revision, phase and the time when the operation began
 * follow what is given. Differs from Argo CD: what is given is shortened where the whole would be too long for a label.
 */
export function nameHook(hook: KubeObject, operation: SyncOperation, phase: Phase): KubeObject {
  if (!hasGeneratedName(hook)) return hook;
  const { generateName = "", ...metadata } = hook.metadata;
  const commit = operation.revision.slice(operation.revision.lastIndexOf(":") + 1).slice(0, 7);
  const seconds = Math.floor(Date.parse(operation.startedAt) / 1_000);
  const end = `${commit.replaceAll(/[^a-z0-9]/gi, "-")}-${phase}-${seconds}`.toLowerCase();
  return { ...hook, metadata: { ...metadata, name: `${generateName.slice(0, MAX_NAME - end.length)}${end}` } };
}

/** Why an object cannot do with the beginning of a name. Anything but a hook would be made anew with every attempt. */
export function whyNeedsName(object: KubeObject): string | undefined {
  if (!hasGeneratedName(object) || readSyncWishes(object).hook !== undefined) return undefined;
  return "metadata.generateName is for hooks only: give the object a metadata.name";
}

/** What people call a hook before it has its name. */
export function hookRef(hook: KubeObject): ObjectRef {
  const ref = refOf(hook);
  return hasGeneratedName(hook) ? { ...ref, name: `${hook.metadata.generateName}*` } : ref;
}

/**
 * Hooks of one kind and namespace whose names begin alike, told apart. Differs from Argo CD, where they get one name and
 * only the first of them is made.
 */
export function withDistinctNames(objects: readonly KubeObject[]): readonly KubeObject[] {
  const seen = new Map<string, number>();
  return objects.map((object) => {
    if (!hasGeneratedName(object)) return object;
    const { apiVersion, kind, metadata } = object;
    const key = JSON.stringify([apiVersion, kind, metadata.namespace, metadata.generateName]);
    const number = (seen.get(key) ?? 0) + 1;
    seen.set(key, number);
    if (number === 1) return object;
    return { ...object, metadata: { ...metadata, generateName: `${metadata.generateName}${number}-` } };
  });
}
