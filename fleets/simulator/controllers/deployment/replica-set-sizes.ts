// How large each ReplicaSet of a Deployment is to be next.
import { byAge, type ReplicaSet, sizeOf } from "../replica-set/replica-set.ts";
import { type Deployment, isRollingUpdate, maxSurgeOf, maxUnavailableOf, wantedOf } from "./deployment.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS, rememberedSize } from "./revisions.ts";

/** The sets of a Deployment: the one with its template, if it is there yet, and all others. */
export interface SetsOf {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

/** A set and the size that it gets. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly size: number;
  /** Also when it has that size already: then it only remembers the Deployment's. */
  readonly always?: true;
}

/** All sets of a Deployment. */
export function allSets({ current, old }: SetsOf): ReplicaSet[] {
  return current === undefined ? [...old] : [...old, current];
}

/** The sum of a count over sets. */
export function sumOf(sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number {
  return sets.reduce((sum, set) => sum + count(set), 0);
}

function availableOf(set: ReplicaSet): number {
  return set.status?.availableReplicas ?? 0;
}

/** Whether the set wants any Pods. */
export function isActiveSet(set: ReplicaSet): boolean {
  return sizeOf(set) > 0;
}

/** Whether the Deployment's size has been changed since its sets were given theirs. */
export function isScaled(deployment: Deployment, sets: SetsOf): boolean {
  return allSets(sets)
    .filter(isActiveSet)
    .some((set) => {
      const remembered = rememberedSize(set, DESIRED_REPLICAS);
      return remembered !== undefined && remembered !== wantedOf(deployment);
    });
}

/** How large the set with the Deployment's template is to be, `size` being what it has. */
export function currentSetSize(deployment: Deployment, size: number, sizeOfAll: number): number {
  const wanted = wantedOf(deployment);
  if (size >= wanted || !isRollingUpdate(deployment)) return wanted;
  const room = wanted + maxSurgeOf(deployment) - sizeOfAll;
  return room <= 0 ? size : size + Math.min(room, wanted - size);
}

/**
 * Which old sets a rolling update makes smaller, oldest first: Pods that are not available serve nobody and go before
 * any other; then as many available ones as the Deployment can spare. A set may come twice.
 */
export function shrinkOldSets(deployment: Deployment, { current, old }: SetsOf & { current: ReplicaSet }): Resize[] {
  const active = old.filter(isActiveSet).sort(byAge);
  const least = wantedOf(deployment) - maxUnavailableOf(deployment);
  const waiting = sizeOf(current) - availableOf(current);
  const spare = sumOf(active, sizeOf) + sizeOf(current) - least - waiting;
  if (active.length === 0 || spare <= 0) return [];
  const sizes = new Map(active.map((set) => [set, sizeOf(set)]));
  const resizes: Resize[] = [];
  /** Takes up to `most` Pods from a set, and answers how many. */
  function take(set: ReplicaSet, most: number): number {
    const size = sizes.get(set) ?? 0;
    const taken = Math.min(most, size);
    if (taken <= 0) return 0;
    sizes.set(set, size - taken);
    resizes.push({ set, size: size - taken });
    return taken;
  }
  let idle = spare;
  for (const set of active) {
    if (idle <= 0) break;
    // As Kubernetes: a set that has not yet followed its last change stops everything until it has.
    if (availableOf(set) > sizeOf(set)) return resizes;
    idle -= take(set, Math.min(idle, sizeOf(set) - availableOf(set)));
  }
  let serving = sumOf(active, availableOf) + availableOf(current) - least;
  for (const set of active) serving -= take(set, serving);
  return resizes;
}

/**
 * The sizes after the Deployment's own has changed, or while it is paused: the only set with Pods gets all of it; old
 * sets lose theirs when the current one is complete; otherwise all grow or shrink in proportion, so that scaling in the
 * middle of a rollout does not hasten it.
 */
export function sizesAfterScaling(deployment: Deployment, sets: SetsOf): Resize[] {
  const { current, old } = sets;
  const wanted = wantedOf(deployment);
  const active = allSets(sets).filter(isActiveSet);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? [...old].sort(byAge).at(-1);
    return only === undefined ? [] : [{ set: only, size: wanted }];
  }
  if (current !== undefined && isSaturated(deployment, current))
    return old.filter(isActiveSet).map((set) => ({ set, size: 0 }));
  return isRollingUpdate(deployment) ? proportionalSizes(deployment, active) : [];
}

/** Whether the set alone has all that the Deployment wants, available. */
function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = wantedOf(deployment);
  return sizeOf(set) === wanted && rememberedSize(set, DESIRED_REPLICAS) === wanted && availableOf(set) === wanted;
}

function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const wanted = wantedOf(deployment);
  const allowed = wanted > 0 ? wanted + maxSurgeOf(deployment) : 0;
  const change = allowed - sumOf(active, sizeOf);
  // The largest first. Of equal ones the newer grow first and the older shrink first.
  const ordered = [...active].sort((a, b) => sizeOf(b) - sizeOf(a) || (change > 0 ? byAge(b, a) : byAge(a, b)));
  if (change === 0) return ordered.map((set) => ({ set, size: sizeOf(set), always: true }));
  let done = 0;
  const resizes = ordered.map((set) => {
    const share = shareOf(set, deployment);
    const left = change - done;
    const part = left === 0 ? 0 : change > 0 ? Math.min(share, left) : Math.max(share, left);
    done += part;
    return { set, size: sizeOf(set) + part };
  });
  // What rounding leaves goes to the largest.
  return resizes.map(({ set, size }, i) => {
    return { set, size: i === 0 ? Math.max(0, size + change - done) : size, always: true };
  });
}

/** By how much the set would change if all changed in proportion. */
function shareOf(set: ReplicaSet, deployment: Deployment): number {
  const wanted = wantedOf(deployment);
  const size = sizeOf(set);
  if (wanted === 0) return -size;
  // As Kubernetes: without a memory of the most there could be, what there is now stands for it.
  const before = rememberedSize(set, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return roundHalfAway((size * (wanted + maxSurgeOf(deployment))) / before) - size;
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}
