// Which nodes the volumes of a Pod can be used on, and which volumes are to be bound or made there.
import { compileNodeChoice, type NodeTerm } from "../../../kube/node-selectors.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { compareQuantities } from "../../../kube/quantity.ts";
import { type LabelSelector, matchesLabelSelector } from "../../../kube/selectors.ts";
import { isSameMode } from "../controllers/volumes/match-volume.ts";
import {
  BIND_COMPLETED,
  CLAIMS,
  CLASSES,
  capacityOf,
  classOf,
  hasAnnotation,
  isForClaim,
  NO_PROVISIONER,
  phaseOf,
  requestOf,
  SELECTED_NODE,
  VOLUMES,
} from "../controllers/volumes/volume-facts.ts";
import { listOf } from "./affinity-terms.ts";
import type { NodeFacts } from "./node-info.ts";
import type { PodFacts } from "./pod-facts.ts";
import { type Rejection, reject } from "./rejection.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";

/** How to look at claims, volumes and classes. */
export interface StorageView {
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined;
  list(resource: string): KubeObject[];
}

/** What has to happen before a Pod can be bound to the node that was chosen. */
export interface VolumePlan {
  readonly bind: readonly { readonly claim: KubeObject; readonly volume: KubeObject }[];
  readonly provision: readonly KubeObject[];
}

const NOTHING: VolumePlan = { bind: [], provision: [] };

const ZONE_LABELS = [
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
] as const;

/** The claims of one Pod, looked up once for all nodes. */
export class VolumeFit {
  readonly #storage: StorageView;
  readonly #bound: readonly (KubeObject | undefined)[];
  readonly #unbound: readonly KubeObject[];
  /** Whether a claim that only one Pod may use is used by another. */
  readonly #isTaken: boolean;

  private constructor(
    storage: StorageView,
    bound: readonly (KubeObject | undefined)[],
    unbound: readonly KubeObject[],
    isTaken: boolean,
  ) {
    this.#storage = storage;
    this.#bound = bound;
    this.#unbound = unbound;
    this.#isTaken = isTaken;
  }

  /** Undefined for a Pod without claims; a rejection when no node will do as long as the claims are as they are. */
  static of(pod: PodFacts, storage: StorageView, cache: SchedulerCache): VolumeFit | Rejection | undefined {
    if (pod.spec.claims.length === 0) return undefined;
    const claims: KubeObject[] = [];
    for (const name of pod.spec.claims) {
      const claim = storage.get(CLAIMS, pod.namespace, name);
      if (claim === undefined) return reject("VolumeRestrictions", `persistentvolumeclaim "${name}" not found`);
      claims.push(claim);
    }
    const refusal = refuse(claims);
    if (refusal !== undefined) return reject("VolumeBinding", refusal);
    const unbound = claims.filter((claim) => !isFullyBound(claim));
    if (unbound.some((claim) => textIn(claim, "volumeName") !== undefined || !waitsForConsumer(claim, storage)))
      return reject("VolumeBinding", "pod has unbound immediate PersistentVolumeClaims");
    const bound = claims
      .filter(isFullyBound)
      .map((claim) => storage.get(VOLUMES, undefined, textIn(claim, "volumeName") ?? ""));
    const exclusive = claims.filter((claim) => accessModesOf(claim).includes("ReadWriteOncePod"));
    const isTaken = exclusive.some((claim) => isUsed(claim, cache));
    return new VolumeFit(storage, bound, unbound, isTaken);
  }

  filter(node: NodeFacts): Rejection | undefined {
    if (this.#isTaken)
      return reject(
        "VolumeRestrictions",
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
      );
    if (this.#bound.some((volume) => volume !== undefined && !isReachable(volume, node)))
      return reject("VolumeBinding", "node(s) didn't match PersistentVolume's node affinity");
    if (this.planFor(node) === undefined)
      return reject("VolumeBinding", "node(s) didn't find available persistent volumes to bind");
    if (this.#bound.some((volume) => volume === undefined))
      return reject("VolumeBinding", "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
    if (this.#bound.some((volume) => volume !== undefined && !isInZone(volume, node)))
      return reject("VolumeZone", "node(s) had no available volume zone");
    return undefined;
  }

  /** What becomes of the claims that wait, on this node; undefined when nothing can. */
  planFor(node: NodeFacts): VolumePlan | undefined {
    if (this.#unbound.length === 0) return NOTHING;
    const bind: { claim: KubeObject; volume: KubeObject }[] = [];
    const provision: KubeObject[] = [];
    const bySize = [...this.#unbound].sort((a, b) => compareQuantities(requestOf(a), requestOf(b)));
    for (const claim of bySize) {
      const selected = claim.metadata.annotations?.[SELECTED_NODE];
      if (selected !== undefined && selected !== node.name) return undefined;
      const taken = bind.map(({ volume }) => volume);
      const volume = selected === undefined ? this.#findVolume(claim, node, taken) : undefined;
      if (volume !== undefined) bind.push({ claim, volume });
      else if (this.#canProvision(claim, node)) provision.push(claim);
      else return undefined;
    }
    return { bind, provision };
  }

  /** The smallest volume that is free and will do. */
  #findVolume(claim: KubeObject, node: NodeFacts, taken: readonly KubeObject[]): KubeObject | undefined {
    let best: KubeObject | undefined;
    for (const volume of this.#storage.list(VOLUMES)) {
      if (taken.includes(volume) || !isMatch(claim, volume) || !isReachable(volume, node)) continue;
      if (claimRefOf(volume) !== undefined) return volume;
      if (best === undefined || compareQuantities(capacityOf(volume), capacityOf(best)) < 0) best = volume;
    }
    return best;
  }

  #canProvision(claim: KubeObject, node: NodeFacts): boolean {
    const storageClass = this.#storage.get(CLASSES, undefined, classOf(claim));
    const provisioner = storageClass?.["provisioner"];
    if (storageClass === undefined || !provisioner || provisioner === NO_PROVISIONER) return false;
    const terms = listOf(storageClass["allowedTopologies"]);
    return terms.length === 0 || terms.some((term) => isTopologyOf(term, node));
  }
}

function refuse(claims: readonly KubeObject[]): string | undefined {
  for (const claim of claims) {
    const name = claim.metadata.name ?? "";
    if (phaseOf(claim) === "Lost")
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${textIn(claim, "volumeName") ?? ""}"`;
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`;
  }
  return undefined;
}

/** Whether claim and volume know of each other. */
function isFullyBound(claim: KubeObject): boolean {
  const isDone = hasAnnotation(claim, BIND_COMPLETED);
  return textIn(claim, "volumeName") !== undefined && (isDone || phaseOf(claim) === "Bound");
}

function waitsForConsumer(claim: KubeObject, storage: StorageView): boolean {
  return storage.get(CLASSES, undefined, classOf(claim))?.["volumeBindingMode"] === "WaitForFirstConsumer";
}

function isUsed(claim: KubeObject, cache: SchedulerCache): boolean {
  const { namespace, name = "" } = claim.metadata;
  for (const { pods } of cache.nodes())
    for (const pod of pods.values()) if (pod.namespace === namespace && pod.spec.claims.includes(name)) return true;
  return false;
}

function isMatch(claim: KubeObject, volume: KubeObject): boolean {
  const isOurs = isForClaim(volume, claim);
  if (volume.metadata.deletionTimestamp !== undefined || (claimRefOf(volume) !== undefined && !isOurs)) return false;
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0 || !isSameMode(claim, volume)) return false;
  if (isOurs) return true;
  const selector = specOf(claim)["selector"];
  if (isObject(selector) && !matchesLabelSelector(selector as LabelSelector, volume.metadata.labels)) return false;
  const modes = accessModesOf(volume);
  return (
    phaseOf(volume) === "Available" &&
    classOf(volume) === classOf(claim) &&
    accessModesOf(claim).every((mode) => modes.includes(mode))
  );
}

/** Whether the volume's node affinity lets it be used on the node. */
function isReachable(volume: KubeObject, node: NodeFacts): boolean {
  const affinity = specOf(volume)["nodeAffinity"];
  const required = isObject(affinity) ? affinity["required"] : undefined;
  if (!isObject(required)) return true;
  const matches = compileNodeChoice({
    affinity: { nodeSelectorTerms: listOf(required["nodeSelectorTerms"]) as readonly NodeTerm[] },
  });
  return matches === undefined || matches(node);
}

/** Whether the volume's zone and region, by its labels, are the node's. Nodes without any are everywhere. */
function isInZone(volume: KubeObject, node: NodeFacts): boolean {
  if (!ZONE_LABELS.some((key) => node.labels[key] !== undefined)) return true;
  return ZONE_LABELS.every((key) => {
    const zones = volume.metadata.labels?.[key];
    const own = node.labels[key] ?? node.labels[key.replace("failure-domain.beta.", "topology.")];
    return zones === undefined || (own !== undefined && zones.split("__").includes(own));
  });
}

function isTopologyOf(term: Readonly<Record<string, unknown>>, node: NodeFacts): boolean {
  return listOf(term["matchLabelExpressions"]).every(({ key, values }) => {
    const value = node.labels[String(key)];
    return value !== undefined && Array.isArray(values) && values.includes(value);
  });
}

function specOf(object: KubeObject): Readonly<Record<string, unknown>> {
  return isObject(object["spec"]) ? object["spec"] : {};
}

function textIn(object: KubeObject, field: string): string | undefined {
  const value = specOf(object)[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function claimRefOf(volume: KubeObject): Readonly<Record<string, unknown>> | undefined {
  const ref = specOf(volume)["claimRef"];
  return isObject(ref) ? ref : undefined;
}

function accessModesOf(object: KubeObject): readonly unknown[] {
  const modes = specOf(object)["accessModes"];
  return Array.isArray(modes) ? modes : [];
}
