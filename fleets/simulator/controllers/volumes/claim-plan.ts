// What becomes of a PersistentVolumeClaim. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { findVolume, unsuitability } from "./match-volume.ts";
import { defaultClass, provisionerOf, waitsForConsumer } from "./storage-classes.ts";
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  claimSpec,
  classOf,
  hasAnnotation,
  isForClaim,
  namesClass,
  SELECTED_NODE,
  volumeSpec,
} from "./volume-facts.ts";

export interface Notice {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export type ClaimPlan =
  | { readonly do: "bind"; readonly volume: KubeObject }
  /** It stays or becomes Pending. */
  | { readonly do: "wait"; readonly notice?: Notice }
  | { readonly do: "assign-class"; readonly name: string }
  /** Somebody outside is asked to make a volume. */
  | { readonly do: "provision"; readonly provisioner: string; readonly notice: Notice }
  /** Nothing but tell. */
  | { readonly do: "tell"; readonly notice: Notice }
  /** Its volume is gone for good. */
  | { readonly do: "lose"; readonly notice: Notice };

/** What is to be known around a claim. */
export interface StorageView {
  /** Asked only when a volume is to be found. */
  readonly volumes: () => readonly KubeObject[];
  readonly volume: (name: string) => KubeObject | undefined;
  readonly classes: () => readonly KubeObject[];
  readonly storageClass: (name: string) => KubeObject | undefined;
  /** Names of Pods without a node that use the claim and have not ended. */
  readonly waitingPods: () => readonly string[];
}

/** What to do about a claim, from what volumes and classes there are. Pure. */
export function planClaim(claim: KubeObject, view: StorageView): ClaimPlan {
  if (hasAnnotation(claim, BIND_COMPLETED)) return planBoundClaim(claim, view);
  const { volumeName = "" } = claimSpec(claim);
  return volumeName === "" ? planFreeClaim(claim, view) : planNamingClaim(claim, volumeName, view);
}

/** A claim that takes any volume that fits. */
function planFreeClaim(claim: KubeObject, view: StorageView): ClaimPlan {
  const storageClass = view.storageClass(classOf(claim));
  const isDelayed = waitsForConsumer(storageClass);
  // The usual case, found without looking at all volumes: the one that was made for it.
  const own = view.volume(`pvc-${claim.metadata.uid}`);
  const candidates = own !== undefined && isForClaim(own, claim) ? [own] : view.volumes();
  const volume = findVolume(claim, candidates, isDelayed);
  if (volume !== undefined) return { do: "bind", volume };
  const assigned = namesClass(claim) ? undefined : defaultClass(view.classes())?.metadata.name;
  if (assigned !== undefined) return { do: "assign-class", name: assigned };
  if (isDelayed && !hasAnnotation(claim, SELECTED_NODE))
    return { do: "wait", notice: consumerNotice(view.waitingPods()) };
  if (classOf(claim) === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return { do: "wait", notice: { type: "Normal", reason: "FailedBinding", message } };
  }
  if (storageClass === undefined)
    return failedProvisioning(`storageclass.storage.k8s.io "${classOf(claim)}" not found`);
  const provisioner = provisionerOf(storageClass);
  if ("problem" in provisioner) return failedProvisioning(provisioner.problem);
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner.name}' ` +
    "or manually by the system administrator. If volume creation is delayed, please verify that " +
    "the provisioner is running and correctly registered.";
  return {
    do: "provision",
    provisioner: provisioner.name,
    notice: { type: "Normal", reason: "ExternalProvisioning", message },
  };
}

function consumerNotice(pods: readonly string[]): Notice {
  if (pods.length === 0)
    return {
      type: "Normal",
      reason: "WaitForFirstConsumer",
      message: "waiting for first consumer to be created before binding",
    };
  const which = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(",")}`;
  return { type: "Normal", reason: "WaitForPodScheduled", message: `waiting for ${which} to be scheduled` };
}

// As Kubernetes: the phase is not touched.
function failedProvisioning(message: string): ClaimPlan {
  return { do: "tell", notice: { type: "Warning", reason: "ProvisioningFailed", message } };
}

/** A claim that wants one volume and no other. */
function planNamingClaim(claim: KubeObject, volumeName: string, view: StorageView): ClaimPlan {
  const volume = view.volume(volumeName);
  if (volume === undefined) return { do: "wait" };
  if (volumeSpec(volume).claimRef === undefined) {
    const problem = unsuitability(volume, claim);
    if (problem === undefined) return { do: "bind", volume };
    const message = `Cannot bind to requested volume "${volumeName}": ${problem}`;
    return { do: "wait", notice: { type: "Warning", reason: "VolumeMismatch", message } };
  }
  if (isForClaim(volume, claim)) return { do: "bind", volume };
  const message = `volume "${volumeName}" already bound to a different claim.`;
  const notice: Notice = { type: "Warning", reason: "FailedBinding", message };
  return hasAnnotation(claim, BOUND_BY_CONTROLLER) ? { do: "tell", notice } : { do: "wait", notice };
}

/** A claim that was bound: it is still, or what it was bound to is gone. */
function planBoundClaim(claim: KubeObject, view: StorageView): ClaimPlan {
  const lost = (reason: string, message: string): ClaimPlan => ({
    do: "lose",
    notice: { type: "Warning", reason, message },
  });
  const { volumeName = "" } = claimSpec(claim);
  if (volumeName === "")
    return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const volume = view.volume(volumeName);
  if (volume === undefined)
    return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const { claimRef } = volumeSpec(volume);
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { do: "bind", volume };
  return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}
