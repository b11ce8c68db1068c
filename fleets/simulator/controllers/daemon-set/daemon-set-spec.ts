// A DaemonSet's spec, which nodes it is for, and the Pods that it makes for them. Pure.

import { compileNodeChoice, type NodeChoice } from "../../../../kube/node-selectors.ts";
import { equalJson, isObject, type KubeObject } from "../../../../kube/object.ts";
import { firstUntolerated, keepsAway, type Taint, type Toleration } from "../../../../kube/taints.ts";
import { podFromTemplate, podTemplateOf } from "../pod-template.ts";
import { REVISION_LABEL } from "../revisions/controller-revisions.ts";

interface DaemonSetSpec {
  readonly updateStrategy?: {
    readonly type?: "RollingUpdate" | "OnDelete";
    readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string };
  };
  readonly minReadySeconds?: number;
  readonly revisionHistoryLimit?: number;
  readonly selector?: unknown;
}

interface PodSpec {
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: {
    readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeChoice["affinity"] };
  };
}

/** How often the template has changed, kept by the server; older clients went by it, and Pods still carry it. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
const GENERATION_LABEL = "pod-template-generation";

/** The set's `spec`. */
export function daemonSetSpec(set: KubeObject): DaemonSetSpec {
  // The server has checked the shape of what it stores.
  return (set["spec"] ?? {}) as DaemonSetSpec;
}

function podSpecOf(pod: KubeObject): PodSpec {
  return (pod["spec"] ?? {}) as PodSpec;
}

const ENDURED: readonly Toleration[] = [
  ["not-ready", "NoExecute"],
  ["unreachable", "NoExecute"],
  ["disk-pressure", "NoSchedule"],
  ["memory-pressure", "NoSchedule"],
  ["pid-pressure", "NoSchedule"],
  ["unschedulable", "NoSchedule"],
].map(([key, effect]) => ({ key: `node.kubernetes.io/${key}`, operator: "Exists", effect }));
const ENDURED_BY_HOST_NETWORK: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

/** The tolerations of a DaemonSet's Pod: those of its template, and those of a node's troubles. */
export function daemonTolerations(spec: Readonly<Record<string, unknown>>): readonly Toleration[] {
  const { tolerations = [], hostNetwork } = spec as PodSpec;
  const added = hostNetwork === true ? [...ENDURED, ENDURED_BY_HOST_NETWORK] : ENDURED;
  let all = tolerations;
  for (const each of added) {
    const isSame = (other: Toleration): boolean =>
      other.key === each.key &&
      other.effect === each.effect &&
      other.operator === each.operator &&
      (other.value ?? "") === "";
    all = all.some(isSame) ? all.map((other) => (isSame(other) ? each : other)) : [...all, each];
  }
  return all;
}

export interface NodeDecision {
  /** Whether a Pod is to be there. */
  readonly shouldRun: boolean;
  /** Whether a Pod that is there may stay. */
  readonly mayStay: boolean;
}

/** A test of nodes for one DaemonSet; making it costs more than asking it. */
export function nodeTest(set: KubeObject): (node: KubeObject) => NodeDecision {
  const spec = (podTemplateOf(set).spec ?? {}) as PodSpec;
  const tolerations = daemonTolerations(podTemplateOf(set).spec ?? {});
  const fits = compileNodeChoice({
    nodeSelector: spec.nodeSelector,
    affinity: spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
  });
  return (node) => {
    const { name = "", labels = {} } = node.metadata;
    const isNamed = spec.nodeName === undefined || spec.nodeName === "" || spec.nodeName === name;
    if (!isNamed || fits?.({ name, labels }) === false) return { shouldRun: false, mayStay: false };
    const taints = taintsOf(node);
    if (firstUntolerated(taints.filter(keepsAway), tolerations) === undefined)
      return { shouldRun: true, mayStay: true };
    const drives = taints.filter((taint) => taint.effect === "NoExecute");
    return { shouldRun: false, mayStay: firstUntolerated(drives, tolerations) === undefined };
  };
}

function taintsOf(node: KubeObject): readonly Taint[] {
  const spec = isObject(node["spec"]) ? node["spec"] : {};
  return Array.isArray(spec["taints"]) ? (spec["taints"] as Taint[]) : [];
}

/** Whether a node changed in what DaemonSets look at. */
export function isNodeAltered(before: KubeObject, after: KubeObject): boolean {
  return !equalJson(before.metadata.labels, after.metadata.labels) || !equalJson(taintsOf(before), taintsOf(after));
}

/** The Pod of a DaemonSet for one node; its affinity, not its nodeName, leads it there. */
export function newDaemonPod(set: KubeObject, node: string, hash: string): KubeObject {
  const pod = podFromTemplate(set, podTemplateOf(set));
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  const affinity = isObject(spec["affinity"]) ? spec["affinity"] : {};
  const nodeAffinity = isObject(affinity["nodeAffinity"]) ? affinity["nodeAffinity"] : {};
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  const generation = templateGeneration(set);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
        [REVISION_LABEL]: hash,
      },
    },
    spec: {
      ...spec,
      tolerations: daemonTolerations(spec),
      affinity: {
        ...affinity,
        nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
      },
    },
  };
}

function templateGeneration(set: KubeObject): string | undefined {
  const text = set.metadata.annotations?.[TEMPLATE_GENERATION];
  return text !== undefined && /^[+-]?[0-9]+$/.test(text) ? String(BigInt(text)) : undefined;
}

/** Whether a Pod is of the present template. */
export function isUpdatedPod(set: KubeObject, pod: KubeObject, hash: string): boolean {
  const labels = pod.metadata.labels ?? {};
  const generation = templateGeneration(set);
  return labels[REVISION_LABEL] === hash || (generation !== undefined && labels[GENERATION_LABEL] === generation);
}

/** The node that a Pod of a DaemonSet is on or meant for; undefined when it says none. */
export function targetNode(pod: KubeObject): string | undefined {
  const { nodeName, affinity } = podSpecOf(pod);
  if (nodeName !== undefined && nodeName !== "") return nodeName;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const term of required?.nodeSelectorTerms ?? []) {
    for (const { key, operator, values = [] } of term.matchFields ?? [])
      if (key === "metadata.name" && operator === "In") return values.length === 1 ? values[0] : undefined;
  }
  return undefined;
}

/** A number, or a share of `total` rounded up. */
function scaledUp(value: number | string | undefined, total: number): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const percent = /^([0-9]+)%$/.exec(value)?.[1];
  return percent === undefined ? 0 : Math.ceil((Number(percent) * total) / 100);
}

/** How many Pods a node may have beyond the one that is replaced, of `total` nodes. */
export function surgeLimit(set: KubeObject, total: number): number {
  const { updateStrategy } = daemonSetSpec(set);
  return updateStrategy?.type === "RollingUpdate" ? scaledUp(updateStrategy.rollingUpdate?.maxSurge, total) : 0;
}

/** How many nodes of `total` may be without an available Pod during an update. */
export function unavailableLimit(set: KubeObject, total: number): number {
  const { updateStrategy } = daemonSetSpec(set);
  return updateStrategy?.type === "RollingUpdate" ? scaledUp(updateStrategy.rollingUpdate?.maxUnavailable, total) : 0;
}
