// Which of the nodes that will do is best: kube-scheduler's scores with its default weights.
import type { LabelRequirement } from "../../../kube/selectors.ts";
import { tolerates } from "../../../kube/taints.ts";
import type { NodeInfo } from "./node-info.ts";
import { scoreAffinity } from "./pod-affinity.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";
import { scoreSpread } from "./topology-spread.ts";

const TAINTS_WEIGHT = 3;
const NODE_AFFINITY_WEIGHT = 2;
const SPREAD_WEIGHT = 2;
const POD_AFFINITY_WEIGHT = 2;

/** The score of each node, in the order of `feasible`. Images are everywhere the same: they count nothing. */
export function scoreNodes(
  pod: PodFacts,
  feasible: readonly NodeInfo[],
  cache: SchedulerCache,
  ownSelector: () => readonly LabelRequirement[],
): number[] {
  const totals = feasible.map((info) => scoreLeastAllocated(pod, info) + scoreBalance(pod, info));
  addTo(totals, scoreTaints(pod, feasible), TAINTS_WEIGHT);
  addTo(totals, scorePreferredNodes(pod, feasible), NODE_AFFINITY_WEIGHT);
  addTo(totals, scoreSpread(pod, feasible, cache, ownSelector), SPREAD_WEIGHT);
  addTo(totals, scoreAffinity(pod, feasible, cache), POD_AFFINITY_WEIGHT);
  return totals;
}

function addTo(totals: number[], scores: readonly number[] | undefined, weight: number): void {
  scores?.forEach((score, index) => {
    totals[index] = (totals[index] ?? 0) + weight * score;
  });
}

/** The more is left of processor and memory, the better. */
function scoreLeastAllocated(pod: PodFacts, { facts, nonZeroRequested }: NodeInfo): number {
  const { nonZero } = pod.spec;
  let sum = 0;
  let count = 0;
  for (const name of ["cpu", "memory"] as const) {
    const capacity = facts?.allocatable[name] ?? 0;
    if (capacity === 0) continue;
    const requested = nonZeroRequested[name] + nonZero[name];
    count++;
    if (requested <= capacity) sum += Math.trunc(((capacity - requested) * 100) / capacity);
  }
  return count === 0 ? 0 : Math.trunc(sum / count);
}

/** The better the Pod makes processor and memory be used alike, the better: 50 to 100, 75 for no change. */
function scoreBalance(pod: PodFacts, { facts, requested }: NodeInfo): number {
  const { amounts } = pod.spec;
  // As Kubernetes: Pods that ask for nothing would all go to the same node.
  if (facts === undefined || (amounts.cpu === 0 && amounts.memory === 0)) return 0;
  const { allocatable } = facts;
  const before = balanceOf([requested.cpu, requested.memory], [allocatable.cpu, allocatable.memory]);
  const after = balanceOf(
    [requested.cpu + amounts.cpu, requested.memory + amounts.memory],
    [allocatable.cpu, allocatable.memory],
  );
  return 50 + Math.trunc((50 + after - before) / 2);
}

function balanceOf(requested: readonly [number, number], allocatable: readonly [number, number]): number {
  // A resource that the node has none of does not count, and one alone is in balance.
  if (allocatable[0] === 0 || allocatable[1] === 0) return 100;
  const first = Math.min(1, requested[0] / allocatable[0]);
  const second = Math.min(1, requested[1] / allocatable[1]);
  return Math.trunc((1 - Math.abs((first - second) / 2)) * 100);
}

/** The fewer taints that would rather keep the Pod away, the better. */
function scoreTaints(pod: PodFacts, feasible: readonly NodeInfo[]): number[] {
  const tolerations = pod.spec.tolerations.filter(({ effect }) => !effect || effect === "PreferNoSchedule");
  const counts = feasible.map(
    ({ facts }) =>
      (facts?.taints ?? []).filter(
        (taint) => taint.effect === "PreferNoSchedule" && !tolerations.some((each) => tolerates(each, taint)),
      ).length,
  );
  return normalize(counts).map((score) => 100 - score);
}

function scorePreferredNodes(pod: PodFacts, feasible: readonly NodeInfo[]): number[] | undefined {
  const preferred = pod.spec.preferredNodes;
  if (preferred.length === 0) return undefined;
  const sums = feasible.map(({ facts }) => {
    let sum = 0;
    if (facts !== undefined) for (const { weight, matches } of preferred) if (matches(facts)) sum += weight;
    return sum;
  });
  return normalize(sums);
}

/** In hundredths of the most. */
function normalize(counts: readonly number[]): number[] {
  const most = Math.max(0, ...counts);
  return most === 0 ? counts.map(() => 0) : counts.map((count) => Math.trunc((100 * count) / most));
}
