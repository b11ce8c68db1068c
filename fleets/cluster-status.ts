// What a member cluster says of itself: health, version, APIs, nodes and capacity.
import type { APIEnablement, ClusterStatus, ResourceSummary } from "../api/cluster.ts";
import type { Discovery, ResourceInfo } from "../kube/client/rest-mapper.ts";
import { isNotFound, isUnreachable } from "../kube/client/status-error.ts";
import { type Condition, formatApiVersion, isObject, type KubeObject } from "../kube/object.ts";
import { addQuantities, compareQuantities, formatQuantity, multiplyQuantity, parseQuantity } from "../kube/quantity.ts";
import type { Probe } from "./cluster-health.ts";
import type { Member } from "./member.ts";

/** Asks the health end point; servers without /readyz are asked for /healthz. */
export async function probe(member: Member, signal: AbortSignal): Promise<Probe> {
  try {
    for (const path of ["/readyz", "/healthz"]) {
      const answer = await member.client.transport({ method: "GET", path, signal });
      if (answer.status === 404) continue;
      return answer.status === 200 ? "healthy" : "unhealthy";
    }
    return "unhealthy";
  } catch (error) {
    if (isNotFound(error)) return "unhealthy";
    if (isUnreachable(error) || signal.aborted) return "offline";
    throw error;
  }
}

/** What was asked of a cluster's discovery: undefined when it did not answer. */
export type SeenApis = Discovery | undefined;

export interface Enablements {
  readonly apiEnablements: APIEnablement[];
  readonly condition: Pick<Condition, "type" | "status" | "reason" | "message">;
}

/**
 * What a cluster offers, and whether that is all. As Karmada: APIs of aggregated servers that do not answer are left out
 * and the rest is called partial, so that nothing that uses them is moved away. Differs from Karmada: when discovery
 * fails as a whole, what was published before stays.
 */
export function enablementsOf(seen: SeenApis, published: readonly APIEnablement[]): Enablements {
  const stale = new Set(seen?.stale);
  const answered = (seen?.resources ?? []).filter(({ group, version }) => !stale.has(formatApiVersion(group, version)));
  const list = seen === undefined ? [...published] : apiEnablements(answered);
  const type = "CompleteAPIEnablements";
  if (list.length === 0) {
    const message = "collected empty APIEnablements from the cluster";
    return { apiEnablements: list, condition: { type, status: "False", reason: "Empty", message } };
  }
  if (seen === undefined || stale.size > 0) {
    const message = `might collect partial APIEnablements(${list.length}) from the cluster`;
    return { apiEnablements: list, condition: { type, status: "False", reason: "Partial", message } };
  }
  const message = "collected complete APIEnablements from the cluster";
  return { apiEnablements: list, condition: { type, status: "True", reason: "Complete", message } };
}

/** The APIs of a cluster in the form of `status.apiEnablements`: sorted by group version, then resource name. */
export function apiEnablements(resources: readonly ResourceInfo[]): APIEnablement[] {
  const byGroupVersion = new Map<string, { kind: string; name: string }[]>();
  for (const { group, version, kind, plural } of resources) {
    const groupVersion = formatApiVersion(group, version);
    const list = byGroupVersion.get(groupVersion) ?? [];
    list.push({ kind, name: plural });
    byGroupVersion.set(groupVersion, list);
  }
  return [...byGroupVersion.keys()].sort().map((groupVersion) => ({
    groupVersion,
    resources: (byGroupVersion.get(groupVersion) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
}

/** What is kept of a node or pod: the numbers that capacity is made of. */
export interface NodeFacts {
  readonly ready: boolean;
  readonly allocatable: Readonly<Record<string, string>>;
}

export interface PodFacts {
  readonly bound: boolean;
  readonly finished: boolean;
  readonly requests: Readonly<Record<string, string>>;
}

export function nodeFacts(node: KubeObject): NodeFacts {
  const status = isObject(node["status"]) ? node["status"] : {};
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"] : [];
  return {
    ready: conditions.some((c: unknown) => isObject(c) && c["type"] === "Ready" && c["status"] === "True"),
    // Quantities of a node are strings in every server's answer.
    allocatable: (isObject(status["allocatable"]) ? status["allocatable"] : {}) as Record<string, string>,
  };
}

export function podFacts(pod: KubeObject): PodFacts {
  const spec = isObject(pod["spec"]) ? pod["spec"] : {};
  const status = isObject(pod["status"]) ? pod["status"] : {};
  const phase = status["phase"];
  return {
    bound: typeof spec["nodeName"] === "string" && spec["nodeName"] !== "",
    finished: phase === "Succeeded" || phase === "Failed",
    requests: podRequests(spec),
  };
}

/** What a pod asks for, by its spec: containers summed, at least each init container, plus overhead. */
export function podRequests(spec: Readonly<Record<string, unknown>>): Record<string, string> {
  let requests: Record<string, string> = {};
  for (const container of containersOf(spec["containers"])) requests = addLists(requests, requestsOf(container));
  for (const container of containersOf(spec["initContainers"])) requests = maxLists(requests, requestsOf(container));
  if (isObject(spec["overhead"])) requests = addLists(requests, spec["overhead"] as Record<string, string>);
  return requests;
}

function containersOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function requestsOf(container: Record<string, unknown>): Record<string, string> {
  const resources = isObject(container["resources"]) ? container["resources"] : {};
  return (isObject(resources["requests"]) ? resources["requests"] : {}) as Record<string, string>;
}

function addLists(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): Record<string, string> {
  const sum: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const known = sum[name];
    sum[name] =
      known === undefined ? amount : formatQuantity(addQuantities(parseQuantity(known), parseQuantity(amount)));
  }
  return sum;
}

function maxLists(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): Record<string, string> {
  const max: Record<string, string> = { ...a };
  for (const [name, amount] of Object.entries(b)) {
    const known = max[name];
    if (known === undefined || compareQuantities(parseQuantity(amount), parseQuantity(known)) > 0) max[name] = amount;
  }
  return max;
}

/** Most pods of a cluster share their facts with others. */
export function countEach<T>(items: Iterable<T>): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

function multiplyList(list: Readonly<Record<string, string>>, factor: number): Readonly<Record<string, string>> {
  if (factor === 1) return list;
  const times = (amount: string): string => formatQuantity(multiplyQuantity(parseQuantity(amount), factor));
  return Object.fromEntries(Object.entries(list).map(([name, amount]) => [name, times(amount)]));
}

/** Adds up capacity as Karmada does: all nodes' allocatable; requests of bound and of waiting pods, with pod counts. */
export function summarize(
  nodes: Iterable<NodeFacts>,
  pods: Iterable<PodFacts>,
): Pick<ClusterStatus, "nodeSummary" | "resourceSummary"> {
  let total = 0;
  let ready = 0;
  let allocatable: Record<string, string> = {};
  for (const node of nodes) {
    total++;
    if (node.ready) ready++;
    allocatable = addLists(allocatable, node.allocatable);
  }
  const groups = {
    allocated: { list: {} as Record<string, string>, count: 0 },
    allocating: { list: {} as Record<string, string>, count: 0 },
  };
  for (const [pod, count] of countEach(pods)) {
    if (pod.bound && pod.finished) continue;
    const group = pod.bound ? groups.allocated : groups.allocating;
    group.list = addLists(group.list, multiplyList(pod.requests, count));
    group.count += count;
  }
  const summary: ResourceSummary = {
    allocatable,
    allocated: { ...groups.allocated.list, pods: String(groups.allocated.count) },
    allocating: { ...groups.allocating.list, pods: String(groups.allocating.count) },
  };
  return { nodeSummary: { totalNum: total, readyNum: ready }, resourceSummary: summary };
}
