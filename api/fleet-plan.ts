// The clusters of a scenario, one by one: groups are told apart, and defaults filled in.
import type { FleetCluster, FleetNodePool } from "./fleet-clusters.ts";
import { type Draft, present } from "./fleet-rules/draft.ts";
import type { FleetScenario } from "./fleet-scenario.ts";
import type { ClusterFacts, NodeFacts } from "./fleet-targets.ts";

/** What a node has when its pool does not say: as a machine of the middle size of the large clouds. */
export const DEFAULT_NODE_RESOURCES: Readonly<Record<string, string>> = {
  cpu: "16",
  memory: "64Gi",
  pods: "110",
  "ephemeral-storage": "100Gi",
};
const DEFAULT_KUBERNETES_VERSION = "v1.36.3";
/** Nodes of a cluster that says nothing of them. */
export const DEFAULT_NODES = 3;

/** A pool with everything said. */
export interface PlannedPool {
  readonly name: string;
  readonly count: number;
  readonly resources: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly PlannedTaint[];
  /** The zones of its nodes, in turn; empty when there are none. */
  readonly zones: readonly string[];
  readonly kubernetesVersion: string;
}

interface PlannedTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** One cluster of a scenario. */
export interface PlannedCluster extends ClusterFacts {
  /** Where the scenario speaks of it: `clusters[2]`. */
  readonly field: string;
  readonly level: "full" | "fast" | "idle";
  /** Taints of the Cluster object. */
  readonly taints: readonly PlannedTaint[];
  readonly pools: readonly PlannedPool[];
  readonly network: FleetCluster["network"];
  readonly readyAfter: string | undefined;
  readonly jobRuns: string | undefined;
  readonly snapshot: string | undefined;
}

type Entry = Draft<FleetCluster>;

/** All clusters, in the order of the scenario. Of a scenario with mistakes, those whose name can be told. */
export function planClusters(scenario: Draft<FleetScenario>): PlannedCluster[] {
  const planned: PlannedCluster[] = [];
  for (const [index, entry] of present(scenario.clusters)) {
    for (const { name, traits } of membersOf(entry))
      planned.push(planCluster(scenario, `clusters[${index}]`, name, traits));
  }
  return planned;
}

/** The clusters of one entry: their names, and the entry as it holds for each. */
export function membersOf(entry: Entry): { readonly name: string; readonly traits: Entry }[] {
  if (entry.name !== undefined) return [{ name: entry.name, traits: entry }];
  const pattern = entry.names;
  if (pattern === undefined) return [];
  const places = [...present(entry.places)].map(([, place]) => place);
  const count = entry.count ?? Math.max(1, places.length);
  return Array.from({ length: count }, (_, index) => {
    const place = places.length === 0 ? {} : places[index % places.length]!;
    const { region, provider, zones, labels } = place;
    const traits: Entry = {
      ...entry,
      ...(region === undefined ? {} : { region }),
      ...(provider === undefined ? {} : { provider }),
      ...(zones === undefined ? {} : { zones }),
      labels: { ...entry.labels, ...labels },
    };
    return { name: nameOf(pattern, index + 1, traits), traits };
  });
}

/** The placeholders of patterns of names. */
export const NAME_PLACEHOLDERS = ["number", "region", "provider", "zone"] as const;
/** `{field}` or `{field:digits}` in a pattern of names. */
export const NAME_PLACEHOLDER = /\{([^{}:]*)(?::(\d{1,2}))?\}/g;

function nameOf(pattern: string, number: number, { region = "", provider = "", zones }: Entry): string {
  const values: Readonly<Record<string, string>> = { region, provider, zone: zones?.[0] ?? "" };
  return pattern.replace(NAME_PLACEHOLDER, (whole, word: string, digits: string | undefined) =>
    word === "number" ? String(number).padStart(Number(digits ?? 1), "0") : (values[word] ?? whole),
  );
}

function planCluster(scenario: Draft<FleetScenario>, field: string, name: string, own: Entry): PlannedCluster {
  const defaults = scenario.defaults ?? {};
  const version = own.kubernetesVersion ?? defaults.kubernetesVersion ?? DEFAULT_KUBERNETES_VERSION;
  const zones = texts(own.zones ?? defaults.zones);
  const pools = poolsOf(own, defaults).map((pool) => planPool(pool, zones, version));
  return {
    name,
    field,
    level: own.level ?? defaults.level ?? scenario.level ?? "full",
    region: own.region ?? defaults.region,
    provider: own.provider ?? defaults.provider,
    labels: known({ ...defaults.labels, ...own.labels }),
    zones: [...new Set([...zones, ...pools.flatMap((pool) => pool.zones)])],
    taints: taintsOf(own.taints ?? defaults.taints),
    kubernetesVersion: version,
    pools,
    nodes: pools.flatMap((pool) => nodesOf(name, pool)),
    // What rules have found wrong is not used.
    network: (own.network ?? defaults.network) as FleetCluster["network"],
    readyAfter: own.readyAfter ?? defaults.readyAfter,
    jobRuns: own.jobRuns ?? defaults.jobRuns,
    snapshot: own.snapshot ?? defaults.snapshot,
  };
}

/** Nodes that a cluster speaks of itself count instead of those of the defaults. */
function poolsOf(own: Entry, defaults: Entry): Draft<FleetNodePool>[] {
  const speaks = own.nodes !== undefined || own.nodePools !== undefined ? own : defaults;
  const pools = [...present(speaks.nodePools)].map(([, pool]) => pool);
  const nodes = speaks.nodes ?? (speaks.nodePools === undefined ? DEFAULT_NODES : 0);
  return nodes === 0 ? pools : [{ name: "node", count: nodes }, ...pools];
}

function planPool(pool: Draft<FleetNodePool>, zones: readonly string[], version: string): PlannedPool {
  const resources = amounts({ ...DEFAULT_NODE_RESOURCES, ...pool.resources });
  return {
    name: pool.name ?? "",
    count: pool.count ?? 1,
    resources,
    allocatable: { ...resources, ...amounts(pool.allocatable ?? {}) },
    labels: known(pool.labels ?? {}),
    taints: taintsOf(pool.taints),
    zones: pool.zone === undefined ? zones : [pool.zone],
    kubernetesVersion: pool.kubernetesVersion ?? version,
  };
}

function nodesOf(cluster: string, { name, count, zones, resources }: PlannedPool): NodeFacts[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${cluster}-${name}-${index}`,
    zone: zones[index % zones.length],
    capacity: resources,
  }));
}

function taintsOf(taints: Entry["taints"]): PlannedTaint[] {
  return [...present(taints)].flatMap(([, { key, value, effect }]) =>
    key === undefined || effect === undefined ? [] : [{ key, effect, ...(value === undefined ? {} : { value }) }],
  );
}

function texts(list: readonly (string | undefined)[] | undefined): string[] {
  return [...present(list)].map(([, text]) => text);
}

function known(map: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function amounts(map: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, amount]) => [name, String(amount ?? "")]));
}
