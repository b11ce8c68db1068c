// How many nodes of a cluster have how much room left, by the grades of its resource models.
import type { AllocatableModeling, ResourceModel } from "../api/cluster.ts";
import {
  addQuantities,
  compareQuantities,
  multiplyQuantity,
  parseQuantity,
  type Quantity,
  quantityFromJson,
  subtractQuantities,
  ZERO_QUANTITY,
} from "../kube/quantity.ts";

type Amounts = Readonly<Record<string, string>>;

/** A node, and the requests of the pods that take room of it, each with how many pods ask for the same. */
export interface NodeUse {
  readonly allocatable: Amounts;
  readonly requests: Iterable<readonly [requests: Amounts, pods: number]>;
}

/**
 * One count for each model, in the order of the models. A node is in the highest grade whose least amounts it has left of
 * every resource; below the first grade it is in none.
 *
 * As Karmada: a node that takes no more pods counts nowhere. Differs from Karmada: the nodes after it do count. There,
 * which nodes come after it is chance.
 */
export function allocatableModelings(
  models: readonly ResourceModel[],
  nodes: Iterable<NodeUse>,
): AllocatableModeling[] {
  const names = (models[0]?.ranges ?? []).map(({ name }) => name);
  const least = names.map((name) => models.map((model) => minimumOf(model, name)));
  const counts = models.map(() => 0);
  for (const node of nodes) {
    const left = roomLeft(node, names);
    if (left === undefined) continue;
    const grade = Math.min(...left.map((amount, i) => lastAtMost(least[i] ?? [], amount)));
    if (grade >= 0 && grade < counts.length) counts[grade] = (counts[grade] ?? 0) + 1;
  }
  return models.map(({ grade }, i) => ({ grade, count: counts[i] ?? 0 }));
}

function minimumOf(model: ResourceModel, name: string): Quantity {
  const range = model.ranges.find((other) => other.name === name);
  return range === undefined ? ZERO_QUANTITY : quantityFromJson(range.min);
}

/** What pods leave of a node's resources; undefined when it takes no more pods. */
function roomLeft({ allocatable, requests }: NodeUse, names: readonly string[]): Quantity[] | undefined {
  let pods = 0;
  const taken = names.map(() => ZERO_QUANTITY);
  for (const [list, count] of requests) {
    pods += count;
    names.forEach((name, i) => {
      const amount = list[name];
      if (amount === undefined) return;
      taken[i] = addQuantities(taken[i] ?? ZERO_QUANTITY, multiplyQuantity(parseQuantity(amount), count));
    });
  }
  const places = subtractQuantities(parseQuantity(allocatable["pods"] ?? "0"), quantityFromJson(pods));
  // A node without pods is taken as it is, also where it says nothing of pods.
  if (pods > 0 && compareQuantities(places, ZERO_QUANTITY) <= 0) return undefined;
  return names.map((name, i) =>
    name === "pods" ? places : subtractQuantities(parseQuantity(allocatable[name] ?? "0"), taken[i] ?? ZERO_QUANTITY),
  );
}

/** The last index whose amount is at most `amount`; -1 when there is none. */
function lastAtMost(sorted: readonly Quantity[], amount: Quantity): number {
  let index = -1;
  for (const [i, least] of sorted.entries()) {
    if (compareQuantities(least, amount) > 0) break;
    index = i;
  }
  return index;
}
