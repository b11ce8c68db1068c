// How many replicas a metric asks for.
import { type Pod, podCondition } from "../pod-object.ts";

/** Usage of Pods by name, in thousandths. */
export type Usage = ReadonlyMap<string, number>;

/** By how much a ratio may miss 1 without any change. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** What a metric says. */
export interface Calculation {
  readonly replicas: number;
  /** The average, in thousandths. */
  readonly average: number;
  /** Percent of what the Pods request; for shares only. */
  readonly utilization?: number;
}

/** As kube-controller-manager has them by default. */
const CPU_INITIALIZATION_MS = 300_000;
const INITIAL_READINESS_MS = 30_000;
/** How long a sample of usage has been taken before it is told. */
const SAMPLE_MS = 15_000;

interface Groups {
  readonly ready: number;
  readonly unready: readonly string[];
  readonly missing: readonly string[];
  readonly counted: Map<string, number>;
}

/** Why there is no answer. */
export class MetricProblem extends Error {}

/** As Kubernetes: a processor's usage does not count while its Pod starts up. */
function groupPods(pods: readonly Pod[], usage: Usage, isCpu: boolean, nowMs: number): Groups {
  const unready: string[] = [];
  const missing: string[] = [];
  const counted = new Map(usage);
  let ready = 0;
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const { phase } = pod.status;
    if (deletionTimestamp !== undefined || phase === "Failed") counted.delete(name);
    else if (phase === "Pending" || (isCpu && usage.has(name) && isStarting(pod, nowMs))) {
      unready.push(name);
      counted.delete(name);
    } else if (!usage.has(name)) missing.push(name);
    else ready++;
  }
  return { ready, unready, missing, counted };
}

function isStarting(pod: Pod, nowMs: number): boolean {
  const { startTime } = pod.status as { readonly startTime?: string };
  const condition = podCondition(pod, "Ready");
  if (condition === undefined || startTime === undefined) return true;
  const started = Date.parse(startTime);
  const since = Date.parse(condition.lastTransitionTime ?? "");
  const isUnready = condition.status === "False";
  if (started + CPU_INITIALIZATION_MS > nowMs) return isUnready || nowMs < since + SAMPLE_MS;
  return isUnready && started + INITIAL_READINESS_MS > since;
}

/** What is asked of a metric, and of whom. */
export interface Question {
  readonly pods: readonly Pod[];
  readonly usage: Usage;
  readonly isCpu: boolean;
  readonly current: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

/** Replicas for an average, `target` in thousandths. */
export function replicasForAverage(question: Question, target: number): Calculation {
  return calculate(
    question,
    () => target,
    (usage) => {
      const average = Math.trunc(sum(usage.values()) / usage.size);
      return { ratio: average / target, average };
    },
  );
}

/** Replicas for a share of what the Pods request, `requests` in thousandths, `target` in percent. */
export function replicasForUtilization(
  question: Question,
  requests: ReadonlyMap<string, number>,
  target: number,
): Calculation {
  const fallback = (name: string): number => Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target)) / 100);
  return calculate(question, fallback, (usage) => {
    const known = [...usage].filter(([name]) => requests.has(name));
    const used = sum(known.map(([, value]) => value));
    const requested = sum(known.map(([name]) => requests.get(name) ?? 0));
    if (requested === 0) throw new MetricProblem("no metrics returned matched known pods");
    const utilization = Math.trunc((used * 100) / requested);
    return { ratio: utilization / target, average: Math.trunc(used / known.length), utilization };
  });
}

interface Ratio {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

/**
 * Pods that say nothing count as if they did not ask for more of what the others ask for: as idle when there should be
 * more, as fully used (`fallback`) when there should be fewer.
 */
function calculate(
  { pods, usage, isCpu, current, tolerances, nowMs }: Question,
  fallback: (name: string) => number,
  ratioOf: (usage: ReadonlyMap<string, number>) => Ratio,
): Calculation {
  if (pods.length === 0) throw new MetricProblem("no pods returned by selector while calculating replica count");
  const { ready, unready, missing, counted } = groupPods(pods, usage, isCpu, nowMs);
  if (counted.size === 0) throw new MetricProblem("did not receive metrics for targeted pods (pods might be unready)");
  const { ratio, ...told } = ratioOf(counted);
  const keep = { replicas: current, ...told };
  const growsWithUnready = unready.length > 0 && ratio > 1;
  if (!growsWithUnready && missing.length === 0)
    return isWithin(ratio, tolerances) ? keep : { replicas: Math.ceil(ratio * ready), ...told };
  for (const name of missing) if (ratio !== 1) counted.set(name, ratio < 1 ? fallback(name) : 0);
  if (growsWithUnready) for (const name of unready) counted.set(name, 0);
  const { ratio: again } = ratioOf(counted);
  if (isWithin(again, tolerances) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return keep;
  const replicas = Math.ceil(again * counted.size);
  // Nothing happens when counting the others turns the direction.
  return (again < 1 && replicas > current) || (again > 1 && replicas < current) ? keep : { replicas, ...told };
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
