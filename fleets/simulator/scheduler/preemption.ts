// Which Pods have to go so that one that matters more can run.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { matchesRequirements } from "../../../kube/selectors.ts";
import type { Random } from "../../../runtime/random.ts";
import { readSelector } from "./affinity-terms.ts";
import { preemptionMessage } from "./fit-message.ts";
import type { NodeInfo } from "./node-info.ts";
import { type Cycle, copyCycle, type Diagnosis, filterWithNominated } from "./place-pod.ts";
import type { PodFacts } from "./pod-facts.ts";
import type { Rejection } from "./rejection.ts";
import type { SchedulerCache } from "./scheduler-cache.ts";

/** A node, and the Pods that would have to leave it. */
export interface Candidate {
  readonly node: string;
  /** The most important first. */
  readonly victims: readonly PodFacts[];
  /** How many of them a disruption budget would keep. */
  readonly violations: number;
}

type PreemptionResult =
  | { readonly helps: true; readonly candidate: Candidate }
  /** `clears`: whether a node that was being made free no longer is. */
  | { readonly helps: false; readonly message: string; readonly clears: boolean };

/** As many nodes are tried out, or a tenth when that is more. */
const LEAST_CANDIDATES = 100;

/** Looks for the node where the least has to go. */
export function findPreemption(
  pod: PodFacts,
  diagnosis: Diagnosis,
  cycle: Cycle | undefined,
  cache: SchedulerCache,
  budgets: () => readonly KubeObject[],
  random: Random,
): PreemptionResult {
  const refusal = refuse(pod, diagnosis, cache);
  if (refusal !== undefined) return { helps: false, message: refusal, clears: false };
  const nodes = cache.nodes();
  const possible = nodes.filter(({ name }) => diagnosis.byNode.get(name)?.preemptible === true);
  const tried = new Map<string, Rejection>();
  const candidates: Candidate[] = [];
  if (cycle !== undefined && possible.length > 0) {
    const readBudgets = budgets().map(readBudget);
    const most = Math.min(possible.length, Math.max(LEAST_CANDIDATES, Math.trunc(possible.length / 10)));
    const first = possible.length > most ? random.below(possible.length) : 0;
    for (let i = 0; i < possible.length; i++) {
      const info = possible[(first + i) % possible.length]!;
      const found = findVictims(cycle, info, cache, readBudgets);
      if ("plugin" in found) tried.set(info.name, found);
      else candidates.push(found);
      if (candidates.length >= most && candidates.some(({ violations }) => violations === 0)) break;
    }
  }
  const candidate = pickCandidate(candidates);
  if (candidate !== undefined) return { helps: true, candidate };
  return { helps: false, message: preemptionMessage(nodes.length, tried), clears: true };
}

function refuse(pod: PodFacts, diagnosis: Diagnosis, cache: SchedulerCache): string | undefined {
  if (!pod.spec.mayPreempt) return "not eligible due to preemptionPolicy=Never.";
  if (pod.nominatedNode === undefined) return undefined;
  if (diagnosis.byNode.get(pod.nominatedNode)?.preemptible === false) return undefined;
  for (const victim of cache.node(pod.nominatedNode)?.pods.values() ?? [])
    if (victim.spec.priority < pod.spec.priority && isPreempted(victim))
      return "not eligible due to a terminating pod on the nominated node.";
  return undefined;
}

function isPreempted({ isTerminating, object }: PodFacts): boolean {
  if (!isTerminating || !isObject(object["status"])) return false;
  const conditions = object["status"]["conditions"];
  return (
    Array.isArray(conditions) &&
    conditions.some(
      (each) =>
        isObject(each) &&
        each["type"] === "DisruptionTarget" &&
        each["status"] === "True" &&
        each["reason"] === "PreemptionByScheduler",
    )
  );
}

function findVictims(
  original: Cycle,
  node: NodeInfo,
  cache: SchedulerCache,
  budgets: readonly Budget[],
): Candidate | Rejection {
  const { pod } = original;
  const { facts } = node;
  const possible = [...node.pods.values()].filter(({ spec }) => spec.priority < pod.spec.priority);
  if (possible.length === 0 || facts === undefined)
    return {
      plugin: "NodeResourcesFit",
      reasons: ["No preemption victims found for incoming pod"],
      preemptible: false,
    };
  const info = node.copy();
  const cycle = copyCycle(original);
  const change = (other: PodFacts, by: 1 | -1): void => {
    if (by === 1) info.add(other);
    else info.remove(other.uid);
    cycle.spread?.change(other, facts, by);
    cycle.affinity?.change(other, facts, by);
  };
  for (const other of possible) change(other, -1);
  const rejection = filterWithNominated(cycle, info, cache);
  if (rejection !== undefined) return rejection;
  possible.sort(byImportance);
  const { violating, others } = divideByBudgets(possible, budgets);
  const victims: PodFacts[] = [];
  /** Lets one stay if the Pod fits nevertheless. */
  const reprieve = (other: PodFacts): boolean => {
    change(other, 1);
    if (filterWithNominated(cycle, info, cache) === undefined) return true;
    change(other, -1);
    victims.push(other);
    return false;
  };
  const violations = violating.filter((other) => !reprieve(other)).length;
  for (const other of others) reprieve(other);
  return { node: node.name, victims: victims.sort(byImportance), violations };
}

/** Higher priority first, then who has been running longer. */
function byImportance(a: PodFacts, b: PodFacts): number {
  if (a.spec.priority !== b.spec.priority) return b.spec.priority - a.spec.priority;
  return a.startMs === b.startMs ? 0 : a.startMs < b.startMs ? -1 : 1;
}

interface Budget {
  readonly namespace: string;
  readonly matches: (pod: PodFacts) => boolean;
  readonly disrupted: ReadonlySet<string>;
  readonly allowed: number;
}

function readBudget(budget: KubeObject): Budget {
  const spec = isObject(budget["spec"]) ? budget["spec"] : {};
  const status = isObject(budget["status"]) ? budget["status"] : {};
  const selector = isObject(spec["selector"]) ? readSelector(spec["selector"]) : undefined;
  return {
    namespace: budget.metadata.namespace ?? "",
    // An empty selector matches nothing here.
    matches: ({ labels }) => selector !== undefined && selector.length > 0 && matchesRequirements(selector, labels),
    disrupted: new Set(isObject(status["disruptedPods"]) ? Object.keys(status["disruptedPods"]) : []),
    allowed: Number(status["disruptionsAllowed"] ?? 0),
  };
}

function divideByBudgets(
  pods: readonly PodFacts[],
  budgets: readonly Budget[],
): { violating: PodFacts[]; others: PodFacts[] } {
  const left = budgets.map(({ allowed }) => allowed);
  const violating: PodFacts[] = [];
  const others: PodFacts[] = [];
  for (const pod of pods) {
    let isViolated = false;
    budgets.forEach((budget, index) => {
      if (budget.namespace !== pod.namespace || Object.keys(pod.labels).length === 0 || !budget.matches(pod)) return;
      if (budget.disrupted.has(pod.object.metadata.name ?? "")) return;
      left[index] = (left[index] ?? 0) - 1;
      if ((left[index] ?? 0) < 0) isViolated = true;
    });
    (isViolated ? violating : others).push(pod);
  }
  return { violating, others };
}

/** Priorities count from here, so that many victims of negative priority are worse than one. */
const LOWEST_PRIORITY = 2 ** 31;

/** What makes a candidate better, most important first; less is better. */
const COSTS: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.spec.priority ?? 0,
  ({ victims }) => victims.reduce((sum, { spec }) => sum + spec.priority + LOWEST_PRIORITY, 0),
  ({ victims }) => victims.length,
  // The later the most important of them started, the better.
  ({ victims }) => -Math.min(...victims.filter(({ spec }) => spec.priority === victims[0]?.spec.priority).map(startOf)),
];

function startOf({ startMs }: PodFacts): number {
  return startMs;
}

function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const cost of COSTS) {
    if (left.length <= 1) break;
    const costs = left.map(cost);
    const least = Math.min(...costs);
    left = left.filter((_, index) => costs[index] === least);
  }
  return left[0];
}
