// A StatefulSet's spec, and the names and numbers of what it owns.
import { cloneJson, isObject, type KubeObject } from "../../../../kube/object.ts";
import { selectorOf } from "../controller-refs.ts";
import { isBeingDeleted, isTerminal, podPhase } from "../pod-object.ts";
import { podFromTemplate, podTemplateOf } from "../pod-template.ts";
import { applyRevision, type ControllerRevision, REVISION_LABEL } from "../revisions/controller-revisions.ts";

export interface RetentionPolicy {
  readonly whenDeleted: "Retain" | "Delete";
  readonly whenScaled: "Retain" | "Delete";
}

interface StatefulSetSpec {
  readonly replicas?: number;
  readonly serviceName?: string;
  readonly podManagementPolicy?: "OrderedReady" | "Parallel";
  readonly updateStrategy?: {
    readonly type?: "RollingUpdate" | "OnDelete";
    readonly rollingUpdate?: { readonly partition?: number };
  };
  readonly minReadySeconds?: number;
  readonly revisionHistoryLimit?: number;
  readonly ordinals?: { readonly start?: number };
  readonly volumeClaimTemplates?: readonly KubeObject[];
  readonly persistentVolumeClaimRetentionPolicy?: RetentionPolicy;
}

const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";
/** Ordinals are 32-bit numbers. */
const LARGEST_ORDINAL = 2 ** 31 - 1;

/** The set's `spec`. */
export function statefulSetSpec(set: KubeObject): StatefulSetSpec {
  // The server has checked the shape of what it stores.
  return (set["spec"] ?? {}) as StatefulSetSpec;
}

/** `spec.replicas`, defaulted. */
export function replicasOf(set: KubeObject): number {
  return statefulSetSpec(set).replicas ?? 1;
}

/** The ordinal of the first Pod. */
export function startOrdinal(set: KubeObject): number {
  return statefulSetSpec(set).ordinals?.start ?? 0;
}

/** The set's name and the ordinal in a Pod's name; the ordinal is -1 when there is none. */
function parentAndOrdinal(pod: KubeObject): { readonly parent: string; readonly ordinal: number } {
  const match = /^(.*)-([0-9]+)$/s.exec(pod.metadata.name ?? "");
  if (match === null) return { parent: "", ordinal: -1 };
  const ordinal = Number(match[2]);
  return { parent: match[1] ?? "", ordinal: ordinal <= LARGEST_ORDINAL ? ordinal : -1 };
}

/** The number at the end of the Pod's name; -1 when it has none. */
export function ordinalOf(pod: KubeObject): number {
  return parentAndOrdinal(pod).ordinal;
}

/** Whether a Pod's name is one that the set gives. */
export function isNamedBySet(set: KubeObject, pod: KubeObject): boolean {
  return parentAndOrdinal(pod).parent === set.metadata.name;
}

/** Whether the set wants a Pod of this ordinal. */
export function isInRange(set: KubeObject, ordinal: number): boolean {
  const start = startOrdinal(set);
  return ordinal >= start && ordinal < start + replicasOf(set);
}

/** The name of the revision that a Pod was made from. */
export function revisionOf(pod: KubeObject): string {
  return pod.metadata.labels?.[REVISION_LABEL] ?? "";
}

/** Whether the server has the Pod; drafts have no phase. */
export function isCreated(pod: KubeObject): boolean {
  return podPhase(pod) !== "";
}

/** Whether the Pod has ended and is not on its way out yet. */
export function isEnded(pod: KubeObject): boolean {
  return isTerminal(pod) && !isBeingDeleted(pod);
}

/** The claims of one Pod, as they are created: of each template one, by the template's name. */
export function claimsFor(set: KubeObject, ordinal: number): ReadonlyMap<string, KubeObject> {
  const claims = new Map<string, KubeObject>();
  const selected = selectorOf(set)?.matchLabels;
  for (const template of statefulSetSpec(set).volumeClaimTemplates ?? []) {
    const { status: _, ...claim } = cloneJson(template);
    const labels = { ...claim.metadata?.labels, ...selected };
    claims.set(template.metadata.name ?? "", {
      ...claim,
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        ...claim.metadata,
        name: claimName(set, template, ordinal),
        namespace: set.metadata.namespace ?? "",
        labels,
      },
    });
  }
  return claims;
}

function claimName(set: KubeObject, template: KubeObject, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName?: string };
}

function volumesOf(pod: KubeObject): readonly Volume[] {
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  return Array.isArray(spec["volumes"]) ? (spec["volumes"] as Volume[]) : [];
}

/** Whether the Pod has the labels and the name of its place. */
export function isIdentityRight(set: KubeObject, pod: KubeObject): boolean {
  const { parent, ordinal } = parentAndOrdinal(pod);
  const { name, labels } = pod.metadata;
  return ordinal >= 0 && parent === set.metadata.name && labels?.[POD_NAME_LABEL] === name;
}

/** Whether the Pod mounts the claims of its place. */
export function isStorageRight(set: KubeObject, pod: KubeObject): boolean {
  const ordinal = ordinalOf(pod);
  const volumes = volumesOf(pod);
  return (statefulSetSpec(set).volumeClaimTemplates ?? []).every((template) => {
    const volume = volumes.find((each) => each.name === template.metadata.name);
    return volume?.persistentVolumeClaim?.claimName === claimName(set, template, ordinal);
  });
}

/** The Pod with the labels, and the volumes, of its place. */
export function withIdentity(set: KubeObject, pod: KubeObject): KubeObject {
  const ordinal = ordinalOf(pod);
  const claims = claimsFor(set, ordinal);
  const volumes = [...claims].map(([name, claim]) => ({
    name,
    persistentVolumeClaim: { claimName: claim.metadata.name },
  }));
  const others = volumesOf(pod).filter((volume) => !claims.has(volume.name));
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [POD_NAME_LABEL]: pod.metadata.name ?? "",
        [POD_INDEX_LABEL]: String(ordinal),
      },
    },
    spec: claims.size + others.length === 0 ? spec : { ...spec, volumes: [...volumes, ...others] },
  };
}

/** The revisions between which a set is moving; the same twice when it is not. */
export interface Revisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

/** The Pod of an ordinal that is missing, from the revision that its place is at. */
export function newPod(set: KubeObject, { current, update }: Revisions, ordinal: number): KubeObject {
  const { updateStrategy } = statefulSetSpec(set);
  const start = startOrdinal(set);
  const status = set["status"] as { readonly currentReplicas?: number } | undefined;
  const rolling = updateStrategy?.rollingUpdate;
  const keepsCurrent =
    rolling === undefined
      ? updateStrategy?.type === "RollingUpdate" && ordinal < start + (status?.currentReplicas ?? 0)
      : ordinal < start + (rolling.partition ?? 0);
  const revision = keepsCurrent ? current : update;
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(set, podTemplateOf(applyRevision(set, revision)));
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  const { serviceName } = statefulSetSpec(set);
  const placed = withIdentity(set, {
    ...pod,
    metadata: { ...pod.metadata, name },
    spec: { ...spec, hostname: name, ...(serviceName === undefined ? {} : { subdomain: serviceName }) },
  });
  const labels = { ...placed.metadata.labels, [REVISION_LABEL]: revision.metadata.name ?? "" };
  return { ...placed, metadata: { ...placed.metadata, labels } };
}
