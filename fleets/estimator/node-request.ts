// What one replica asks of a node, read once for all nodes of all clusters.
import type { Component, NodeClaim, ReplicaRequirements } from "../../api/work.ts";
import { compileNodeChoice, type SelectableNode } from "../../kube/node-selectors.ts";
import { firstUntolerated, keepsAway, type Taint, type Toleration } from "../../kube/taints.ts";
import { AppError } from "../../runtime/errors.ts";
import { type Amounts, maxAmounts, NO_AMOUNTS, readAmounts } from "./amounts.ts";

/** What decides whether a pod may run on a node, beside its room. */
export interface NodeTraits extends SelectableNode {
  readonly taints: readonly Taint[];
  readonly unschedulable: boolean;
}

export interface NodeRequest {
  /** One pod and what it asks for, nowhere less than nothing. */
  readonly amounts: Amounts;
  /** Whether a replica may run on the node at all. */
  accepts(node: NodeTraits): boolean;
}

/** One component of a workload, and how many replicas of it make a set. */
export interface ComponentRequest extends NodeRequest {
  readonly replicas: number;
}

/** The taint that stands for `spec.unschedulable`. */
const CORDONED: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export function readNodeRequest(requirements: Omit<ReplicaRequirements, "namespace"> | undefined): NodeRequest {
  const claim: NodeClaim = requirements?.nodeClaim ?? {};
  const chosen = compileNodeChoice({ nodeSelector: claim.nodeSelector, affinity: claim.hardNodeAffinity });
  const tolerations: readonly Toleration[] = claim.tolerations ?? [];
  const toleratesCordon = firstUntolerated([CORDONED], tolerations) === undefined;
  return {
    amounts: readRequestedAmounts(requirements?.resourceRequest),
    accepts: (node) =>
      (!node.unschedulable || toleratesCordon) &&
      (chosen === undefined || chosen(node)) &&
      // Nodes without taints are the rule.
      (node.taints.length === 0 || firstUntolerated(node.taints.filter(keepsAway), tolerations) === undefined),
  };
}

/** Requests below nothing are requests of nothing. */
function readRequestedAmounts(list: ReplicaRequirements["resourceRequest"]): Amounts {
  const { scalars, ...native } = maxAmounts(readAmounts(list), NO_AMOUNTS);
  const asked = [...(scalars ?? [])].filter(([, amount]) => amount > 0);
  return { ...native, pods: 1, scalars: asked.length === 0 ? undefined : new Map(asked) };
}

/** Throws `estimate-invalid` for a negative number of replicas: nothing sensible follows from it. */
export function readComponentRequests(components: readonly Component[]): readonly ComponentRequest[] {
  return components.map((component) => {
    const { replicas, name, replicaRequirements } = component;
    if (!Number.isInteger(replicas) || replicas < 0) {
      throw new AppError("estimate-invalid", `component "${name}" asks for ${replicas} replicas`, {
        recovery: "stall",
      });
    }
    return { ...readNodeRequest(replicaRequirements), replicas };
  });
}
