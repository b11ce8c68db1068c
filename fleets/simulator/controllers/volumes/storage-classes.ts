// Storage classes: the one that every simulated cluster has, and which one claims get that name none. Pure.
import type { KubeObject } from "../../../../kube/object.ts";

const DEFAULT_ANNOTATIONS = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The provisioner of a simulated cluster's own class. */
const SIMULATED_PROVISIONER = "csi.simulated.flaghoist.io";

/** The default class of a simulated cluster: volumes are made where the first Pod goes, can grow, and go with their claims. */
export function simulatedStorageClass(): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: SIMULATED_PROVISIONER,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
    allowVolumeExpansion: true,
  };
}

/** The default class: the newest of those that say so, of equally old ones the first by name. */
export function defaultClass(classes: readonly KubeObject[]): KubeObject | undefined {
  const [first] = classes
    .filter(({ metadata }) => DEFAULT_ANNOTATIONS.some((key) => metadata.annotations?.[key] === "true"))
    .toSorted(
      (a, b) =>
        Date.parse(b.metadata.creationTimestamp ?? "") - Date.parse(a.metadata.creationTimestamp ?? "") ||
        ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1),
    );
  return first;
}

/** In-tree provisioners and the CSI drivers that have taken over from them. */
const MIGRATED: Readonly<Record<string, string>> = {
  "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
  "kubernetes.io/azure-disk": "disk.csi.azure.com",
  "kubernetes.io/azure-file": "file.csi.azure.com",
  "kubernetes.io/cinder": "cinder.csi.openstack.org",
  "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
  "kubernetes.io/portworx-volume": "pxd.portworx.com",
  "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
};

type Provisioner =
  | { readonly name: string }
  /** The controller manager knows no such plugin. */
  | { readonly problem: string };

/** Who makes the volumes of a class. */
export function provisionerOf(storageClass: KubeObject): Provisioner {
  const named = String(storageClass["provisioner"] ?? "");
  const migrated = Object.hasOwn(MIGRATED, named) ? MIGRATED[named] : undefined;
  if (migrated !== undefined) return { name: migrated };
  if (named.startsWith("kubernetes.io/")) return { problem: `no volume plugin matched name: ${named}` };
  return { name: named };
}

/** Whether volumes of the class wait until a Pod that uses them is placed. */
export function waitsForConsumer(storageClass: KubeObject | undefined): boolean {
  return storageClass?.["volumeBindingMode"] === "WaitForFirstConsumer";
}
