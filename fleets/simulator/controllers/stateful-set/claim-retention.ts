// Who owns the claims of a StatefulSet's Pods, by its persistentVolumeClaimRetentionPolicy. Pure.
import type { KubeObject, OwnerReference } from "../../../../kube/object.ts";
import { controllerRef } from "../controller-refs.ts";
import { isInRange, ordinalOf, type RetentionPolicy, statefulSetSpec } from "./stateful-set-spec.ts";

/** What becomes of claims when the set is deleted or shrunk; they are kept unless it says otherwise. */
export function retentionPolicy(set: KubeObject): RetentionPolicy {
  return statefulSetSpec(set).persistentVolumeClaimRetentionPolicy ?? { whenDeleted: "Retain", whenScaled: "Retain" };
}

/** Whether a reference names this object; another one of the same name counts. */
function names(reference: OwnerReference, object: KubeObject): boolean {
  return (
    reference.apiVersion === object.apiVersion &&
    reference.kind === object.kind &&
    reference.name === object.metadata.name
  );
}

function ownersOf(claim: KubeObject): readonly OwnerReference[] {
  return claim.metadata.ownerReferences ?? [];
}

function hasOwner(claim: KubeObject, owner: KubeObject): boolean {
  return ownersOf(claim).some((reference) => reference.uid === owner.metadata.uid);
}

/** Whether the claim is owned by an earlier object of the owner's name. */
export function hasStaleOwner(claim: KubeObject, owner: KubeObject): boolean {
  const reference = ownersOf(claim).find((each) => names(each, owner));
  return reference !== undefined && reference.uid !== (owner.metadata.uid ?? "");
}

/** Whether somebody other than the set and the Pod controls the claim, although the policy wants to. */
export function hasOtherController(claim: KubeObject, set: KubeObject, pod: KubeObject): boolean {
  const { whenDeleted, whenScaled } = retentionPolicy(set);
  if (whenDeleted === "Retain" && whenScaled === "Retain") return false;
  return ownersOf(claim).some((reference) => {
    if (names(reference, set)) return reference.uid !== set.metadata.uid;
    if (names(reference, pod)) return reference.uid !== (pod.metadata.uid ?? "");
    return reference.controller === true;
  });
}

/** Who is to own the claim. A Pod that stays never does: its claim would go with it. */
function wantedOwners(set: KubeObject, pod: KubeObject): { readonly set: boolean; readonly pod: boolean } {
  const { whenDeleted, whenScaled } = retentionPolicy(set);
  const isScaledDown = !isInRange(set, ordinalOf(pod));
  const ownedByPod = whenScaled === "Delete" && isScaledDown;
  return { set: whenDeleted === "Delete" && !ownedByPod, pod: ownedByPod };
}

/** Whether the claim's owners are those that the policy wants, or are none of the set's business. */
export function areOwnersRight(claim: KubeObject, set: KubeObject, pod: KubeObject): boolean {
  if (hasStaleOwner(claim, set) || hasStaleOwner(claim, pod)) return true;
  if (hasOtherController(claim, set, pod)) return !hasOwner(claim, set) && !hasOwner(claim, pod);
  const isOnlyOwner = ownersOf(claim).some(
    ({ uid, controller }) => (uid === set.metadata.uid || uid === pod.metadata.uid) && controller !== true,
  );
  if (isOnlyOwner) return false;
  const wanted = wantedOwners(set, pod);
  return hasOwner(claim, set) === wanted.set && hasOwner(claim, pod) === wanted.pod;
}

/** The claim with the owners that the policy wants; without set and Pod where somebody else controls it. */
export function withRightOwners(claim: KubeObject, set: KubeObject, pod: KubeObject): KubeObject {
  const ownerReferences = ownersOf(claim).filter((each) => !names(each, set) && !names(each, pod));
  if (!hasOtherController(claim, set, pod)) {
    const wanted = wantedOwners(set, pod);
    if (wanted.pod) ownerReferences.push(controllerRef(pod));
    if (wanted.set) ownerReferences.push(controllerRef(set));
  }
  return { ...claim, metadata: { ...claim.metadata, ownerReferences } };
}
