// Fields that whoever stated an object before us still holds. Under two names a field that leaves the manifest would stay in
// the object for ever: so the first apply of ours takes those claims over, and nothing but claims changes.
import { isConflict } from "../kube/client/status-error.ts";
import { decodeFieldsV1, EMPTY_SET, encodeFieldsV1, type FieldSet, unionSets } from "../kube/fields/field-set.ts";
import { type JsonObject, type KubeObject, type ManagedFieldsEntry, refOf } from "../kube/object.ts";
import { refuseForeign } from "./foreign-objects.ts";
import { FIELD_MANAGER, type Member } from "./member.ts";

/** Where `kubectl apply` keeps the manifest that it sent last. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** The server's name for what an object had when it was applied to for the first time and nobody had claims. */
const NOBODY = "before-first-apply";

/**
 * Managers that state whole objects, with how they do. As Flux, but for single commands (`kubectl rollout restart`,
 * `scale`, `edit`): what they set was meant to last, and taking it away would start Pods anew.
 */
const PREDECESSORS: ReadonlySet<string> = new Set([
  "kubectl-client-side-apply Update",
  "kubectl-create Update",
  "kubectl-replace Update",
  // `kubectl apply --server-side`
  "kubectl Apply",
  `${NOBODY} Update`,
  "karmada-controller-manager Update",
  "karmada-agent Update",
]);

/**
 * Gets the claims of whoever stated the object before us. Answers with the object as that left it; undefined when there
 * were none. Throws what the member answers, and `member-object-foreign` where the object is not ours any more.
 */
export async function takeOver(
  member: Member,
  desired: KubeObject,
  found: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  let live = found;
  for (let attempt = 0; ; attempt++) {
    const patch = takeoverPatch(live, desired);
    if (patch === undefined) return attempt > 0 ? live : undefined;
    try {
      return await member.client.patch(refOf(live), patch, "merge", {
        fieldManager: FIELD_MANAGER,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!isConflict(error) || attempt >= 4) throw error;
      live = await member.client.get(refOf(live), signal);
      refuseForeign(member, desired, live);
    }
  }
}

/**
 * A merge patch by which we get the claims of those who stated `live` before us; undefined when there are none. It holds
 * only for this revision of the object. Once we have claims of our own, another one who states the object is no
 * predecessor but a rival, whose fields are drift or additions.
 */
export function takeoverPatch(live: KubeObject, desired: KubeObject): object | undefined {
  const entries = live.metadata.managedFields ?? [];
  const own = entries.find(isOwn);
  const ceded = entries.filter((entry) => isPredecessor(entry, own !== undefined));
  const apiVersion = versionOf(ceded, own, desired);
  const taken = ceded.filter((entry) => entry.apiVersion === apiVersion);
  if (taken.length === 0) return undefined;
  let set: FieldSet = setOf(own);
  for (const entry of taken) set = unionSets(set, setOf(entry));
  const claim: ManagedFieldsEntry = {
    manager: FIELD_MANAGER,
    operation: "Apply",
    apiVersion: apiVersion ?? desired.apiVersion,
    ...timeOf([own, ...taken]),
    fieldsType: "FieldsV1",
    fieldsV1: withoutScale(encodeFieldsV1(set), desired),
  };
  const dropped = new Set([own, ...taken]);
  const hint = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION];
  const isHintStale = hint !== undefined && desired.metadata.annotations?.[LAST_APPLIED_ANNOTATION] === undefined;
  const { uid, resourceVersion } = live.metadata;
  return {
    metadata: {
      uid,
      resourceVersion,
      managedFields: [claim, ...entries.filter((entry) => !dropped.has(entry))],
      ...(isHintStale ? { annotations: { [LAST_APPLIED_ANNOTATION]: null } } : {}),
    },
  };
}

function isOwn(entry: ManagedFieldsEntry): boolean {
  return entry.manager === FIELD_MANAGER && entry.operation === "Apply" && (entry.subresource ?? "") === "";
}

function isPredecessor(entry: ManagedFieldsEntry, weHaveClaims: boolean): boolean {
  if ((entry.subresource ?? "") !== "" || entry.fieldsV1 === undefined) return false;
  return weHaveClaims ? entry.manager === NOBODY : PREDECESSORS.has(`${entry.manager} ${entry.operation}`);
}

/** Claims at different versions of a kind name different fields: those of one version are taken, ours if it is among them. */
function versionOf(
  ceded: readonly ManagedFieldsEntry[],
  own: ManagedFieldsEntry | undefined,
  desired: KubeObject,
): string | undefined {
  if (own !== undefined) return own.apiVersion;
  const [first] = ceded;
  return ceded.some((entry) => entry.apiVersion === desired.apiVersion) ? desired.apiVersion : first?.apiVersion;
}

function setOf(entry: ManagedFieldsEntry | undefined): FieldSet {
  return (entry?.fieldsV1 === undefined ? undefined : decodeFieldsV1(entry.fieldsV1)) ?? EMPTY_SET;
}

function timeOf(entries: readonly (ManagedFieldsEntry | undefined)[]): { readonly time?: string } {
  const times = entries.flatMap((entry) => (entry?.time === undefined ? [] : [entry.time])).sort();
  const latest = times.at(-1);
  return latest === undefined ? {} : { time: latest };
}

/** A manifest that leaves the number of replicas to others must not set it back to one by taking over that field. */
function withoutScale(fields: JsonObject, desired: KubeObject): JsonObject {
  const spec = fields["f:spec"];
  if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return fields;
  const wanted = desired["spec"];
  if (typeof wanted === "object" && wanted !== null && "replicas" in wanted) return fields;
  const { "f:replicas": _left, ...rest } = spec;
  return { ...fields, "f:spec": rest };
}
