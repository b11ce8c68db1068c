// Which faults of a simulated fleet cannot be had together, or not at all in this fleet.
import { quantitySign } from "../kube/quantity.ts";
import { type Loss, remainingQuantities } from "./fleet-capacity.ts";
import { lasts, type Windows, windowsMeet, windowsOf } from "./fleet-fault-windows.ts";
import type { Fault, FaultOf, FaultType, Party } from "./fleet-faults.ts";
import {
  type ClusterFacts,
  matchesPattern,
  patternsMeet,
  targetClusters,
  targetNodes,
  targetWords,
} from "./fleet-targets.ts";

/** A fault and when it lasts. */
export interface PlannedFault {
  readonly fault: Fault;
  /** How messages name it: its name, its id, or its place in a file. */
  readonly label: string;
  /** From when its times count, in milliseconds. */
  readonly startMs: number;
}

interface Contradiction {
  /** Places in the list of the fault that is refused, and of the one that stands against it if there is one. */
  readonly faults: readonly [number, number?];
  readonly words: string;
}

/** What a fault does to the answers of an API, in words that follow "cannot both". */
const ANSWERS: Readonly<Partial<Record<FaultType, string>>> = {
  down: "refuse connections",
  hang: "never answer",
  slow: "answer late",
  errors: "answer with errors",
  throttle: "answer 429",
  unhealthy: "answer that it is not ready",
  "expired-credentials": "answer 401",
  "watch-drop": "serve watches",
  "api-group-missing": "answer 404",
};
const SILENT: readonly FaultType[] = ["down", "hang"];
/** Of these, one at a time: two would mean two values of one thing. */
const SINGULAR: Readonly<Partial<Record<FaultType, string>>> = {
  slow: "have two latencies",
  "clock-skew": "have two wrong times",
  "watch-drop": "end watches in two ways",
};

/**
 * Everything that is contradictory in a plan. Each fault is weighed against those before it. An outage stands above all
 * others: it hides what else is wrong, and does not contradict it.
 */
export function faultContradictions(
  planned: readonly PlannedFault[],
  clusters: readonly ClusterFacts[],
): readonly Contradiction[] {
  const entries = planned.map(({ fault, label, startMs }): Entry => {
    const meant = targetClusters(fault.target, clusters);
    const names = new Set(meant.map(({ name }) => name));
    return { fault, label, windows: windowsOf(fault, startMs), clusters: meant, names };
  });
  return entries.flatMap((entry, index) => [
    ...ownProblems(entry, clusters).map((words): Contradiction => ({ faults: [index], words })),
    ...entries.slice(0, index).flatMap((other, at) => {
      const words = pairProblem(other, entry);
      return words === undefined ? [] : [{ faults: [index, at], words } satisfies Contradiction];
    }),
    ...shrinkProblems(entries.slice(0, index), entry).map(
      ({ at, words }): Contradiction => ({ faults: at === undefined ? [index] : [index, at], words }),
    ),
    ...(entry.fault.type === "restore" ? restoreProblems(entry.fault, entry, entries) : []).map(
      (words): Contradiction => ({ faults: [index], words }),
    ),
  ]);
}

interface Entry {
  readonly fault: Fault;
  readonly label: string;
  readonly windows: Windows;
  readonly clusters: readonly ClusterFacts[];
  /** Of the clusters. */
  readonly names: ReadonlySet<string>;
}

/** What makes a fault impossible in this fleet by itself. */
function ownProblems(entry: Entry, fleet: readonly ClusterFacts[]): string[] {
  const { fault, label, clusters } = entry;
  if (clusters.length === 0) return [`${label}: the fleet has no cluster for ${targetWords(fault.target)}`];
  switch (fault.type) {
    case "node-down":
    case "capacity-shrink":
    case "slow-disk": {
      const nodes = clusters.map((cluster) => targetNodes(fault.target, cluster).length);
      const all = nodes.reduce((sum, count) => sum + count, 0);
      if (all === 0) return [`${label}: no cluster has a node for ${targetWords(fault.target)}`];
      if (fault.type === "node-down" && fault.count !== undefined && fault.count > all)
        return [`${label}: ${fault.count} nodes cannot go down: ${targetWords(fault.target)} has ${all}`];
      return [];
    }
    case "upgrade":
      return clusters
        .filter(({ kubernetesVersion }) => compareVersions(fault.to, kubernetesVersion) <= 0)
        .map(
          ({ name, kubernetesVersion }) =>
            `${label}: cluster ${name} runs ${kubernetesVersion}: an upgrade to ${fault.to} leads nowhere, or back`,
        );
    case "api-group-missing":
      return fault.group.includes("/") || fault.group === "v1"
        ? [`${label}: ${fault.group} is no name of an API group`]
        : [];
    case "partition":
      return partitionProblems(entry, fleet);
    default:
      return [];
  }
}

/** Clusters that a partition would part from themselves, and parties that nobody is. */
function partitionProblems({ fault, label, clusters }: Entry, fleet: readonly ClusterFacts[]): string[] {
  if (fault.type !== "partition") return [];
  return fault.from.flatMap((party) => {
    if (!party.startsWith("cluster:")) return [];
    const pattern = party.slice("cluster:".length);
    const named = fleet.filter(({ name }) => matchesPattern(pattern, name));
    if (named.length === 0) return [`${label}: the fleet has no cluster ${pattern}, from which to part others`];
    const own = clusters.find(({ name }) => name === pattern || (named.length === 1 && named[0]?.name === name));
    const isOwn = own !== undefined && (pattern === own.name || clusters.length === 1);
    return isOwn ? [`${label}: cluster ${own.name} cannot be parted from itself (target and from both mean it)`] : [];
  });
}

/** Why two faults cannot be there at once; undefined when they can, or never meet. */
function pairProblem(before: Entry, after: Entry): string | undefined {
  const conflict = conflictOf(before.fault, after.fault);
  if (conflict === undefined || !windowsMeet(before.windows, after.windows)) return undefined;
  const common = before.clusters.find(
    (cluster) =>
      after.names.has(cluster.name) && (conflict.nodes !== true || nodesMeet(before.fault, after.fault, cluster)),
  );
  if (common === undefined) return undefined;
  return `${after.label} contradicts ${before.label}: cluster ${common.name} cannot ${conflict.words}`;
}

interface Conflict {
  readonly words: string;
  /** Only where they concern the same nodes. */
  readonly nodes?: boolean;
}

function conflictOf(one: Fault, other: Fault): Conflict | undefined {
  const [oneAnswers, otherAnswers] = [ANSWERS[one.type], ANSWERS[other.type]];
  if (oneAnswers !== undefined && otherAnswers !== undefined && callersMeet(one, other)) {
    const isSilent = SILENT.includes(one.type) || SILENT.includes(other.type);
    if (one.type !== other.type && isSilent) return { words: `both ${oneAnswers} and ${otherAnswers}` };
    const rate = rateOf(one) + rateOf(other);
    if (rateOf(one) > 0 && rateOf(other) > 0 && rate > 100)
      return { words: `fail ${rate} % of its requests (${rateOf(one)} % and ${rateOf(other)} %)` };
  }
  const singular = SINGULAR[one.type];
  if (one.type === other.type && singular !== undefined && callersMeet(one, other)) return { words: singular };
  if (one.type === "slow-disk" && other.type === "slow-disk")
    return { words: "have disks that are slow in two ways", nodes: true };
  const images = imagesOf(one).find((pattern) => imagesOf(other).some((each) => patternsMeet(pattern, each)));
  if (one.type !== other.type && images !== undefined) return { words: `both fail to pull ${images} and see it crash` };
  if (one.type === "upgrade" || other.type === "upgrade") return upgradeConflict(one, other);
  const momentary = [one, other].find((each) => !lasts(each));
  if (momentary !== undefined && [one, other].some((each) => each.type === "outage"))
    return { words: `have a ${momentary.type} without power` };
  return undefined;
}

function upgradeConflict(one: Fault, other: Fault): Conflict | undefined {
  if (one.type === other.type) return { words: "be upgraded twice at once" };
  if (one.type === "outage" || other.type === "outage") return { words: "begin an upgrade without power" };
  return undefined;
}

function rateOf(fault: Fault): number {
  return fault.type === "errors" || fault.type === "throttle" ? (fault.percent ?? 100) : 0;
}

function imagesOf(fault: Fault): readonly string[] {
  return fault.type === "crash-loop" || fault.type === "image-pull-failure" ? fault.images : [];
}

/** Whether a request may meet both. */
function callersMeet(one: Fault, other: Fault): boolean {
  const [some, others] = [callersOf(one), callersOf(other)];
  if (some === undefined || others === undefined) return true;
  return some.some((party) => others.some((each) => patternsMeet(party, each)));
}

function callersOf(fault: Fault): readonly Party[] | undefined {
  return "callers" in fault ? fault.callers : undefined;
}

function nodesMeet(one: Fault, other: Fault, cluster: ClusterFacts): boolean {
  const names = new Set(targetNodes(one.target, cluster).map(({ name }) => name));
  return targetNodes(other.target, cluster).some(({ name }) => names.has(name));
}

/** Nodes that would have less than nothing. */
function shrinkProblems(
  before: readonly Entry[],
  entry: Entry,
): { readonly at: number | undefined; readonly words: string }[] {
  const { fault, label, clusters, windows } = entry;
  if (fault.type !== "capacity-shrink") return [];
  for (const cluster of clusters) {
    for (const node of targetNodes(fault.target, cluster)) {
      const losses: Loss[] = [];
      let last: number | undefined;
      before.forEach((other, at) => {
        if (other.fault.type !== "capacity-shrink" || !windowsMeet(other.windows, windows)) return;
        if (!other.names.has(cluster.name)) return;
        if (!targetNodes(other.fault.target, cluster).some(({ name }) => name === node.name)) return;
        losses.push(other.fault.by);
        if (belowZero(node.capacity, [...losses, fault.by]) !== undefined) last ??= at;
      });
      const resource = belowZero(node.capacity, [...losses, fault.by]);
      const unknown = Object.keys(fault.by).find((each) => !Object.hasOwn(node.capacity, each));
      if (resource !== undefined) {
        const what = `node ${node.name} has ${node.capacity[resource]} of ${resource}`;
        const other = last === undefined ? undefined : before[last]?.label;
        const words =
          other === undefined
            ? `${label}: ${what}: it cannot lose ${fault.by[resource]}`
            : `${label} contradicts ${other}: ${what}: together they take more than that`;
        return [{ at: last, words }];
      }
      if (unknown !== undefined) return [{ at: undefined, words: `${label}: node ${node.name} has no ${unknown}` }];
    }
  }
  return [];
}

function belowZero(capacity: Readonly<Record<string, string>>, losses: readonly Loss[]): string | undefined {
  for (const [resource, left] of remainingQuantities(capacity, losses)) if (quantitySign(left) < 0) return resource;
  return undefined;
}

function restoreProblems(fault: FaultOf<"restore">, entry: Entry, entries: readonly Entry[]): string[] {
  const backups = entries.filter(
    (other) =>
      other.fault.type === "backup" &&
      other.windows.startMs <= entry.windows.startMs &&
      (fault.backup === undefined || other.fault.name === fault.backup),
  );
  const missing = entry.clusters.find(
    (cluster) =>
      cluster.backups?.some((name) => fault.backup === undefined || name === fault.backup) !== true &&
      !backups.some((backup) => backup.clusters.some(({ name }) => name === cluster.name)),
  );
  if (missing === undefined) return [];
  const which = fault.backup === undefined ? "no backup" : `no backup ${fault.backup}`;
  return [`${entry.label}: ${which} of cluster ${missing.name} has been taken by then`];
}

/** Below 0 when `one` is older. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => (/^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (a?.[part] ?? 0) - (b?.[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
