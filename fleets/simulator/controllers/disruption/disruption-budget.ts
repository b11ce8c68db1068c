// What a PodDisruptionBudget says of its Pods.
import { equalJson, type KubeObject } from "../../../../kube/object.ts";
import type { LabelSelector } from "../../../../kube/selectors.ts";
import { isReady } from "../pod-object.ts";

interface BudgetCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

interface BudgetStatus {
  readonly observedGeneration?: number;
  readonly disruptedPods?: Readonly<Record<string, string>>;
  readonly disruptionsAllowed?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly expectedPods?: number;
  readonly conditions?: readonly BudgetCondition[];
}

/** A PodDisruptionBudget, checked by the server. */
export interface DisruptionBudget extends KubeObject {
  readonly spec: {
    readonly selector?: LabelSelector;
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
  };
  readonly status?: BudgetStatus;
}

/** How long an eviction that was allowed may take to be seen, milliseconds. */
const DELETION_TIMEOUT_MS = 120_000;
const ALLOWED = "DisruptionAllowed";

/** How many Pods there should be, and how many of them healthy. */
interface Expectation {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Whether the budget is a share of what the Pods' controllers want, so that these must be found. */
export function asksControllers({ spec }: DisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === "string";
}

/** What the budget wants of `pods` Pods, whose controllers want `scale` of them. */
export function expectationOf({ spec }: DisruptionBudget, pods: number, scale: number): Expectation {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable !== undefined)
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - shareOf(maxUnavailable, scale)) };
  if (typeof minAvailable === "string") return { expectedPods: scale, desiredHealthy: shareOf(minAvailable, scale) };
  return minAvailable === undefined
    ? { expectedPods: 0, desiredHealthy: 0 }
    : { expectedPods: pods, desiredHealthy: minAvailable };
}

/** As Kubernetes: shares are rounded up, whichever way they count. */
function shareOf(value: number | string, total: number): number {
  return typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
}

/** Evictions that were allowed and not seen yet. */
interface Disrupted {
  readonly pods: Readonly<Record<string, string>>;
  /** Pods that should have been deleted by now. */
  readonly overdue: readonly KubeObject[];
  /** When the first of them will be overdue, milliseconds from now. */
  readonly recheckMs: number | undefined;
}

/** The Pods whose eviction was granted and that are not gone yet; entries that are too old do not count. */
export function disruptedPods({ status }: DisruptionBudget, pods: readonly KubeObject[], nowMs: number): Disrupted {
  const known = status?.disruptedPods ?? {};
  const left: Record<string, string> = {};
  const overdue: KubeObject[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const name = pod.metadata.name ?? "";
    const since = known[name];
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(since) + DELETION_TIMEOUT_MS - nowMs;
    if (leftMs < 0) {
      overdue.push(pod);
      continue;
    }
    left[name] = since;
    if (recheckMs === undefined || leftMs < recheckMs) recheckMs = leftMs;
  }
  return { pods: left, overdue, recheckMs };
}

/** The status; the present one when it says the same. */
export function budgetStatus(
  budget: DisruptionBudget,
  pods: readonly KubeObject[],
  { expectedPods, desiredHealthy }: Expectation,
  disrupted: Readonly<Record<string, string>>,
  now: string,
): BudgetStatus {
  const healthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !Object.hasOwn(disrupted, pod.metadata.name ?? "") &&
      isReady(pod),
  ).length;
  // Nothing is allowed while there should be no Pods: the first ones are safe until they are counted.
  const allowed = expectedPods > 0 ? Math.max(0, healthy - desiredHealthy) : 0;
  const { generation } = budget.metadata;
  const known = budget.status ?? {};
  const counted: BudgetStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy,
    expectedPods,
  };
  const [status, reason] =
    allowed > 0 ? (["True", "SufficientPods"] as const) : (["False", "InsufficientPods"] as const);
  const said = known.conditions?.find(({ type }) => type === ALLOWED);
  const { conditions: _conditions, ...before } = known;
  if (equalJson(before, counted) && said?.status === status && said.reason === reason) return known;
  const conditions = withCondition(known, { type: ALLOWED, status, reason, message: "" }, generation, now);
  return { ...counted, conditions };
}

/** The status when the Pods' controllers cannot be found: nothing may be disrupted. */
export function failedStatus({ status = {} }: DisruptionBudget, why: string, now: string): BudgetStatus {
  const said = { type: ALLOWED, status: "False", reason: "SyncFailed", message: why } as const;
  const conditions = withCondition(status, said, status.observedGeneration, now);
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status;
  return { ...status, disruptionsAllowed: 0, currentHealthy, desiredHealthy, expectedPods, conditions };
}

function withCondition(
  { conditions = [] }: BudgetStatus,
  saying: Pick<BudgetCondition, "type" | "status" | "reason" | "message">,
  observedGeneration: number | undefined,
  now: string,
): readonly BudgetCondition[] {
  const known = conditions.find(({ type }) => type === saying.type);
  const said: BudgetCondition = {
    ...saying,
    ...(observedGeneration === undefined || observedGeneration === 0 ? {} : { observedGeneration }),
    lastTransitionTime: known?.status === saying.status ? known.lastTransitionTime : now,
  };
  return known === undefined ? [...conditions, said] : conditions.map((each) => (each === known ? said : each));
}
