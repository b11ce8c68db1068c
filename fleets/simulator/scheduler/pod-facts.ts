// What the scheduler needs to know of a Pod, read once.
import { compileNodeChoice, type NodeTerm, type SelectableNode } from "../../../kube/node-selectors.ts";
import { equalJson, isObject, type KubeObject } from "../../../kube/object.ts";
import type { Toleration } from "../../../kube/taints.ts";
import type { Amounts } from "../../estimator/amounts.ts";
import { podAmounts } from "../../estimator/pod-amounts.ts";
import { type AffinityTerms, type Labels, listOf, readAffinityTerms } from "./affinity-terms.ts";
import { readSpreadConstraints, type SpreadConstraints } from "./spread-constraints.ts";

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

interface PreferredNodes {
  readonly weight: number;
  readonly matches: (node: SelectableNode) => boolean;
}

/** What the scheduler looks at of a Pod. */
export interface PodFacts {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly object: KubeObject;
  readonly namespace: string;
  readonly labels: Labels;
  readonly nodeName: string | undefined;
  /** The node that is being made free for it. */
  readonly nominatedNode: string | undefined;
  readonly isTerminating: boolean;
  /** Whether it has ended: it takes no room any more. */
  readonly isFinished: boolean;
  readonly startMs: number;
  readonly spec: PodSpecFacts;
}

/** The part that does not change while a Pod runs. */
interface PodSpecFacts {
  readonly amounts: Amounts;
  /** With 100m of processor and 200 MB of memory for each container that asks for none: for scores. */
  readonly nonZero: Amounts;
  readonly hostPorts: readonly HostPort[];
  readonly tolerations: readonly Toleration[];
  /** Undefined when every node will do. */
  readonly chosen: ((node: SelectableNode) => boolean) | undefined;
  /** Nodes that the required affinity names by their name; undefined when it does not. */
  readonly namedNodes: ReadonlySet<string> | undefined;
  readonly preferredNodes: readonly PreferredNodes[];
  readonly affinity: AffinityTerms;
  readonly antiAffinity: AffinityTerms;
  readonly spread: SpreadConstraints;
  readonly priority: number;
  readonly mayPreempt: boolean;
  readonly isGated: boolean;
  readonly schedulerName: string;
  /** The claims of its volumes. */
  readonly claims: readonly string[];
}

/** Reads a Pod. `known` is what was known of the same Pod before; its spec is not read again when it is the same. */
export function readPod(pod: KubeObject, known?: PodFacts): PodFacts {
  const { namespace = "", name = "", labels = {}, uid = "" } = pod.metadata;
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const isSame = known !== undefined && known.uid === uid && isSameSpec(known, pod, spec, labels);
  const start = status["startTime"];
  return {
    key: `${namespace}/${name}`,
    uid,
    object: pod,
    namespace,
    labels,
    nodeName: textOf(spec["nodeName"]),
    nominatedNode: textOf(status["nominatedNodeName"]),
    isTerminating: pod.metadata.deletionTimestamp !== undefined,
    isFinished: status["phase"] === "Succeeded" || status["phase"] === "Failed",
    startMs: typeof start === "string" ? Date.parse(start) : Number.POSITIVE_INFINITY,
    spec: isSame ? known.spec : readSpec(spec, namespace, labels),
  };
}

/** The fields of a running Pod's spec that may change, and the labels that its terms refer to. */
function isSameSpec(
  known: PodFacts,
  pod: KubeObject,
  spec: Readonly<Record<string, unknown>>,
  labels: Labels,
): boolean {
  const { generation } = known.object.metadata;
  const before = known.object["spec"] as Readonly<Record<string, unknown>>;
  if (!equalJson(labels, known.labels)) return false;
  // Being bound is the one change of a spec that its generation does not tell, and changes nothing here.
  if (before === spec || (generation !== undefined && generation === pod.metadata.generation)) return true;
  return equalJson({ ...before, nodeName: spec["nodeName"] }, spec);
}

function readSpec(spec: Readonly<Record<string, unknown>>, namespace: string, labels: Labels): PodSpecFacts {
  const affinity = isObject(spec["affinity"]) ? spec["affinity"] : {};
  const nodeAffinity = isObject(affinity["nodeAffinity"]) ? affinity["nodeAffinity"] : {};
  const required = nodeAffinity["requiredDuringSchedulingIgnoredDuringExecution"];
  const terms = isObject(required) ? (listOf(required["nodeSelectorTerms"]) as readonly NodeTerm[]) : undefined;
  return {
    amounts: { ...podAmounts(spec, "kubernetes"), pods: 1 },
    nonZero: podAmounts(withLeastRequests(spec), "kubernetes"),
    hostPorts: readHostPorts(spec),
    tolerations: listOf(spec["tolerations"]) as readonly Toleration[],
    chosen: compileNodeChoice({
      nodeSelector: isObject(spec["nodeSelector"]) ? (spec["nodeSelector"] as Record<string, string>) : undefined,
      affinity: terms === undefined ? undefined : { nodeSelectorTerms: terms },
    }),
    namedNodes: terms === undefined ? undefined : readNamedNodes(terms),
    preferredNodes: listOf(nodeAffinity["preferredDuringSchedulingIgnoredDuringExecution"]).flatMap(readPreferred),
    affinity: readAffinityTerms(affinity["podAffinity"], namespace, labels),
    antiAffinity: readAffinityTerms(affinity["podAntiAffinity"], namespace, labels),
    spread: readSpreadConstraints(spec["topologySpreadConstraints"], labels),
    priority: typeof spec["priority"] === "number" ? spec["priority"] : 0,
    mayPreempt: spec["preemptionPolicy"] !== "Never",
    isGated: listOf(spec["schedulingGates"]).length > 0,
    schedulerName: textOf(spec["schedulerName"]) ?? "default-scheduler",
    claims: listOf(spec["volumes"]).flatMap((volume) => {
      const claim = isObject(volume["persistentVolumeClaim"]) ? volume["persistentVolumeClaim"] : undefined;
      return claim === undefined ? [] : [String(claim["claimName"] ?? "")];
    }),
  };
}

/** As Kubernetes counts for its scores: nobody runs on nothing. */
const LEAST_REQUESTS = { cpu: "100m", memory: String(200 * 1024 * 1024) };

function withLeastRequests(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fill = (container: Record<string, unknown>): Record<string, unknown> => {
    const resources = isObject(container["resources"]) ? container["resources"] : {};
    const requests = isObject(resources["requests"]) ? resources["requests"] : {};
    return { ...container, resources: { ...resources, requests: { ...LEAST_REQUESTS, ...requests } } };
  };
  return {
    ...spec,
    containers: listOf(spec["containers"]).map(fill),
    initContainers: listOf(spec["initContainers"]).map(fill),
  };
}

/** Ports of the node that containers and sidecars ask for. */
function readHostPorts(spec: Readonly<Record<string, unknown>>): HostPort[] {
  const sidecars = listOf(spec["initContainers"]).filter((container) => container["restartPolicy"] === "Always");
  return [...listOf(spec["containers"]), ...sidecars].flatMap((container) =>
    listOf(container["ports"]).flatMap((port) => {
      const number = Number(port["hostPort"] ?? 0);
      if (number <= 0) return [];
      return [{ ip: textOf(port["hostIP"]) ?? "0.0.0.0", protocol: textOf(port["protocol"]) ?? "TCP", port: number }];
    }),
  );
}

/** Only when each of the terms names nodes. */
function readNamedNodes(terms: readonly NodeTerm[]): ReadonlySet<string> | undefined {
  if (terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    let names: Set<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== "metadata.name" || operator !== "In") continue;
      const these = new Set(values);
      names = names === undefined ? these : names.intersection(these);
    }
    if (names === undefined) return undefined;
    for (const name of names) all.add(name);
  }
  return all;
}

/** As Kubernetes: a preference without a weight or without any expression is none. */
function readPreferred(term: Readonly<Record<string, unknown>>): PreferredNodes[] {
  const weight = Number(term["weight"] ?? 0);
  const preference = isObject(term["preference"]) ? (term["preference"] as NodeTerm) : {};
  const matches = compileNodeChoice({ affinity: { nodeSelectorTerms: [preference] } });
  return weight === 0 || matches === undefined ? [] : [{ weight, matches }];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
