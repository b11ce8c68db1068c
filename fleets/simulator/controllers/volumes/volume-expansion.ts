// Makes volumes larger when their claims ask for more: first the volume, then the file system on the node.
import type { KubeObject } from "../../../../kube/object.ts";
import { compareQuantities, parseQuantity } from "../../../../kube/quantity.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { perform, type Reconcile, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { podPhase } from "../pod-object.ts";
import {
  CLAIMS,
  type ClaimStatus,
  capacityOf,
  claimSpec,
  claimStatus,
  phaseOf,
  requestOf,
  VOLUMES,
  volumeSpec,
} from "./volume-facts.ts";

const WORK_MS = 200;

type ExpansionStep =
  /** The controller manager says that somebody else will do it, and that one begins. */
  | "begin"
  | "grow-volume"
  /** The volume is as large as asked; its file system waits for a Pod that mounts it. */
  | "await-node"
  | "grow-file-system";

/** What is next on the way to the size that the claim asks for; undefined when it has it. */
function nextExpansionStep(
  claim: KubeObject,
  volume: KubeObject | undefined,
  isMounted: boolean,
): ExpansionStep | undefined {
  if (phaseOf(claim) !== "Bound" || volume?.["spec"] === undefined || volumeSpec(volume).csi === undefined)
    return undefined;
  const { capacity, allocatedResourceStatuses } = claimStatus(claim);
  const requested = requestOf(claim);
  if (compareQuantities(requested, parseQuantity(capacity?.storage ?? "0")) <= 0) return undefined;
  const progress = allocatedResourceStatuses?.storage;
  if (compareQuantities(capacityOf(volume), requested) < 0)
    return progress === "ControllerResizeInProgress" ? "grow-volume" : "begin";
  if (isMounted) return "grow-file-system";
  return progress === "NodeResizePending" ? undefined : "await-node";
}

/** Plays the controller manager's part, the driver's resizer and the kubelet's. */
export function volumeExpander(): Controller {
  const began = new Map<string, number>();
  return {
    name: "volume_expand",
    manager: "csi-resizer",
    watches: [
      { resource: CLAIMS, keys: ({ type, object }) => (type === "deleted" ? [] : [objectKey(object)]) },
      {
        resource: "pods",
        keys: ({ type, object }) => (type !== "deleted" && podPhase(object) === "Running" ? claimsOf(object) : []),
      },
    ],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const claim = world.state.get(CLAIMS, namespace, name);
      if (claim === undefined) return undefined;
      const volume = world.state.get(VOLUMES, undefined, claimSpec(claim).volumeName ?? "");
      const { capacity } = claimStatus(claim);
      // Most claims have what they ask for, and no Pod needs to be looked for.
      if (compareQuantities(requestOf(claim), parseQuantity(capacity?.storage ?? "0")) <= 0) return undefined;
      const pod = world.state.list("pods", namespace).find((each) => mounts(each, key));
      const step = nextExpansionStep(claim, volume, pod !== undefined);
      if (step === undefined || volume === undefined) return undefined;
      if (step === "grow-volume") {
        const since = began.get(key) ?? world.now();
        began.set(key, since);
        const left = since + WORK_MS * world.disturbances.diskSlowness - world.now();
        if (left > 0) return { afterMs: left };
        began.delete(key);
      }
      yield* take(step, claim, volume, pod, world);
      return undefined;
    },
  };
}

function claimsOf(pod: KubeObject): string[] {
  const { volumes = [] } = (pod["spec"] ?? {}) as {
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName?: string } }[];
  };
  return volumes.flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [`${pod.metadata.namespace}/${persistentVolumeClaim.claimName}`],
  );
}

function mounts(pod: KubeObject, claimKey: string): boolean {
  return podPhase(pod) === "Running" && claimsOf(pod).includes(claimKey);
}

function* take(
  step: ExpansionStep,
  claim: KubeObject,
  volume: KubeObject,
  pod: KubeObject | undefined,
  world: World,
): Steps<void> {
  const { requests } = claimSpec(claim).resources ?? {};
  const { name = "" } = volume.metadata;
  switch (step) {
    case "begin":
      yield* tell(claim, "Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC");
      yield* setStatus(claim, inProgress(claim, "ControllerResizeInProgress", condition("Resizing", "", world)));
      return yield* tell(claim, "Normal", "Resizing", `External resizer is resizing volume ${name}`);
    case "grow-volume":
      yield* perform({
        do: "patch",
        object: volume,
        patch: { spec: { capacity: { storage: requests?.storage } } },
      });
      return yield* awaitNode(claim, world);
    case "await-node":
      return yield* awaitNode(claim, world);
    case "grow-file-system": {
      const { allocatedResourceStatuses: _, conditions: __, ...status } = claimStatus(claim);
      yield* setStatus(claim, { ...status, capacity: { ...status.capacity, ...requests } });
      const node = (pod?.["spec"] as { readonly nodeName?: string } | undefined)?.nodeName ?? "";
      const message = `MountVolume.NodeExpandVolume succeeded for volume "${name}" ${node}`;
      if (pod !== undefined) yield* tell(pod, "Normal", "FileSystemResizeSuccessful", message);
      return yield* tell(claim, "Normal", "FileSystemResizeSuccessful", message);
    }
  }
}

function* awaitNode(claim: KubeObject, world: World): Steps<void> {
  const message = "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
  yield* setStatus(claim, inProgress(claim, "NodeResizePending", condition("FileSystemResizePending", message, world)));
  yield* tell(claim, "Normal", "FileSystemResizeRequired", "Require file system resize of volume on node");
}

function condition(type: string, message: string, world: World): Readonly<Record<string, unknown>> {
  const text = message === "" ? {} : { message };
  return { type, status: "True", lastProbeTime: null, lastTransitionTime: rfc3339(world.now()), ...text };
}

function inProgress(claim: KubeObject, storage: string, current: Readonly<Record<string, unknown>>): ClaimStatus {
  const allocated = claimSpec(claim).resources?.requests?.storage;
  return {
    ...claimStatus(claim),
    ...(allocated === undefined ? {} : { allocatedResources: { storage: allocated } }),
    allocatedResourceStatuses: { storage },
    conditions: [current],
  };
}

function* setStatus(claim: KubeObject, status: ClaimStatus): Steps<void> {
  yield* perform({ do: "patch", object: claim, patch: { status: withoutGone(claim, status) }, subresource: "status" });
}

/** A merge patch to a status: what is not in it any more is taken away. */
function withoutGone(claim: KubeObject, status: ClaimStatus): Record<string, unknown> {
  const gone = Object.keys(claimStatus(claim)).filter((key) => !Object.hasOwn(status, key));
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...status };
}
