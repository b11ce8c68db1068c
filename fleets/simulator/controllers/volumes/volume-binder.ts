// Binds claims to volumes, and reclaims volumes whose claims are gone.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import { compareQuantities, parseQuantity } from "../../../../kube/quantity.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import { perform, type Reconcile, remove, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { isTerminal } from "../pod-object.ts";
import { type ClaimPlan, type Notice, planClaim, type StorageView } from "./claim-plan.ts";
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  CLAIMS,
  CLASSES,
  type ClaimStatus,
  capacityOf,
  claimRefTo,
  claimSpec,
  claimStatus,
  hasAnnotation,
  isForClaim,
  phaseOf,
  STORAGE_PROVISIONER,
  VOLUMES,
  volumeSpec,
  withAnnotations,
} from "./volume-facts.ts";
import { isReleased, planVolume, unboundVolume } from "./volume-plan.ts";

/** As Kubernetes: whatever waits is looked at again this often, because not everything that it waits for is followed. */
const RESYNC_MS = 15_000;

/**
 * The writes of a binding take a real server about so long. Pods that come with their claims are looked at before that, and
 * found to wait for them.
 */
const BINDING_MS = 20;

/** Keys with a namespace are claims, those without are volumes. */
export function volumeBinder(): Controller {
  /** Since when claims that are not bound have had a volume to be bound to. */
  const began = new Map<string, number>();
  return {
    name: "persistentvolume-controller",
    manager: "kube-controller-manager",
    watches: [
      {
        resource: CLAIMS,
        keys: ({ type, object }) => {
          const { volumeName = "" } = claimSpec(object);
          if (type !== "deleted") return [objectKey(object)];
          return volumeName === "" ? [] : [`/${volumeName}`];
        },
      },
      {
        resource: VOLUMES,
        keys: ({ type, object }) => {
          const { claimRef } = volumeSpec(object);
          const claim = claimRef === undefined ? [] : [`${claimRef.namespace}/${claimRef.name}`];
          return type === "deleted" ? claim : [objectKey(object)];
        },
      },
    ],
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      return namespace === "" ? yield* syncVolume(name, world) : yield* syncClaim(namespace, name, world, began);
    },
  };
}

// ---- claims

function* syncClaim(namespace: string, name: string, world: World, began: Map<string, number>): Reconcile {
  const claim = world.state.get(CLAIMS, namespace, name);
  const uid = claim?.metadata.uid ?? "";
  if (claim === undefined) return undefined;
  const plan = planClaim(claim, viewOf(claim, world));
  if (plan.do === "bind" && !hasAnnotation(claim, BIND_COMPLETED)) {
    const since = began.get(uid) ?? world.now();
    began.set(uid, since);
    const left = since + BINDING_MS - world.now();
    if (left > 0) return { afterMs: left };
  }
  began.delete(uid);
  yield* carryOutClaim(claim, plan, world);
  return plan.do === "bind" || plan.do === "lose" ? undefined : { afterMs: RESYNC_MS };
}

function viewOf(claim: KubeObject, { state }: World): StorageView {
  return {
    volumes: () => state.list(VOLUMES),
    volume: (name) => state.get(VOLUMES, undefined, name),
    classes: () => state.list(CLASSES),
    storageClass: (name) => (name === "" ? undefined : state.get(CLASSES, undefined, name)),
    waitingPods: () =>
      state
        .list("pods", claim.metadata.namespace)
        .filter((pod) => waitsWith(pod, claim.metadata.name ?? ""))
        .map((pod) => pod.metadata.name ?? ""),
  };
}

/** Whether the Pod uses the claim and has neither a node nor an end. */
function waitsWith(pod: KubeObject, claimName: string): boolean {
  const { nodeName = "", volumes = [] } = (pod["spec"] ?? {}) as {
    readonly nodeName?: string;
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName?: string } }[];
  };
  if (nodeName !== "" || isTerminal(pod)) return false;
  return volumes.some((volume) => volume.persistentVolumeClaim?.claimName === claimName);
}

function* carryOutClaim(claim: KubeObject, plan: ClaimPlan, world: World): Steps<void> {
  switch (plan.do) {
    case "bind":
      return yield* bind(plan.volume, claim, world);
    case "wait":
      if (plan.notice !== undefined) yield* announce(claim, plan.notice);
      yield* setClaimStatus(claim, "Pending", undefined);
      return;
    case "assign-class":
      yield* perform({
        do: "update",
        object: { ...claim, spec: { ...claimSpec(claim), storageClassName: plan.name } },
      });
      return;
    case "provision": {
      const asked = { [BETA_STORAGE_PROVISIONER]: plan.provisioner, [STORAGE_PROVISIONER]: plan.provisioner };
      if (claim.metadata.annotations?.[STORAGE_PROVISIONER] !== plan.provisioner)
        yield* perform({ do: "update", object: withAnnotations(claim, asked) });
      return yield* announce(claim, plan.notice);
    }
    case "tell":
      return yield* announce(claim, plan.notice);
    case "lose":
      if (phaseOf(claim) === "Lost") return;
      yield* setClaimStatus(claim, "Lost", undefined);
      return yield* announce(claim, plan.notice);
  }
}

function* announce(regarding: KubeObject, { type, reason, message }: Notice): Steps<void> {
  yield* tell(regarding, type, reason, message);
}

/** The volume first, so that no other claim can have it; each object only where it changes. */
function* bind(volume: KubeObject, claim: KubeObject, world: World): Steps<void> {
  const { claimRef } = volumeSpec(volume);
  let held = volume;
  const isPromised = isForClaim(volume, claim);
  const isBound = isPromised && claimRef?.uid === claim.metadata.uid;
  if (!isBound) {
    const bound = { ...volume, spec: { ...volumeSpec(volume), claimRef: claimRefTo(claim) } };
    const object = isPromised ? bound : withAnnotations(bound, { [BOUND_BY_CONTROLLER]: "yes" });
    held = (yield* perform({ do: "update", object })) ?? object;
  }
  yield* setVolumePhase(held, "Bound", world);
  const { name = "" } = volume.metadata;
  const isChosen = claimSpec(claim).volumeName === name;
  let holder = claim;
  if (!isChosen || !hasAnnotation(claim, BIND_COMPLETED)) {
    const annotations = { ...(isChosen ? {} : { [BOUND_BY_CONTROLLER]: "yes" }), [BIND_COMPLETED]: "yes" };
    const object = withAnnotations({ ...claim, spec: { ...claimSpec(claim), volumeName: name } }, annotations);
    holder = (yield* perform({ do: "update", object })) ?? object;
  }
  yield* setClaimStatus(holder, "Bound", volume);
}

/** The status of a claim in a phase, with the volume that it is bound to. */
function statusInPhase(claim: KubeObject, phase: string, volume: KubeObject | undefined): ClaimStatus {
  const known = claimStatus(claim);
  const { accessModes: _modes, capacity, currentVolumeAttributesClassName: attributes, ...others } = known;
  if (volume === undefined) return { ...others, phase };
  const { accessModes, capacity: offered, volumeAttributesClassName } = volumeSpec(volume);
  // A claim that is bound already keeps its capacity: its file system may still be smaller than the volume.
  const isNew = known.phase !== phase;
  const isSame =
    capacity?.storage !== undefined && compareQuantities(parseQuantity(capacity.storage), capacityOf(volume)) === 0;
  const kept = isNew && !isSame ? offered : capacity;
  const wanted = known.phase === "Pending" && phase === "Bound" ? volumeAttributesClassName : attributes;
  return {
    ...others,
    phase,
    ...(accessModes === undefined ? {} : { accessModes }),
    ...(kept === undefined ? {} : { capacity: kept }),
    ...(wanted === undefined ? {} : { currentVolumeAttributesClassName: wanted }),
  };
}

function* setClaimStatus(claim: KubeObject, phase: string, volume: KubeObject | undefined): Steps<void> {
  const status = statusInPhase(claim, phase, volume);
  if (equalJson(claim["status"] ?? {}, status)) return;
  yield* perform({ do: "update", object: { ...claim, status }, subresource: "status" });
}

// ---- volumes

function* syncVolume(name: string, world: World): Reconcile {
  const volume = world.state.get(VOLUMES, undefined, name);
  if (volume === undefined) return undefined;
  const { claimRef } = volumeSpec(volume);
  const claim = claimRef === undefined ? undefined : world.state.get(CLAIMS, claimRef.namespace, claimRef.name);
  const plan = planVolume(volume, claim);
  switch (plan.do) {
    case "set-phase":
      yield* setVolumePhase(volume, plan.phase, world);
      return undefined;
    case "wake-claim":
      if (claim === undefined) return undefined;
      yield* carryOutClaim(claim, planClaim(claim, viewOf(claim, world)), world);
      return undefined;
    case "refuse":
      yield* announce(volume, plan.ofVolume);
      if (claim !== undefined) yield* announce(claim, plan.ofClaim);
      return { afterMs: RESYNC_MS };
    case "unbind":
      return yield* unbind(volume, world);
    case "reclaim": {
      const released = isReleased(volume) ? volume : yield* setVolumePhase(volume, "Released", world);
      switch (plan.how.do) {
        case "nothing":
          return undefined;
        case "delete":
          yield* remove(released);
          return undefined;
        case "recycle":
          yield* tell(released, "Normal", "VolumeRecycled", "Volume recycled");
          return yield* unbind(released, world);
        case "fail":
          if (phaseOf(released) === "Failed") return undefined;
          yield* setVolumePhase(released, "Failed", world, plan.how.notice.message);
          yield* announce(released, plan.how.notice);
          return undefined;
      }
    }
  }
}

function* unbind(volume: KubeObject, world: World): Reconcile {
  const object = unboundVolume(volume);
  const written = (yield* perform({ do: "update", object })) ?? object;
  yield* setVolumePhase(written, "Available", world);
  return undefined;
}

/** Writes the phase of a volume unless it is that already; answers the volume as it is then. */
function* setVolumePhase(volume: KubeObject, phase: string, world: World, message?: string): Steps<KubeObject> {
  if (phaseOf(volume) === phase) return volume;
  const status = {
    phase,
    ...(message === undefined ? {} : { message }),
    lastPhaseTransitionTime: rfc3339(world.now()),
  };
  return (yield* perform({ do: "update", object: { ...volume, status }, subresource: "status" })) ?? volume;
}
