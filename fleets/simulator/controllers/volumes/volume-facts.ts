// What PersistentVolumes, their claims and classes say, as the controllers of volumes read it. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { parseQuantity, type Quantity } from "../../../../kube/quantity.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";

/** Resource of claims. */
export const CLAIMS = "persistentvolumeclaims";
/** Resource of volumes. */
export const VOLUMES = "persistentvolumes";
/** Resource of storage classes. */
export const CLASSES = "storage.k8s.io/storageclasses";

/** The claim and its volume have been bound once. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** The controller chose; without it the user did. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
/** Who made a volume. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** Who is asked to make the claim's volume. */
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
/** Annotation that older provisioners read. */
export const BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
/** Where the scheduler wants the claim's volume. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
/** The provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = "kubernetes.io/no-provisioner";

interface ClaimRef {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

interface Resources {
  readonly storage?: string;
}

interface ClaimSpec {
  readonly accessModes?: readonly string[];
  readonly resources?: { readonly requests?: Resources };
  readonly selector?: LabelSelector;
  readonly storageClassName?: string;
  readonly volumeName?: string;
  readonly volumeMode?: string;
  readonly volumeAttributesClassName?: string;
}

export interface ClaimStatus {
  readonly phase?: string;
  readonly accessModes?: readonly string[];
  readonly capacity?: Resources;
  readonly currentVolumeAttributesClassName?: string;
  readonly conditions?: readonly Readonly<Record<string, unknown>>[];
  readonly allocatedResources?: Resources;
  readonly allocatedResourceStatuses?: Resources;
}

interface VolumeSpec {
  readonly accessModes?: readonly string[];
  readonly capacity?: Resources;
  readonly claimRef?: ClaimRef;
  readonly persistentVolumeReclaimPolicy?: string;
  readonly storageClassName?: string;
  readonly volumeMode?: string;
  readonly volumeAttributesClassName?: string;
  readonly csi?: { readonly driver?: string };
  readonly hostPath?: { readonly path?: string };
  readonly nfs?: unknown;
}

// The server has checked the shape of what it stores.
/** The claim's `spec`. */
export function claimSpec(claim: KubeObject): ClaimSpec {
  return (claim["spec"] ?? {}) as ClaimSpec;
}

/** The claim's `status`; empty when it has none. */
export function claimStatus(claim: KubeObject): ClaimStatus {
  return (claim["status"] ?? {}) as ClaimStatus;
}

/** The volume's `spec`. */
export function volumeSpec(volume: KubeObject): VolumeSpec {
  return (volume["spec"] ?? {}) as VolumeSpec;
}

/** `status.phase`; empty when there is none. */
export function phaseOf(object: KubeObject): string {
  return (object["status"] as { readonly phase?: string } | undefined)?.phase ?? "";
}

/** The class of a claim or volume; empty for none. */
export function classOf(object: KubeObject): string {
  const { storageClassName } = (object["spec"] ?? {}) as { readonly storageClassName?: string };
  return object.metadata.annotations?.[CLASS_ANNOTATION] ?? storageClassName ?? "";
}

/** Whether the claim says which class it wants; no class at all is an answer too. */
export function namesClass(claim: KubeObject): boolean {
  return (
    claim.metadata.annotations?.[CLASS_ANNOTATION] !== undefined || claimSpec(claim).storageClassName !== undefined
  );
}

/** How much the claim asks for. */
export function requestOf(claim: KubeObject): Quantity {
  return parseQuantity(claimSpec(claim).resources?.requests?.storage ?? "0");
}

/** How much the volume holds. */
export function capacityOf(volume: KubeObject): Quantity {
  return parseQuantity(volumeSpec(volume).capacity?.storage ?? "0");
}

/** Whether the object has the annotation, empty or not. */
export function hasAnnotation(object: KubeObject, key: string): boolean {
  return object.metadata.annotations?.[key] !== undefined;
}

/** A copy with more annotations. */
export function withAnnotations(object: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject {
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
  };
}

/** Whether the volume is promised or bound to the claim. */
export function isForClaim(volume: KubeObject, claim: KubeObject): boolean {
  const { claimRef } = volumeSpec(volume);
  if (claimRef === undefined) return false;
  const { name, namespace, uid } = claim.metadata;
  if (claimRef.name !== name || claimRef.namespace !== namespace) return false;
  return claimRef.uid === undefined || claimRef.uid === "" || claimRef.uid === uid;
}

/** The reference by which a volume is bound to the claim. */
export function claimRefTo(claim: KubeObject): ClaimRef {
  const { namespace = "", name = "", uid = "", resourceVersion = "" } = claim.metadata;
  return { kind: "PersistentVolumeClaim", namespace, name, uid, apiVersion: "v1", resourceVersion };
}
