// Objects of kinds whose versions a webhook converts: from the stored form to the served one and back.
import { formatApiVersion, type KubeObject } from "../../../kube/object.ts";
import { type Steps, waitFor } from "../../../runtime/steps.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** Makes sure that `servedObject` can answer the object in the kind's version without waiting. */
export function* ensureServed(kind: KindStrategy, stored: StoredObject): Steps<void> {
  const { converter } = kind;
  if (converter === undefined) return;
  const apiVersion = formatApiVersion(kind.group, kind.version);
  if (stored.object.apiVersion === apiVersion || converter.known(stored, apiVersion) !== undefined) return;
  yield* waitFor(converter.forms([stored], apiVersion));
}

/** Stored objects in the kind's version; those given, when versions differ in their name only. */
export function servedForms(
  kind: KindStrategy,
  stored: readonly StoredObject[],
): readonly StoredObject[] | Promise<readonly StoredObject[]> {
  const { converter } = kind;
  if (converter === undefined || stored.length === 0) return stored;
  return converter.forms(stored, formatApiVersion(kind.group, kind.version));
}

/** Whether a present object is stored in the version in which it would be stored by now. */
export function isInStorageVersion(kind: KindStrategy, stored: StoredObject): boolean {
  return kind.converter === undefined || stored.object.apiVersion === kind.storageApiVersion;
}

/** The object in the version in which the kind is stored. The given one is not changed. */
export function* storageForm(kind: KindStrategy, object: KubeObject): Steps<KubeObject> {
  const { converter, storageApiVersion } = kind;
  if (storageApiVersion === undefined || object.apiVersion === storageApiVersion) return object;
  if (converter === undefined) return { ...object, apiVersion: storageApiVersion, metadata: { ...object.metadata } };
  const [converted] = yield* waitFor(converter.convert([object], storageApiVersion));
  return converted!;
}
