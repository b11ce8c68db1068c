// The scheduler once more, as short and as slow as can be: what the tests compare the real one with. It knows no caches,
// no positions and no shortcuts, and shares nothing with the real one but cluster matching, taints and the estimator.

import type { Cluster } from "../../../api/cluster.ts";
import type { ClusterAffinity, Placement } from "../../../api/policy.ts";
import type { ResourceBindingSpec, ResourceBindingStatus, TargetCluster } from "../../../api/work.ts";
import { tolerates } from "../../../kube/taints.ts";
import { clusterMatches } from "../../policies/cluster-affinity.ts";
import { readCapacity } from "../estimates/capacity.ts";
import { estimateReplicas } from "../estimates/estimator.ts";
import { readRequest } from "../estimates/requirements.ts";

interface Member {
  readonly cluster: Cluster;
  readonly name: string;
  readonly tier: number;
  readonly score: number;
  readonly room: number;
  readonly available: number;
}

type Outcome = readonly { name: string; replicas: number }[] | string;

/** The targets sorted by name, or the kind of the failure. Knows workloads of one pod template only. */
export function scheduleNaively(
  spec: ResourceBindingSpec,
  status: ResourceBindingStatus,
  clusters: readonly Cluster[],
): Outcome {
  const placement = spec.placement as Placement;
  const members = clusters
    .filter((cluster) => passes(cluster, spec, status, placement))
    .map((cluster) => describe(cluster, spec, status, placement))
    .sort(inClusterOrder);
  if (members.length === 0) return "NoClusterFit";
  const chosen = choose(members, spec, placement);
  if (chosen === undefined || chosen.length === 0) return "SchedulerError";
  const replicas = spec.replicas ?? 0;
  if (replicas === 0 && spec.replicaRequirements === undefined) return sorted(chosen.map((one) => [one.name, 0]));
  const tiers = groupOf(status, placement)?.overflowAffinities === undefined ? undefined : splitByTier(chosen);
  if (tiers === undefined) return finish(assign(chosen, spec, status, placement, replicas));
  const parts: [string, number][] = [];
  let left = replicas;
  for (const tier of tiers) {
    if (left === 0 && tier !== tiers[0]) break;
    const own = Math.min(left, total(tier.map((one) => one.available)));
    const part = assign(tier, spec, status, placement, own);
    if (part === undefined) return "Unschedulable";
    parts.push(...part);
    left -= own;
  }
  return left > 0 ? "Unschedulable" : finish(parts);
}

function finish(parts: readonly [string, number][] | undefined): Outcome {
  return parts === undefined ? "Unschedulable" : sorted(parts.filter(([, replicas]) => replicas > 0));
}

function sorted(parts: readonly [string, number][]): Outcome {
  return parts.map(([name, replicas]) => ({ name, replicas })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function groupOf(status: ResourceBindingStatus, placement: Placement) {
  if (placement.clusterAffinity !== undefined) return undefined;
  return placement.clusterAffinities?.find((term) => term.affinityName === status.schedulerObservingAffinityName);
}

function previousOf(spec: ResourceBindingSpec, name: string): TargetCluster | undefined {
  return spec.clusters?.find((target) => target.name === name);
}

function passes(
  cluster: Cluster,
  spec: ResourceBindingSpec,
  status: ResourceBindingStatus,
  placement: Placement,
): boolean {
  const name = cluster.metadata.name ?? "";
  if (cluster.metadata.deletionTimestamp !== undefined) return false;
  if (spec.gracefulEvictionTasks?.some((task) => task.fromCluster === name)) return false;
  if (previousOf(spec, name) === undefined) {
    const apis = cluster.status?.apiEnablements?.filter((api) => api.groupVersion === spec.resource.apiVersion) ?? [];
    if (!apis.some((api) => api.resources?.some((resource) => resource.kind === spec.resource.kind))) return false;
    for (const taint of cluster.spec.taints ?? []) {
      if (taint.effect === "PreferNoSchedule") continue;
      if (!placement.clusterTolerations?.some((toleration) => tolerates(toleration, taint))) return false;
    }
  }
  for (const constraint of placement.spreadConstraints ?? []) {
    if (constraint.spreadByField === "region" && !cluster.spec.region) return false;
    if (constraint.spreadByField === "provider" && !cluster.spec.provider) return false;
    if (constraint.spreadByField === "zone" && !cluster.spec.zones?.length) return false;
  }
  const affinities: ClusterAffinity[] = [];
  const group = groupOf(status, placement);
  if (placement.clusterAffinity !== undefined) affinities.push(placement.clusterAffinity);
  else if (group !== undefined) {
    affinities.push(group);
    if ((spec.replicas ?? 0) > 0 || spec.replicaRequirements) affinities.push(...(group.overflowAffinities ?? []));
  }
  return affinities.length === 0 || affinities.some((affinity) => clusterMatches(cluster, affinity));
}

function describe(
  cluster: Cluster,
  spec: ResourceBindingSpec,
  status: ResourceBindingStatus,
  placement: Placement,
): Member {
  const name = cluster.metadata.name ?? "";
  const group = groupOf(status, placement);
  let tier = 0;
  if (group?.overflowAffinities !== undefined && !clusterMatches(cluster, group)) {
    const index = group.overflowAffinities.findIndex((affinity) => clusterMatches(cluster, affinity));
    tier = index < 0 ? 1000 : index + 1;
  }
  const request = spec.replicaRequirements === undefined ? undefined : readRequest(spec.replicaRequirements);
  const room =
    (spec.replicas ?? 0) === 0
      ? 2 ** 31 - 1
      : estimateReplicas(readCapacity(cluster), request, { resourceModels: true });
  const before = previousOf(spec, name);
  return { cluster, name, tier, score: before ? 100 : 0, room, available: room + (before?.replicas ?? 0) };
}

function inClusterOrder(a: Member, b: Member): number {
  if (a.tier !== b.tier) return a.tier - b.tier;
  if (a.score !== b.score) return b.score - a.score;
  if (a.available !== b.available) return b.available - a.available;
  return a.name < b.name ? -1 : 1;
}

function isDuplicated(placement: Placement): boolean {
  const type = placement.replicaScheduling?.replicaSchedulingType;
  return placement.replicaScheduling === undefined || type === "Duplicated";
}

function choose(members: Member[], spec: ResourceBindingSpec, placement: Placement): Member[] | undefined {
  const constraints = placement.spreadConstraints ?? [];
  const strategy = placement.replicaScheduling;
  const weights = strategy?.weightPreference;
  const isStatic =
    !isDuplicated(placement) &&
    strategy?.replicaDivisionPreference === "Weighted" &&
    (weights === undefined || ((weights.staticWeightList ?? []).length > 0 && weights.dynamicWeight === undefined));
  if (constraints.length === 0 || isStatic) return members;
  const cluster = constraints.findLast((one) => one.spreadByField === "cluster");
  const region = constraints.findLast((one) => one.spreadByField === "region");
  const replicas = spec.replicas ?? 0;
  if (region !== undefined) {
    return chooseRegions(members, replicas, placement, bounds(region), bounds(cluster));
  }
  if (cluster === undefined || members.length < (cluster.minGroups ?? 0)) return undefined;
  const count = Math.min(members.length, cluster.maxGroups ?? 0);
  const chosen = members.slice(0, count);
  const rest = members.slice(count);
  if (isDuplicated(placement)) return chosen;
  const enough = (): boolean => total(chosen.map((one) => one.available)) >= replicas;
  for (let i = count - 1; i >= 0 && !enough(); i--) {
    const mine = chosen[i] as Member;
    const best = rest.reduce<Member>((top, one) => (one.available > top.available ? one : top), mine);
    if (best === mine) continue;
    rest[rest.indexOf(best)] = mine;
    chosen[i] = best;
  }
  return enough() && count > 0 ? chosen : undefined;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function bounds(constraint: { minGroups?: number | undefined; maxGroups?: number | undefined } | undefined): Bounds {
  return { min: constraint?.minGroups ?? 0, max: constraint?.maxGroups ?? 0 };
}

interface Region {
  readonly name: string;
  readonly members: Member[];
  readonly weight: number;
}

function chooseRegions(
  members: Member[],
  replicas: number,
  placement: Placement,
  region: Bounds,
  cluster: Bounds,
): Member[] | undefined {
  const regions: Region[] = [...new Set(members.map((one) => one.cluster.spec.region ?? ""))].map((name) => {
    const own = members.filter((one) => one.cluster.spec.region === name);
    return { name, members: own, weight: weigh(own, replicas, placement, region.min, cluster.min) };
  });
  if (regions.length < region.min) return undefined;
  const picked = pickRegions(regions, region, cluster.min);
  if (picked === undefined) return undefined;
  const firsts = picked.map((one) => one.members[0] as Member);
  const others = picked.flatMap((one) => one.members.slice(1)).sort(inClusterOrder);
  return [...firsts, ...others.slice(0, Math.max(0, cluster.max - firsts.length))];
}

function weigh(members: Member[], replicas: number, placement: Placement, minRegions: number, minClusters: number) {
  if (isDuplicated(placement)) {
    const valid = members.filter((one) => one.available >= replicas);
    return valid.length === 0
      ? 0
      : valid.length * 1000 + Math.floor(total(valid.map((one) => one.score)) / valid.length);
  }
  const target = Math.ceil(replicas / minRegions);
  for (let count = 1; count <= members.length; count++) {
    const part = members.slice(0, count);
    if (count < Math.max(minClusters, minRegions) && count < members.length) continue;
    if (total(part.map((one) => one.available)) < target && count < members.length) continue;
    const available = total(part.map((one) => one.available));
    const scores = total(part.map((one) => one.score));
    return available < target
      ? available * 1000 + Math.floor(scores / members.length)
      : target * 1000 + Math.floor(scores / count);
  }
  return 0;
}

function pickRegions(regions: Region[], region: Bounds, minClusters: number): Region[] | undefined {
  const byValue = [...regions].sort(
    (a, b) => a.members.length - b.members.length || b.weight - a.weight || (a.name < b.name ? -1 : 1),
  );
  const paths: Region[][] = [];
  function walk(from: number, path: Region[]): void {
    const value = total(path.map((one) => one.members.length));
    if (value >= minClusters && path.length >= region.min && path.length <= region.max) {
      paths.push([...path].sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1)));
      return;
    }
    if (path.length >= region.max) return;
    for (let i = from; i < byValue.length; i++) {
      walk(i + 1, [...path, byValue[i] as Region]);
      if (byValue.length === region.min) break;
    }
  }
  walk(0, []);
  const ids = new Map(paths.map((path, id) => [path, id]));
  const weightOf = (path: Region[]): number => total(path.map((one) => one.weight));
  const sizeOf = (path: Region[]): number => total(path.map((one) => one.members.length));
  paths.sort((a, b) => weightOf(b) - weightOf(a) || sizeOf(b) - sizeOf(a) || (ids.get(a) ?? 0) - (ids.get(b) ?? 0));
  let pick = paths[0];
  for (const path of paths) {
    if (pick !== undefined && path.length < pick.length && path.every((one, i) => pick?.[i]?.name === one.name)) {
      pick = path;
    }
  }
  return pick;
}

function splitByTier(members: Member[]): Member[][] {
  const tiers = [...new Set(members.map((one) => one.tier))].sort((a, b) => a - b);
  return tiers.map((tier) => members.filter((one) => one.tier === tier));
}

type Parts = [string, number][];

function assign(
  members: Member[],
  spec: ResourceBindingSpec,
  status: ResourceBindingStatus,
  placement: Placement,
  replicas: number,
): Parts | undefined {
  if (isDuplicated(placement)) return members.map((one) => [one.name, replicas]);
  const strategy = placement.replicaScheduling;
  const descending = isOdd(spec.resource.uid ?? "");
  const preference = strategy?.weightPreference;
  if (strategy?.replicaDivisionPreference === "Weighted" && preference?.dynamicWeight === undefined) {
    let weights: Parts = members.map((one) => [one.name, staticWeight(one.cluster, preference?.staticWeightList)]);
    if (weights.every(([, weight]) => weight === 0)) weights = members.map((one) => [one.name, 1]);
    return divide(replicas, weights, descending);
  }
  const aggregated = strategy?.replicaDivisionPreference === "Aggregated";
  const held: Parts = (spec.clusters ?? [])
    .filter((target) => members.some((one) => one.name === target.name))
    .map((target) => [target.name, target.replicas ?? 0]);
  const heldBy = (name: string): number => held.find(([other]) => other === name)?.[1] ?? 0;
  const assigned = total(held.map(([, count]) => count));
  const asked = spec.rescheduleTriggeredAt ?? "";
  if (asked !== "" && status.lastScheduledTime !== undefined && asked > status.lastScheduledTime) {
    return divideRoom(
      replicas,
      members.map((one) => [one.name, one.room + heldBy(one.name)]),
      [],
      aggregated,
      descending,
    );
  }
  if (assigned === replicas) return held;
  if (assigned > replicas) return divideRoom(replicas, held, [], aggregated, descending);
  const first = held.filter(([, count]) => count > 0).map(([name]) => name);
  const rooms: Parts = members.map((one) => [one.name, one.room]);
  const added = divideRoom(replicas - assigned, rooms, first, aggregated, descending);
  if (added === undefined) return undefined;
  const names = new Set([...added, ...held].map(([name]) => name));
  return [...names].map((name) => [name, heldBy(name) + (added.find(([other]) => other === name)?.[1] ?? 0)]);
}

function staticWeight(
  cluster: Cluster,
  rules: readonly { targetCluster: ClusterAffinity; weight: number }[] | undefined,
): number {
  if (rules === undefined) return 1;
  return Math.max(0, ...rules.filter((rule) => clusterMatches(cluster, rule.targetCluster)).map((rule) => rule.weight));
}

function divideRoom(
  target: number,
  rooms: Parts,
  first: readonly string[],
  aggregated: boolean,
  descending: boolean,
): Parts | undefined {
  let list = [...rooms].sort((a, b) => b[1] - a[1]);
  // As Karmada: room is counted in 32 bits.
  if ((total(list.map(([, room]) => room)) | 0) < target) return undefined;
  if (aggregated) {
    list = [...list.filter(([name]) => first.includes(name)), ...list.filter(([name]) => !first.includes(name))];
    let sum = 0;
    const end = list.findIndex(([, room]) => {
      sum = (sum + room) | 0;
      return sum >= target;
    });
    list = list.slice(0, end + 1);
  }
  return divide(target, list, descending);
}

function divide(target: number, weights: Parts, descending: boolean): Parts {
  const parties = weights.filter(([, weight]) => weight > 0).map(([name, weight]) => ({ name, weight, seats: 0 }));
  for (let seat = 0; seat < target && parties.length > 0; seat++) {
    const quotient = (one: { weight: number; seats: number }): number => one.weight / (2 * one.seats + 1);
    parties.sort((a, b) => quotient(b) - quotient(a) || a.seats - b.seats || (a.name < b.name !== descending ? -1 : 1));
    (parties[0] as { seats: number }).seats++;
  }
  return parties.map((one) => [one.name, one.seats]);
}

function isOdd(uid: string): boolean {
  if (uid === "") return false;
  let hash = 0x811c9dc5;
  for (const char of uid) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash & 1) === 1;
}
