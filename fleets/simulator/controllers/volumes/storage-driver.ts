// The storage of a simulated cluster: makes volumes for claims whose class asks for it, and removes them.
import type { KubeObject } from "../../../../kube/object.ts";
import { attempt, perform, type Reconcile, remove, type Steps, tell } from "../../kernel/action.ts";
import { type Controller, objectKey, splitKey, type World } from "../../kernel/controller.ts";
import { provisionerOf, waitsForConsumer } from "./storage-classes.ts";
import {
  CLAIMS,
  CLASSES,
  claimRefTo,
  claimSpec,
  classOf,
  PROVISIONED_BY,
  phaseOf,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  VOLUMES,
  volumeSpec,
} from "./volume-facts.ts";

/** How long storage takes to make or remove a volume where disks are not slow. */
const WORK_MS = 200;
const ZONE = "topology.kubernetes.io/zone";

/** Plays the external provisioner of every CSI driver: whatever provisioner a class names is there. */
export function storageDriver(): Controller {
  /** Since when a claim or volume has been worked on. */
  const began = new Map<string, number>();
  return {
    name: "csi-provisioner",
    manager: "csi-provisioner",
    watches: [CLAIMS, VOLUMES].map((resource) => ({
      resource,
      keys: ({ type, object }) => (type === "deleted" ? [] : [objectKey(object)]),
    })),
    *reconcile(key, world): Reconcile {
      const { namespace, name } = splitKey(key);
      const work = namespace === "" ? removalOf(name, world) : provisioningOf(namespace, name, world);
      if (work === undefined) {
        began.delete(key);
        return undefined;
      }
      const since = began.get(key) ?? world.now();
      if (!began.has(key) && work.do === "make") {
        const message = `External provisioner is provisioning volume for claim "${key}"`;
        yield* tell(work.claim, "Normal", "Provisioning", message);
      }
      began.set(key, since);
      const left = since + WORK_MS * world.disturbances.diskSlowness - world.now();
      if (left > 0) return { afterMs: left };
      began.delete(key);
      if (work.do === "make") yield* make(work, world);
      else yield* remove(work.volume);
      return undefined;
    },
  };
}

interface Provisioning {
  readonly do: "make";
  readonly claim: KubeObject;
  readonly storageClass: KubeObject;
  readonly provisioner: string;
}

/** The claim if a volume is to be made for it now. */
function provisioningOf(namespace: string, name: string, { state }: World): Provisioning | undefined {
  const claim = state.get(CLAIMS, namespace, name);
  if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return undefined;
  if ((claimSpec(claim).volumeName ?? "") !== "") return undefined;
  const asked = claim.metadata.annotations?.[STORAGE_PROVISIONER];
  const storageClass = state.get(CLASSES, undefined, classOf(claim));
  if (asked === undefined || storageClass === undefined) return undefined;
  const provisioner = provisionerOf(storageClass);
  if ("problem" in provisioner || provisioner.name !== asked) return undefined;
  if (waitsForConsumer(storageClass) && claim.metadata.annotations?.[SELECTED_NODE] === undefined) return undefined;
  if (state.get(VOLUMES, undefined, volumeNameFor(claim)) !== undefined) return undefined;
  return { do: "make", claim, storageClass, provisioner: provisioner.name };
}

function removalOf(name: string, { state }: World): { readonly do: "remove"; readonly volume: KubeObject } | undefined {
  const volume = state.get(VOLUMES, undefined, name);
  if (volume === undefined || phaseOf(volume) !== "Released") return undefined;
  if (volume.metadata.deletionTimestamp !== undefined) return undefined;
  const { persistentVolumeReclaimPolicy, csi } = volumeSpec(volume);
  // A volume that nobody's driver has made is nobody's to remove.
  const isOurs = csi !== undefined && volume.metadata.annotations?.[PROVISIONED_BY] === csi.driver;
  return isOurs && persistentVolumeReclaimPolicy === "Delete" ? { do: "remove", volume } : undefined;
}

function volumeNameFor(claim: KubeObject): string {
  return `pvc-${claim.metadata.uid}`;
}

function* make({ claim, storageClass, provisioner }: Provisioning, { state }: World): Steps<void> {
  const selected = claim.metadata.annotations?.[SELECTED_NODE];
  const node = selected === undefined ? undefined : state.get("nodes", undefined, selected);
  if (selected !== undefined && node === undefined) {
    // The scheduler chooses again.
    yield* perform({ do: "patch", object: claim, patch: { metadata: { annotations: { [SELECTED_NODE]: null } } } });
    const message = `failed to provision volume with StorageClass "${classOf(claim)}": error getting target node: node "${selected}" not found`;
    return yield* tell(claim, "Warning", "ProvisioningFailed", message);
  }
  const volume = newVolume(claim, storageClass, provisioner, node);
  const outcome = yield* attempt({ do: "create", object: volume });
  if (!outcome.ok && outcome.error.status.reason !== "AlreadyExists") {
    const message = `failed to provision volume with StorageClass "${classOf(claim)}": ${outcome.error.status.message}`;
    yield* tell(claim, "Warning", "ProvisioningFailed", message);
    throw outcome.error;
  }
  const message = `Successfully provisioned volume ${volume.metadata.name}`;
  yield* tell(claim, "Normal", "ProvisioningSucceeded", message);
}

/** The volume of a claim, as CSI's provisioner describes it. It can be used in the zone of the node it was made for. */
function newVolume(
  claim: KubeObject,
  storageClass: KubeObject,
  driver: string,
  node: KubeObject | undefined,
): KubeObject {
  const { accessModes, resources, volumeMode = "Filesystem", volumeAttributesClassName } = claimSpec(claim);
  const zone = node?.metadata.labels?.[ZONE];
  const required = {
    nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: "In", values: [zone] }] }],
  };
  const { mountOptions } = storageClass;
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: volumeNameFor(claim),
      annotations: {
        [PROVISIONED_BY]: driver,
        "volume.kubernetes.io/provisioner-deletion-secret-name": "",
        "volume.kubernetes.io/provisioner-deletion-secret-namespace": "",
      },
    },
    spec: {
      accessModes,
      capacity: { storage: resources?.requests?.storage },
      claimRef: claimRefTo(claim),
      csi: {
        driver,
        ...(volumeMode === "Block" ? {} : { fsType: "ext4" }),
        volumeHandle: volumeNameFor(claim),
      },
      ...(zone === undefined ? {} : { nodeAffinity: { required } }),
      persistentVolumeReclaimPolicy: storageClass["reclaimPolicy"] ?? "Delete",
      storageClassName: classOf(claim),
      volumeMode,
      ...(mountOptions === undefined ? {} : { mountOptions }),
      ...(volumeAttributesClassName === undefined ? {} : { volumeAttributesClassName }),
    },
  };
}
