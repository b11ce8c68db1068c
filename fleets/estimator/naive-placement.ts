// An independent, naive model of one cluster for tests: pods are put on nodes one by one, with exact arithmetic.
import type { Component, NodeClaim, ReplicaRequirements } from "../../api/work.ts";
import { isObject, type KubeObject } from "../../kube/object.ts";
import { compareQuantities, parseQuantity, type Quantity, subtractQuantities } from "../../kube/quantity.ts";

type Room = Map<string, Quantity>;

interface NaiveNode {
  readonly object: KubeObject;
  readonly room: Room;
}

const COUNTED = ["cpu", "memory", "ephemeral-storage", "example.com/gpu"];

export class NaiveCluster {
  readonly #nodes: readonly NaiveNode[];

  /** Nodes are tried in the order given. */
  constructor(nodes: readonly KubeObject[], pods: readonly KubeObject[]) {
    this.#nodes = nodes.map((object) => ({ object, room: allocatableOf(object) }));
    for (const pod of pods) {
      const spec = pod["spec"] as {
        nodeName?: string;
        containers: { resources: { requests: Record<string, string> } }[];
      };
      const phase = (pod["status"] as { phase?: string }).phase;
      const node = this.#nodes.find(({ object }) => object.metadata.name === spec.nodeName);
      if (node === undefined || phase === "Failed" || phase === "Succeeded") continue;
      for (const container of spec.containers)
        for (const [name, text] of Object.entries(container.resources.requests)) take(node.room, name, text);
      take(node.room, "pods", "1");
    }
  }

  /** Puts replicas on any node until none takes another. */
  fillWith(requirements: ReplicaRequirements | undefined): number {
    for (let count = 0; ; count++) if (!this.#placeOne(requirements)) return count;
  }

  /** Puts sets of components on nodes until a replica finds no place. */
  fillWithSets(components: readonly Component[], limit: number): number {
    for (let sets = 0; sets < limit; sets++) {
      for (const component of components)
        for (let replica = 0; replica < component.replicas; replica++)
          if (!this.#placeOne(component.replicaRequirements)) return sets;
    }
    return limit;
  }

  #placeOne(requirements: Omit<ReplicaRequirements, "namespace"> | undefined): boolean {
    const requests = Object.entries(requirements?.resourceRequest ?? {}).map(
      ([name, text]) => [name, String(text)] as const,
    );
    const node = this.#nodes.find(
      ({ object, room }) =>
        isAllowed(object, requirements?.nodeClaim ?? {}) &&
        fits(room, "pods", "1") &&
        requests.every(([name, text]) => fits(room, name, text)),
    );
    if (node === undefined) return false;
    take(node.room, "pods", "1");
    for (const [name, text] of requests) take(node.room, name, text);
    return true;
  }
}

function allocatableOf(node: KubeObject): Room {
  const status = isObject(node["status"]) ? node["status"] : {};
  return new Map(
    Object.entries(status["allocatable"] as Record<string, string>).map(([name, text]) => [name, parseQuantity(text)]),
  );
}

const NOTHING = parseQuantity("0");

function fits(room: Room, name: string, text: string): boolean {
  if (name !== "pods" && !COUNTED.includes(name)) return true;
  const asked = parseQuantity(text);
  return compareQuantities(asked, NOTHING) <= 0 || compareQuantities(room.get(name) ?? NOTHING, asked) >= 0;
}

function take(room: Room, name: string, text: string): void {
  const left = room.get(name);
  if (left !== undefined) room.set(name, subtractQuantities(left, parseQuantity(text)));
}

function isAllowed(node: KubeObject, claim: NodeClaim): boolean {
  const spec = node["spec"] as { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  const labels = node.metadata.labels ?? {};
  const taints = [
    ...(spec.taints ?? []),
    ...(spec.unschedulable === true ? [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] : []),
  ].filter((taint) => taint.effect !== "PreferNoSchedule");
  const tolerations = claim.tolerations ?? [];
  const tolerated = taints.every((taint) =>
    tolerations.some(
      ({ key = "", operator = "Equal", value = "", effect = "" }) =>
        (effect === "" || effect === taint.effect) &&
        (key === "" ? operator === "Exists" : key === taint.key) &&
        (operator === "Exists" || value === ("value" in taint ? taint.value : "")),
    ),
  );
  const selected = Object.entries(claim.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const terms = claim.hardNodeAffinity?.nodeSelectorTerms;
  const affine =
    terms === undefined ||
    terms.some((term) =>
      (term.matchExpressions ?? []).every(({ key, operator, values = [] }) =>
        operator === "In" ? values.includes(labels[key] ?? "") : !values.includes(labels[key] ?? ""),
      ),
    );
  return tolerated && selected && affine;
}
