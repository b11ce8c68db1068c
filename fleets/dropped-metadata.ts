// Labels and annotations that an object in a member still carries from an earlier version of its manifest, although we do
// not own them: whoever propagated that version wrote under a field manager of its own, so that leaving a key out of our
// apply does not take it away. Copies record which keys came from their manifest.
import { isObject, type KubeObject, type ManagedFieldsEntry } from "../kube/object.ts";
import { FIELD_MANAGER } from "./member.ts";

const RECORDS = {
  labels: "resourcetemplate.karmada.io/managed-labels",
  annotations: "resourcetemplate.karmada.io/managed-annotations",
} as const;

type MetadataMap = keyof typeof RECORDS;

/**
 * A merge patch that takes away what `live`, as it was before our apply, records as propagated and `desired` lacks;
 * undefined when `answer`, as the apply left it, has none of that. A key that somebody else wrote too is theirs by now
 * and stays.
 */
export function dropPatch(live: KubeObject, desired: KubeObject, answer: KubeObject): object | undefined {
  const metadata: Partial<Record<MetadataMap, Record<string, null>>> = {};
  for (const map of ["labels", "annotations"] as const) {
    const record = live.metadata.annotations?.[RECORDS[map]];
    if (record === undefined) continue;
    const wanted = desired.metadata[map] ?? {};
    const stale = record.split(",").filter((key) => answer.metadata[map]?.[key] !== undefined && !(key in wanted));
    if (stale.length === 0) continue;
    const propagators = new Set(ownersOf(live, "annotations", RECORDS[map]));
    propagators.add(FIELD_MANAGER);
    const ours = stale.filter((key) => ownersOf(answer, map, key).every((owner) => propagators.has(owner)));
    if (ours.length > 0) metadata[map] = Object.fromEntries(ours.map((key) => [key, null]));
  }
  if (Object.keys(metadata).length === 0) return undefined;
  const { uid, resourceVersion } = answer.metadata;
  return { metadata: { uid, resourceVersion, ...metadata } };
}

function ownersOf(object: KubeObject, map: MetadataMap, key: string): string[] {
  return (object.metadata.managedFields ?? []).flatMap((entry) => (owns(entry, map, key) ? [entry.manager ?? ""] : []));
}

function owns(entry: ManagedFieldsEntry, map: MetadataMap, key: string): boolean {
  let node: unknown = entry.fieldsV1;
  for (const step of ["f:metadata", `f:${map}`, `f:${key}`]) node = isObject(node) ? node[step] : undefined;
  return node !== undefined;
}
