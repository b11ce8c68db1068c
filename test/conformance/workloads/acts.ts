// Does what a script says, through the API of any cluster.
import { ApiStatusError } from "../../../kube/client/status-error.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { Act, NodeChoice, ScriptRef, Taint } from "./script.ts";
import type { WorkloadTarget } from "./target.ts";

/** kubectl asks again after 5 seconds for an eviction that a budget forbids; here it need not be that patient. */
const EVICT_AGAIN_MS = 500;

/** Between two requests of a client; a simulated cluster has no network that would take this long. */
export const BETWEEN_REQUESTS_MS = 10;

/** Does one act in a namespace and answers in a word or a sentence what the server said to it. */
export async function doAct(target: WorkloadTarget, namespace: string, act: Act): Promise<string> {
  try {
    return (await carryOut(target, namespace, act)) ?? "done";
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    const { code, reason, message } = error.status;
    return `${code} ${reason}: ${message}`;
  }
}

async function carryOut(target: WorkloadTarget, namespace: string, act: Act): Promise<string | undefined> {
  const { client } = target;
  switch (act.do) {
    case "create":
      await client.create(placed(act.object, namespace));
      return undefined;
    case "patch":
      await client.patch(
        refIn(namespace, act.object),
        act.patch,
        act.type ?? "merge",
        act.subresource === undefined ? {} : { subresource: act.subresource },
      );
      return undefined;
    case "delete":
      await client.delete(refIn(namespace, act.object), {
        propagationPolicy: act.propagation ?? "Background",
      });
      return undefined;
    case "delete-pods": {
      const grace = act.graceSeconds === undefined ? {} : { gracePeriodSeconds: act.graceSeconds };
      for (const pod of await podsWith(target, namespace, act.labels, act.count)) {
        await client.raw("DELETE", podPath(pod), { apiVersion: "v1", kind: "DeleteOptions", ...grace });
        await target.pass(BETWEEN_REQUESTS_MS);
      }
      return undefined;
    }
    case "evict": {
      const answers: string[] = [];
      for (const pod of await podsWith(target, namespace, act.labels, act.count)) {
        answers.push(await evict(target, pod));
        await target.pass(BETWEEN_REQUESTS_MS);
      }
      return answers.join("; ");
    }
    case "roll-back":
      return rollBack(target, namespace, act.deployment, act.toRevision);
    case "drain":
      return drain(target, namespace, await nodeOf(target, namespace, act.node), act.withinMs);
    case "cordon":
    case "uncordon": {
      const name = await nodeOf(target, namespace, act.node);
      await client.patch(nodeRef(name), { spec: { unschedulable: act.do === "cordon" ? true : null } }, "strategic");
      return undefined;
    }
    case "taint":
    case "untaint":
      await setTaint(target, await nodeOf(target, namespace, act.node), act.taint, act.do === "taint");
      return undefined;
    case "label-node":
      await client.patch(
        nodeRef(await nodeOf(target, namespace, act.node)),
        { metadata: { labels: act.labels } },
        "merge",
      );
      return undefined;
    case "add-node":
      await addNode(target, act.name, act);
      return undefined;
    case "remove-node":
      await client.delete(nodeRef(act.name));
      return undefined;
    case "wait":
      await target.pass(act.ms);
      return undefined;
    case "wait-for-second":
      await target.pass((60_000 + act.second * 1000 - (target.now() % 60_000)) % 60_000);
      return undefined;
  }
}

function placed(object: KubeObject, namespace: string): KubeObject {
  return CLUSTER_KINDS.has(object.kind) ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

const CLUSTER_KINDS: ReadonlySet<string> = new Set(["PersistentVolume", "StorageClass", "PriorityClass"]);

function refIn(namespace: string, ref: ScriptRef): ScriptRef & { readonly namespace?: string } {
  return CLUSTER_KINDS.has(ref.kind) ? ref : { ...ref, namespace };
}

function nodeRef(name: string): ScriptRef {
  return { apiVersion: "v1", kind: "Node", name };
}

function podPath({ metadata }: KubeObject): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

async function podsWith(
  { client }: WorkloadTarget,
  namespace: string,
  labelSelector: string,
  count: number,
): Promise<KubeObject[]> {
  const { items } = await client.list("v1", "Pod", { namespace, labelSelector });
  const present = items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  return present.sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)).slice(0, count);
}

/** Steps are seconds apart, so Pods of different steps never change places; those of one step are alike. */
function ageOf({ metadata }: KubeObject): string {
  return `${metadata.creationTimestamp} ${metadata.name}`;
}

function nodeNameOf(pod: KubeObject): string | undefined {
  const name = isObject(pod["spec"]) ? pod["spec"]["nodeName"] : undefined;
  return typeof name === "string" ? name : undefined;
}

async function nodeOf(target: WorkloadTarget, namespace: string, choice: NodeChoice): Promise<string> {
  if (typeof choice === "number") {
    const { items } = await target.client.list("v1", "Node");
    const name = items.map((node) => node.metadata.name ?? "").sort()[choice];
    if (name === undefined) throw new Error(`the cluster has ${items.length} nodes, so there is no node ${choice}`);
    return name;
  }
  const [pod] = await podsWith(target, namespace, choice.runs, 1);
  const name = pod === undefined ? undefined : nodeNameOf(pod);
  if (name === undefined) throw new Error(`no node runs a Pod with the labels ${choice.runs}`);
  return name;
}

async function evict({ client }: WorkloadTarget, pod: KubeObject): Promise<string> {
  const { name, namespace } = pod.metadata;
  try {
    await client.raw("POST", `${podPath(pod)}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace },
    });
    return "evicted";
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    const { code, reason, message, details } = error.status as typeof error.status & { details?: unknown };
    return `${code} ${reason}: ${message} ${JSON.stringify(details ?? null)}`;
  }
}

async function drain(target: WorkloadTarget, namespace: string, node: string, withinMs: number): Promise<string> {
  const end = target.now() + withinMs;
  await target.client.patch(nodeRef(node), { spec: { unschedulable: true } }, "strategic");
  const evicted = new Set<string>();
  for (;;) {
    const { items } = await target.client.list("v1", "Pod", { namespace });
    const there = items.filter(
      (pod) => nodeNameOf(pod) === node && pod.metadata.ownerReferences?.[0]?.kind !== "DaemonSet",
    );
    if (there.length === 0) return "drained";
    if (target.now() > end) return `not drained: ${there.length} left`;
    for (const pod of there) {
      const uid = pod.metadata.uid ?? "";
      if (!evicted.has(uid) && (await evict(target, pod)) === "evicted") evicted.add(uid);
    }
    await target.pass(EVICT_AGAIN_MS);
  }
}

async function setTaint({ client }: WorkloadTarget, node: string, taint: Taint, present: boolean): Promise<void> {
  const { spec } = await client.get(nodeRef(node));
  const taints = isObject(spec) && Array.isArray(spec["taints"]) ? (spec["taints"] as Taint[]) : [];
  const others = taints.filter(({ key, effect }) => key !== taint.key || effect !== taint.effect);
  await client.patch(nodeRef(node), { spec: { taints: present ? [...others, taint] : others } }, "merge");
}

async function addNode(
  { client }: WorkloadTarget,
  name: string,
  options: Extract<Act, { do: "add-node" }>,
): Promise<void> {
  const capacity = { cpu: options.cpu ?? "16", memory: "64Gi", pods: "110" };
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  const created = await client.create({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { ...labels, ...options.labels },
      annotations: { "kwok.x-k8s.io/node": "fake" },
    },
    ...(options.taints === undefined ? {} : { spec: { taints: options.taints } }),
  });
  await client.patch(nodeRef(created.metadata.name ?? ""), { status: { capacity, allocatable: capacity } }, "merge", {
    subresource: "status",
  });
}

/** As kubectl: the template of the ReplicaSet with that revision, without its hash, and the annotations that it had. */
async function rollBack(
  { client }: WorkloadTarget,
  namespace: string,
  name: string,
  toRevision: number,
): Promise<string | undefined> {
  const deployment = await client.get({ apiVersion: "apps/v1", kind: "Deployment", namespace, name });
  const { items } = await client.list("apps/v1", "ReplicaSet", { namespace });
  const owned = items
    .filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid))
    .sort((a, b) => revisionOf(a) - revisionOf(b));
  const set = toRevision === 0 ? owned.at(-2) : owned.find((each) => revisionOf(each) === toRevision);
  if (set === undefined) return "no such revision";
  const { template } = set["spec"] as { template: { metadata: { labels: Record<string, string> } } };
  const { "pod-template-hash": _, ...labels } = template.metadata.labels;
  const path = "/spec/template";
  const value = { ...template, metadata: { ...template.metadata, labels } };
  await client.patch(
    { apiVersion: "apps/v1", kind: "Deployment", namespace, name },
    [{ op: "replace", path, value }],
    "json",
  );
  return undefined;
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
}
