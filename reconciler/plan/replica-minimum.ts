// How many replicas a workload must keep, by the PodDisruptionBudgets of its namespace.
import { isObject, type KubeObject } from "../../kube/object.ts";
import { type LabelSelector, matchesLabelSelector } from "../../kube/selectors.ts";
import type { World } from "./world.ts";

export interface ReplicaMinimum {
  readonly minimum: number;
  /** The budget that says so; undefined for the default of one. */
  readonly from: string | undefined;
}

const DEFAULT: ReplicaMinimum = { minimum: 1, from: undefined };

/** The budgets of a world, found by the Pods they select. */
export class ReplicaMinima {
  readonly #byNamespace: ReadonlyMap<string, readonly KubeObject[]>;

  constructor(world: Pick<World, "templates" | "budgets">) {
    const budgets = [...(world.budgets ?? []), ...world.templates].filter(isBudget);
    this.#byNamespace = Map.groupBy(budgets, ({ metadata }) => metadata.namespace ?? "");
  }

  /** Of the strictest budget that selects the workload's Pods, over all its replicas; at least one. */
  of(workload: KubeObject, replicas: number): ReplicaMinimum {
    const budgets = this.#byNamespace.get(workload.metadata.namespace ?? "") ?? [];
    const labels = podLabels(workload);
    if (labels === undefined) return DEFAULT;
    let strictest = DEFAULT;
    for (const budget of budgets) {
      const minimum = selects(budget, labels) ? minimumOf(budget, replicas) : undefined;
      if (minimum === undefined || minimum < strictest.minimum) continue;
      const { namespace, name } = budget.metadata;
      strictest = { minimum, from: `PodDisruptionBudget ${namespace}/${name}` };
    }
    return strictest;
  }
}

function isBudget({ apiVersion, kind }: KubeObject): boolean {
  return kind === "PodDisruptionBudget" && apiVersion.startsWith("policy/");
}

/** Undefined for what has no Pods. */
export function podLabels(workload: KubeObject): Readonly<Record<string, string>> | undefined {
  const spec = workload["spec"];
  const template = isObject(spec) ? spec["template"] : undefined;
  const metadata = isObject(template) ? template["metadata"] : undefined;
  // Labels were checked by the server, or will be.
  return isObject(metadata) ? ((metadata["labels"] ?? {}) as Record<string, string>) : undefined;
}

function selects(budget: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const { selector } = (budget["spec"] ?? {}) as { selector?: LabelSelector };
  try {
    return matchesLabelSelector(selector, labels);
  } catch {
    // A selector that the server would refuse selects nothing.
    return false;
  }
}

/** As the disruption controller: shares of `minAvailable` and of `maxUnavailable` are rounded up. */
function minimumOf(budget: KubeObject, replicas: number): number | undefined {
  const { minAvailable, maxUnavailable } = (budget["spec"] ?? {}) as Record<string, unknown>;
  if (minAvailable !== undefined) return amountOf(minAvailable, replicas);
  const away = amountOf(maxUnavailable, replicas);
  return away === undefined ? undefined : replicas - away;
}

function amountOf(value: unknown, replicas: number): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  const share = typeof value === "string" ? /^(\d{1,9})%$/.exec(value) : null;
  return share === null ? undefined : Math.ceil((Number(share[1]) * replicas) / 100);
}
