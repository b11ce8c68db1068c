// How fast and how far an autoscaler may go.
import type { Autoscaler, AutoscalerCondition, ScalingPolicy, ScalingRules } from "./autoscaler.ts";

/** As kube-controller-manager has it by default. */
const SCALE_DOWN_STABILIZATION_S = 300;
const MOST_FACTOR = 2;
const MOST_AT_LEAST = 4;

interface Recommendation {
  readonly replicas: number;
  readonly at: number;
}

interface Change {
  readonly by: number;
  readonly at: number;
}

/** What an autoscaler's controller remembers of it, and forgets when it restarts, as the real one. */
export class ScalingMemory {
  #recommendations: Recommendation[] = [];
  #ups: Change[] = [];
  #downs: Change[] = [];

  /** The size at the first look counts as recommended. */
  begin(replicas: number, nowMs: number): void {
    if (this.#recommendations.length === 0) this.#recommendations.push({ replicas, at: nowMs });
  }

  /** What was recommended after a time. */
  since(ms: number): number[] {
    return this.#recommendations.filter(({ at }) => at > ms).map(({ replicas }) => replicas);
  }

  recommend(replicas: number, nowMs: number, keepMs: number): void {
    this.#recommendations = this.#recommendations.filter(({ at }) => at >= nowMs - keepMs);
    this.#recommendations.push({ replicas, at: nowMs });
  }

  /** Notes a change of size for policies that look back. */
  change(by: number, nowMs: number, { scaleUp, scaleDown }: NonNullable<Autoscaler["spec"]["behavior"]>): void {
    if (by > 0) this.#ups = [...this.#ups.filter(isWithin(longestPeriod(scaleUp), nowMs)), { by, at: nowMs }];
    else this.#downs = [...this.#downs.filter(isWithin(longestPeriod(scaleDown), nowMs)), { by: -by, at: nowMs }];
  }

  /** The size at the beginning of a policy's period. */
  sizeBefore(current: number, { periodSeconds }: ScalingPolicy, nowMs: number): number {
    const recent = ({ at }: Change): boolean => at > nowMs - periodSeconds * 1000;
    const added = this.#ups.filter(recent).reduce((sum, { by }) => sum + by, 0);
    const removed = this.#downs.filter(recent).reduce((sum, { by }) => sum + by, 0);
    return current - added + removed;
  }
}

function isWithin(seconds: number, nowMs: number): (change: Change) => boolean {
  return ({ at }) => at >= nowMs - seconds * 1000;
}

function longestPeriod(rules: ScalingRules | undefined): number {
  return Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
}

type Saying = Omit<AutoscalerCondition, "lastTransitionTime">;

/** The size after all limits, and what is said about them. */
interface Limited {
  readonly replicas: number;
  readonly conditions: readonly Saying[];
}

/** What is asked for, and within which bounds. */
interface Wish {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
}

/** Applies stabilisation, the policies of `behavior` or the rules without one, and the bounds. */
export function limitReplicas(autoscaler: Autoscaler, wish: Wish, memory: ScalingMemory, nowMs: number): Limited {
  const { behavior } = autoscaler.spec;
  if (behavior === undefined) {
    const stable = stabilizeDown(wish, memory, nowMs);
    const able = stable === wish.desired ? READY : STABILIZED_DOWN;
    return limited(able, stable, boundWithRules({ ...wish, desired: stable }));
  }
  const up = behavior.scaleUp ?? {};
  const down = behavior.scaleDown ?? {};
  const stable = stabilize(wish, up, down, memory, nowMs);
  const able = stable === wish.desired ? READY : wish.desired >= wish.current ? STABILIZED_UP : STABILIZED_DOWN;
  return limited(able, stable, boundWithPolicies({ ...wish, desired: stable }, up, down, memory, nowMs));
}

const READY = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const STABILIZED_UP = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const STABILIZED_DOWN = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const WITHIN = { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" };
const TOO_MANY = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const TOO_FEW = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};
const TOO_FAST_UP = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const TOO_FAST_DOWN = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};

type Why = Pick<Saying, "reason" | "message">;

interface Bounded {
  readonly replicas: number;
  readonly why: Why;
}

function limited(able: Why, stable: number, { replicas, why }: Bounded): Limited {
  const status = replicas === stable ? "False" : "True";
  return {
    replicas,
    conditions: [
      { type: "AbleToScale", status: "True", ...able },
      { type: "ScalingLimited", status, ...why },
    ],
  };
}

/** The highest recommendation of the last five minutes. */
function stabilizeDown({ desired }: Wish, memory: ScalingMemory, nowMs: number): number {
  const windowMs = SCALE_DOWN_STABILIZATION_S * 1000;
  const stable = Math.max(desired, ...memory.since(nowMs - windowMs - 1));
  memory.recommend(desired, nowMs, windowMs);
  return stable;
}

/** Up to the lowest and down to the highest recommendation of their windows. */
function stabilize(wish: Wish, up: ScalingRules, down: ScalingRules, memory: ScalingMemory, nowMs: number): number {
  const { current, desired } = wish;
  const upMs = (up.stabilizationWindowSeconds ?? 0) * 1000;
  const downMs = (down.stabilizationWindowSeconds ?? SCALE_DOWN_STABILIZATION_S) * 1000;
  const lowest = Math.min(desired, ...memory.since(nowMs - upMs));
  const highest = Math.max(desired, ...memory.since(nowMs - downMs));
  memory.recommend(desired, nowMs, Math.max(upMs, downMs));
  return Math.min(Math.max(current, lowest), highest);
}

function boundWithRules({ current, desired, min, max }: Wish): Bounded {
  if (desired < min) return { replicas: min, why: TOO_FEW };
  return boundAbove(desired, max, Math.max(MOST_FACTOR * current, MOST_AT_LEAST));
}

/** At most `max`, and no further than one may go at once. */
function boundAbove(desired: number, max: number, fastest: number): Bounded {
  if (desired <= Math.min(max, fastest)) return { replicas: desired, why: WITHIN };
  return max > fastest ? { replicas: fastest, why: TOO_FAST_UP } : { replicas: max, why: TOO_MANY };
}

function boundWithPolicies(
  { current, desired, min, max }: Wish,
  up: ScalingRules,
  down: ScalingRules,
  memory: ScalingMemory,
  nowMs: number,
): Bounded {
  if (desired > current)
    return boundAbove(desired, max, Math.max(current, policyLimit(current, up, memory, nowMs, "up")));
  if (desired < current) {
    const fastest = Math.min(current, policyLimit(current, down, memory, nowMs, "down"));
    if (desired < Math.max(min, fastest))
      return min < fastest ? { replicas: fastest, why: TOO_FAST_DOWN } : { replicas: min, why: TOO_FEW };
  }
  return { replicas: desired, why: WITHIN };
}

/** How far the policies let the size go at this moment. */
function policyLimit(
  current: number,
  { selectPolicy = "Max", policies = [] }: ScalingRules,
  memory: ScalingMemory,
  nowMs: number,
  direction: "up" | "down",
): number {
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map((policy) => {
    const before = memory.sizeBefore(current, policy, nowMs);
    const sign = direction === "up" ? 1 : -1;
    if (policy.type === "Pods") return before + sign * policy.value;
    const share = before * (1 + (sign * policy.value) / 100);
    // Rounded up in growing, so that a small share of few Pods is one at least.
    return direction === "up" ? Math.ceil(share) : Math.trunc(share);
  });
  const most = direction === "up" ? Math.max(...limits) : Math.min(...limits);
  const least = direction === "up" ? Math.min(...limits) : Math.max(...limits);
  return selectPolicy === "Min" ? least : most;
}
