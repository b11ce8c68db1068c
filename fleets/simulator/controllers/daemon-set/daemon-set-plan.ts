// Which Pods of a DaemonSet are created and deleted next. Pure.
import type { KubeObject } from "../../../../kube/object.ts";
import { isAvailable } from "../pod-availability.ts";
import { isBeingDeleted, isReady, isTerminal, podPhase } from "../pod-object.ts";
import { REVISION_LABEL } from "../revisions/controller-revisions.ts";
import {
  daemonSetSpec,
  isUpdatedPod,
  type NodeDecision,
  surgeLimit,
  targetNode,
  unavailableLimit,
} from "./daemon-set-spec.ts";

/** What decisions are made from. */
export interface DaemonSetView {
  readonly set: KubeObject;
  /** The hash of the present template's revision. */
  readonly hash: string;
  readonly nodes: readonly KubeObject[];
  readonly decide: (node: KubeObject) => NodeDecision;
  readonly podsByNode: ReadonlyMap<string, readonly KubeObject[]>;
  readonly nowMs: number;
}

export interface DaemonSetChanges {
  /** Nodes that get a Pod. */
  readonly create: readonly string[];
  readonly delete: readonly KubeObject[];
}

interface DaemonSetUpkeep extends DaemonSetChanges {
  /** Of those to delete, the ones that have failed or succeeded. */
  readonly ended: readonly { readonly pod: KubeObject; readonly node: string }[];
  /** Nodes whose failed Pods are let be for a while. */
  readonly heldBack: readonly string[];
}

/** The Pods of a DaemonSet by the node that they are on or meant for. */
export function podsByNode(pods: readonly KubeObject[]): Map<string, KubeObject[]> {
  const map = new Map<string, KubeObject[]>();
  for (const pod of pods) {
    const node = targetNode(pod);
    if (node === undefined) continue;
    const known = map.get(node);
    if (known === undefined) map.set(node, [pod]);
    else known.push(pod);
  }
  return map;
}

/** Whether nobody has anything to do with the Pod any more: it has ended and is on its way out. */
export function isOver(pod: KubeObject): boolean {
  return isTerminal(pod) && isBeingDeleted(pod);
}

/** Placed Pods first, then the older ones. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return (
    Number(!isPlaced(a)) - Number(!isPlaced(b)) ||
    Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") ||
    ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1)
  );
}

function isPlaced(pod: KubeObject): boolean {
  const { nodeName } = (pod["spec"] ?? {}) as { readonly nodeName?: string };
  return nodeName !== undefined && nodeName !== "";
}

/** Brings one Pod to each node that should have one, and takes away what should not be there. */
export function planUpkeep(view: DaemonSetView, isHeldBack: (node: string) => boolean): DaemonSetUpkeep {
  const create: string[] = [];
  const leaving: KubeObject[] = [];
  const ended: { pod: KubeObject; node: string }[] = [];
  const heldBack: string[] = [];
  for (const node of view.nodes) {
    const name = node.metadata.name ?? "";
    const { shouldRun, mayStay } = view.decide(node);
    const pods = view.podsByNode.get(name);
    if (shouldRun && pods === undefined) {
      create.push(name);
      continue;
    }
    const staying = (pods ?? []).filter((pod) => !isBeingDeleted(pod));
    if (!mayStay) {
      leaving.push(...staying);
      continue;
    }
    const running: KubeObject[] = [];
    let isHeld = isHeldBack(name);
    for (const pod of staying) {
      const phase = podPhase(pod);
      if (phase !== "Failed" && phase !== "Succeeded") {
        running.push(pod);
      } else if (phase === "Failed" && isHeld) {
        heldBack.push(name);
      } else {
        if (phase === "Failed") isHeld = true;
        ended.push({ pod, node: name });
        leaving.push(pod);
      }
    }
    running.sort(byAge);
    if (surgeLimit(view.set, 1) === 0) leaving.push(...running.slice(1));
    else if (running.length === 0 && shouldRun) create.push(name);
    else if (running.length > 1) leaving.push(...excessInSurge(view, running));
  }
  // Pods for nodes that are gone: nobody else would ever take them away.
  const names = new Set(view.nodes.map((node) => node.metadata.name ?? ""));
  for (const [node, pods] of view.podsByNode)
    if (!names.has(node)) leaving.push(...pods.filter((pod) => !isPlaced(pod)));
  return { create, delete: leaving, ended, heldBack };
}

/** While Pods surge, a node has the oldest one of the old template and the oldest one of the new, until the latter serves. */
function excessInSurge({ set, hash, nowMs }: DaemonSetView, running: readonly KubeObject[]): KubeObject[] {
  const isNew = (pod: KubeObject): boolean => pod.metadata.labels?.[REVISION_LABEL] === hash;
  const newest = running.find(isNew);
  const old = running.find((pod) => !isNew(pod));
  const excess = running.filter((pod) => pod !== newest && pod !== old);
  if (newest === undefined || old === undefined) return excess;
  const { minReadySeconds = 0 } = daemonSetSpec(set);
  return !isReady(old) || isAvailable(newest, minReadySeconds, nowMs) ? [...excess, old] : excess;
}

/** The old and the new Pod of a node; undefined when there are several of one sort. */
function pairOf(
  { set, hash }: DaemonSetView,
  pods: readonly KubeObject[],
): { readonly updated: KubeObject | undefined; readonly old: KubeObject | undefined } | undefined {
  const staying = pods.filter((pod) => !isBeingDeleted(pod));
  const [updated, ...moreUpdated] = staying.filter((pod) => isUpdatedPod(set, pod, hash));
  const [old, ...moreOld] = staying.filter((pod) => !isUpdatedPod(set, pod, hash));
  return moreUpdated.length > 0 || moreOld.length > 0 ? undefined : { updated, old };
}

/** The next step of a rolling update. The upkeep has nothing to do when this is asked. */
export function planRollingUpdate(view: DaemonSetView): DaemonSetChanges {
  const wanted = view.nodes.filter((node) => view.decide(node).shouldRun);
  const groups = new Map(view.podsByNode);
  for (const node of wanted) {
    const name = node.metadata.name ?? "";
    if (!groups.has(name)) groups.set(name, []);
  }
  const surge = surgeLimit(view.set, wanted.length);
  const unavailable = unavailableLimit(view.set, wanted.length);
  // As Kubernetes: neither surge nor unavailability would be a standstill.
  if (surge === 0) return planReplacement(view, groups, unavailable === 0 && wanted.length > 0 ? 1 : unavailable);
  return planSurge(view, groups, surge, wanted.length);
}

/** Deletes old Pods as far as the number of nodes without an available one allows; the upkeep creates their successors. */
function planReplacement(
  view: DaemonSetView,
  groups: ReadonlyMap<string, readonly KubeObject[]>,
  limit: number,
): DaemonSetChanges {
  const { minReadySeconds = 0 } = daemonSetSpec(view.set);
  const serves = (pod: KubeObject): boolean => isAvailable(pod, minReadySeconds, view.nowMs);
  let unavailable = 0;
  const useless: KubeObject[] = [];
  const candidates: KubeObject[] = [];
  for (const pods of groups.values()) {
    const pair = pairOf(view, pods);
    if (pair === undefined || (pair.old === undefined) === (pair.updated === undefined)) {
      unavailable++;
    } else if (pair.updated !== undefined) {
      if (!serves(pair.updated)) unavailable++;
    } else if (pair.old !== undefined && !serves(pair.old)) {
      useless.push(pair.old);
      unavailable++;
    } else if (pair.old !== undefined) {
      candidates.push(pair.old);
    }
  }
  const spare = Math.max(0, limit - unavailable);
  return { create: [], delete: [...useless, ...candidates.slice(0, spare)] };
}

/** Creates new Pods beside old ones, as many as may surge, and deletes old ones whose successors are available. */
function planSurge(
  view: DaemonSetView,
  groups: ReadonlyMap<string, readonly KubeObject[]>,
  limit: number,
  wanted: number,
): DaemonSetChanges {
  const { minReadySeconds = 0 } = daemonSetSpec(view.set);
  const serves = (pod: KubeObject): boolean => isAvailable(pod, minReadySeconds, view.nowMs);
  const nodes = new Map(view.nodes.map((node) => [node.metadata.name ?? "", node]));
  let surging = 0;
  let available = 0;
  const leaving: KubeObject[] = [];
  const misplaced: KubeObject[] = [];
  const needed: string[] = [];
  const candidates: string[] = [];
  for (const [name, pods] of groups) {
    const pair = pairOf(view, pods);
    if (pair === undefined) {
      surging++;
      continue;
    }
    const { old, updated } = pair;
    const serving = old ?? updated;
    if (serving !== undefined && serves(serving)) available++;
    if (old === undefined) continue;
    if (updated !== undefined) {
      if (serves(updated)) leaving.push(old);
      else surging++;
      continue;
    }
    const node = nodes.get(name);
    // Its node is gone, and the Pod will follow it.
    if (node === undefined) continue;
    const { shouldRun } = view.decide(node);
    if (!serves(old)) {
      if (shouldRun) needed.push(name);
      else leaving.push(old);
    } else if (shouldRun) {
      candidates.push(name);
    } else {
      misplaced.push(old);
    }
  }
  // Nodes that are to have no Pod any more keep theirs until enough others serve.
  const removable = Math.max(0, available - wanted);
  return {
    create: [...needed, ...candidates.slice(0, Math.max(0, limit - surging))],
    delete: [...leaving, ...misplaced.slice(0, removable)],
  };
}
