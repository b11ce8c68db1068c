// What becomes of a PersistentVolume. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import type { Notice } from "./claim-plan.ts";
import { isSameMode } from "./match-volume.ts";
import { BOUND_BY_CONTROLLER, claimSpec, hasAnnotation, PROVISIONED_BY, phaseOf, volumeSpec } from "./volume-facts.ts";

type VolumePlan =
  | { readonly do: "set-phase"; readonly phase: "Available" | "Bound" }
  /** The claim finishes the binding. */
  | { readonly do: "wake-claim" }
  /** Volume and claim are told that they do not go together. */
  | { readonly do: "refuse"; readonly ofVolume: Notice; readonly ofClaim: Notice }
  /** Its claim is bound to another volume. */
  | { readonly do: "unbind" }
  /** Its claim is gone. */
  | { readonly do: "reclaim"; readonly how: Reclaim };

type Reclaim =
  | { readonly do: "nothing" }
  | { readonly do: "delete" }
  | { readonly do: "recycle" }
  | { readonly do: "fail"; readonly notice: Notice };

/** `claim` is the one of the name that the volume gives, whatever its uid. */
export function planVolume(volume: KubeObject, claim: KubeObject | undefined): VolumePlan {
  const { claimRef } = volumeSpec(volume);
  if (claimRef === undefined || claimRef.uid === undefined || claimRef.uid === "")
    return { do: "set-phase", phase: "Available" };
  if (claim === undefined || claim.metadata.uid !== claimRef.uid) return { do: "reclaim", how: reclaimOf(volume) };
  const { volumeName = "" } = claimSpec(claim);
  if (volumeName === volume.metadata.name) return { do: "set-phase", phase: "Bound" };
  if (volumeName === "") {
    if (isSameMode(claim, volume)) return { do: "wake-claim" };
    const notice = (message: string): Notice => ({ type: "Warning", reason: "VolumeMismatch", message });
    return {
      do: "refuse",
      ofVolume: notice(
        `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
      ),
      ofClaim: notice(
        `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
      ),
    };
  }
  const isMadeForClaim = hasAnnotation(volume, PROVISIONED_BY);
  if (isMadeForClaim && volumeSpec(volume).persistentVolumeReclaimPolicy === "Delete")
    return { do: "reclaim", how: reclaimOf(volume) };
  return { do: "unbind" };
}

/** What the controller manager itself does about a volume that is released; drivers outside do the rest. */
function reclaimOf(volume: KubeObject): Reclaim {
  const { persistentVolumeReclaimPolicy, csi, hostPath, nfs } = volumeSpec(volume);
  const fail = (reason: string, message: string): Reclaim => ({
    do: "fail",
    notice: { type: "Warning", reason, message },
  });
  switch (persistentVolumeReclaimPolicy) {
    case "Retain":
      return { do: "nothing" };
    case "Recycle":
      return hostPath !== undefined || nfs !== undefined
        ? { do: "recycle" }
        : fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
    case "Delete": {
      const provisionedBy = volume.metadata.annotations?.[PROVISIONED_BY] ?? "";
      if (csi !== undefined || (provisionedBy !== "" && !provisionedBy.startsWith("kubernetes.io/")))
        return { do: "nothing" };
      const { path = "" } = hostPath ?? {};
      if (hostPath === undefined)
        return fail(
          "VolumeFailedDelete",
          `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`,
        );
      if (/\/tmp\/.+/.test(path)) return { do: "delete" };
      return fail("VolumeFailedDelete", `host_path deleter only supports /tmp/.+ but received provided ${path}`);
    }
    default:
      return fail("VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy");
  }
}

/** Whether the phase says that the claim is gone already. */
export function isReleased(volume: KubeObject): boolean {
  return phaseOf(volume) === "Released" || phaseOf(volume) === "Failed";
}

/** The volume without its claim; one that the user promised to a claim stays promised. */
export function unboundVolume(volume: KubeObject): KubeObject {
  const { claimRef, ...spec } = volumeSpec(volume);
  if (!hasAnnotation(volume, BOUND_BY_CONTROLLER))
    return { ...volume, spec: { ...spec, claimRef: { ...claimRef, uid: "" } } };
  const { [BOUND_BY_CONTROLLER]: _, ...annotations } = volume.metadata.annotations ?? {};
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec };
}
