// The fleet as one decision saw it, in few bytes: of each cluster only what the placement looks at, equal ones once.

import { hash } from "node:crypto";
import type { Cluster, Taint } from "../../api/cluster.ts";
import type { ClusterAffinity, Placement } from "../../api/policy.ts";
import type { ObjectReference, ResourceBindingSpec } from "../../api/work.ts";
import { isObject } from "../../kube/object.ts";
import { tolerates } from "../../kube/taints.ts";
import type { ClusterRecord } from "./cluster-record.ts";
import type { EstimateTable } from "./estimate-tables.ts";
import type { FleetIndex } from "./fleet-index.ts";
import type { PlacementPlan } from "./plan.ts";
import { foldNames, foldRuns, pack, unfoldNames, unfoldRuns, unpack } from "./record-packing.ts";
import { isWorkload } from "./workload.ts";

/** The longest text that a fleet takes. */
const MAX_TEXT = 3_072;

/** Stands for a column that was left out because it did not fit. */
const LEFT_OUT = "-";

/** What of a cluster a placement looks at; keys are short because they are stored. */
interface Projection {
  /** Being deleted. */
  readonly d?: 1;
  /** Does not serve the resource: how many API versions it reports, and whether that is all of them. */
  readonly n?: readonly [count: number, complete: 0 | 1];
  readonly l?: Readonly<Record<string, string>>;
  readonly r?: string;
  readonly p?: string;
  readonly z?: readonly string[];
  /** Taints that keep the workload away: key, value, effect. */
  readonly t?: readonly (readonly [key: string, value: string, effect: string])[];
}

interface LookedAt {
  readonly labels: ReadonlySet<string>;
  readonly region: boolean;
  readonly provider: boolean;
  readonly zones: boolean;
}

export interface FleetText {
  readonly text: string;
  /** By position: 1 where the placement's own filters let the cluster in, under any of its affinity groups. */
  readonly admitted: Uint8Array;
}

interface Columns {
  readonly filtersVersion: number;
  readonly projections: string;
  readonly admitted: Uint8Array;
  readonly texts: WeakMap<EstimateTable, { readonly seen: number; readonly text: string }>;
}

const NAMES = new WeakMap<readonly ClusterRecord[], { readonly packed: string; readonly digest: string }>();
const COLUMNS = new WeakMap<PlacementPlan, Map<number, Columns>>();

/** The fleet's text, made once for all bindings that share a placement, a state of the fleet and a table of estimates. */
export function describeFleet(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  table: EstimateTable | undefined,
  mask: number,
): FleetText {
  const placement = spec.placement ?? {};
  const groups = placement.clusterAffinity == null ? (placement.clusterAffinities ?? []) : [];
  const workload = isWorkload(spec);
  const plans = (groups.length === 0 ? [""] : groups.map((group) => group.affinityName)).map((name) =>
    fleet.plan(placement, spec.resource, name, workload),
  );
  const columns = columnsOf(fleet, spec, plans, mask);
  const none = table ?? NO_TABLE;
  const seen = none.changes.length;
  const known = columns.texts.get(none);
  if (known?.seen === seen) return { text: known.text, admitted: columns.admitted };
  const estimates =
    table === undefined
      ? ""
      : pack(Array.from(table.values, (value, position) => (columns.admitted[position] === 1 ? value : 0)));
  const text = shorten(namesOf(fleet.records), columns.projections, estimates);
  columns.texts.set(none, { seen, text });
  return { text, admitted: columns.admitted };
}

/** Stands for "nothing was estimated" where a key is needed. */
const NO_TABLE = { changes: [] } as unknown as EstimateTable;

function shorten(
  names: { readonly packed: string; readonly digest: string },
  projections: string,
  room: string,
): string {
  const variants = [
    [names.packed, projections, room],
    [`=${names.digest}`, projections, room],
    [`=${names.digest}`, projections, LEFT_OUT],
    [`=${names.digest}`, LEFT_OUT, LEFT_OUT],
  ];
  const texts = variants.map((parts) => parts.join("."));
  return texts.find((text) => text.length <= MAX_TEXT) ?? (texts.at(-1) as string);
}

function namesOf(records: readonly ClusterRecord[]): { readonly packed: string; readonly digest: string } {
  let known = NAMES.get(records);
  if (known === undefined) {
    const names = records.map((record) => record.name);
    known = { packed: pack(foldNames(names)), digest: digestNames(names) };
    NAMES.set(records, known);
  }
  return known;
}

/** Tells lists of names apart. */
export function digestNames(names: readonly string[]): string {
  return hash("sha256", JSON.stringify(names), "hex").slice(0, 16);
}

function columnsOf(
  fleet: FleetIndex,
  spec: ResourceBindingSpec,
  plans: readonly PlacementPlan[],
  mask: number,
): Columns {
  const [first] = plans as readonly [PlacementPlan];
  let byMask = COLUMNS.get(first);
  if (byMask === undefined) {
    byMask = new Map();
    COLUMNS.set(first, byMask);
  }
  let columns = byMask.get(mask);
  if (columns === undefined || columns.filtersVersion !== fleet.filtersVersion) {
    const admitted = Uint8Array.from(fleet.records, (_, position) =>
      plans.some((plan) => ((plan.refusals[position] as number) & mask) === 0) ? 1 : 0,
    );
    const projections = projectFleet(fleet.records, spec.placement ?? {}, spec.resource);
    columns = { filtersVersion: fleet.filtersVersion, projections, admitted, texts: new WeakMap() };
    byMask.set(mask, columns);
  }
  return columns;
}

function projectFleet(
  records: readonly ClusterRecord[],
  placement: Placement,
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
): string {
  const lookedAt = whatIsLookedAt(placement);
  const kinds = new Map<string, number>();
  const distinct: Projection[] = [];
  const indices = records.map((record) => {
    const projection = project(record, placement, resource, lookedAt);
    const key = JSON.stringify(projection);
    let index = kinds.get(key);
    if (index === undefined) {
      index = distinct.push(projection) - 1;
      kinds.set(key, index);
    }
    return index;
  });
  return pack([distinct, foldRuns(indices)]);
}

function whatIsLookedAt(placement: Placement): LookedAt {
  const affinities: readonly ClusterAffinity[] = [
    ...(placement.clusterAffinity == null ? [] : [placement.clusterAffinity]),
    ...(placement.clusterAffinities ?? []).flatMap((group) => [group, ...(group.overflowAffinities ?? [])]),
    ...(placement.replicaScheduling?.weightPreference?.staticWeightList ?? []).map((rule) => rule.targetCluster),
  ];
  const labels = new Set<string>();
  const fields = new Set<string>(
    (placement.spreadConstraints ?? []).map((constraint) => constraint.spreadByField ?? ""),
  );
  for (const { spreadByLabel } of placement.spreadConstraints ?? []) if (spreadByLabel) labels.add(spreadByLabel);
  for (const { labelSelector, fieldSelector } of affinities) {
    for (const key of Object.keys(labelSelector?.matchLabels ?? {})) labels.add(key);
    for (const { key } of labelSelector?.matchExpressions ?? []) labels.add(key);
    for (const { key } of fieldSelector?.matchExpressions ?? []) fields.add(key);
  }
  return { labels, region: fields.has("region"), provider: fields.has("provider"), zones: fields.has("zone") };
}

function project(
  { cluster, deleting, taints }: ClusterRecord,
  placement: Placement,
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
  lookedAt: LookedAt,
): Projection {
  const { region, provider, zones } = cluster.spec;
  const labels = Object.entries(cluster.metadata.labels ?? {}).filter(([key]) => lookedAt.labels.has(key));
  const away = taints.filter((taint) => !(placement.clusterTolerations ?? []).some((one) => tolerates(one, taint)));
  const enablements = cluster.status?.apiEnablements ?? [];
  const serves = enablements.some(
    (entry) =>
      entry.groupVersion === resource.apiVersion && (entry.resources ?? []).some(({ kind }) => kind === resource.kind),
  );
  const complete = cluster.status?.conditions?.some(
    ({ type, status }) => type === "CompleteAPIEnablements" && status === "True",
  );
  return {
    ...(deleting ? { d: 1 } : {}),
    ...(serves ? {} : { n: [enablements.length, complete === true ? 1 : 0] }),
    ...(labels.length === 0 ? {} : { l: Object.fromEntries(labels.sort(([a], [b]) => (a < b ? -1 : 1))) }),
    ...(lookedAt.region && region ? { r: region } : {}),
    ...(lookedAt.provider && provider ? { p: provider } : {}),
    ...(lookedAt.zones && zones != null && zones.length > 0 ? { z: zones } : {}),
    ...(away.length === 0 ? {} : { t: away.map(({ key, value, effect }) => [key, value ?? "", effect] as const) }),
  };
}

export interface RestoredFleet {
  /** In the order of positions; absent when they were left out and nothing known has them. */
  readonly names: readonly string[] | undefined;
  /** Clusters that a decision cannot tell from those of then; absent when a column was left out. */
  readonly clusters: readonly Cluster[] | undefined;
  /** What was left out: `names`, `clusters`, `estimates`. */
  readonly without: readonly string[];
}

export interface RestoreRequest {
  /** How many clusters there were. */
  readonly size: number;
  readonly resource: Pick<ObjectReference, "apiVersion" | "kind">;
  /** Lists of names, sorted, among which the fleet's may be when the text has only their digest. */
  readonly knownNames: readonly (readonly string[])[];
  /** Pods that one replica, or one set of components, stands for. */
  readonly podsPerUnit: number;
  /** Estimates of clusters that only this binding may use, by name. */
  readonly roomOf: (names: readonly string[]) => ReadonlyMap<string, number>;
}

/** The fleet behind a text of `describeFleet`. Throws an Error that says which part is broken. */
export function restoreFleet(text: string, request: RestoreRequest): RestoredFleet {
  const parts = text.split(".");
  if (parts.length !== 3) throw new Error("it should have three parts: names, clusters, estimates");
  const [packedNames = "", packedClusters = "", packedRoom = ""] = parts;
  const { size } = request;
  const names = restoreNames(packedNames, request);
  const projections = packedClusters === LEFT_OUT ? undefined : restoreProjections(packedClusters, size);
  const room = packedRoom === LEFT_OUT ? undefined : restoreRoom(packedRoom, size);
  const without = [
    ...(names === undefined ? ["names"] : []),
    ...(projections === undefined ? ["clusters"] : []),
    ...(room === undefined ? ["estimates"] : []),
  ];
  if (names === undefined || projections === undefined || room === undefined) {
    return { names, clusters: undefined, without };
  }
  const own = request.roomOf(names);
  const clusters = names.map((name, position) => {
    const units = own.get(name) ?? room[position] ?? 0;
    return restoreCluster(name, projections[position] ?? {}, units * request.podsPerUnit, request.resource);
  });
  return { names, clusters, without };
}

function restoreNames(packed: string, { size, knownNames }: RestoreRequest): readonly string[] | undefined {
  if (packed.startsWith("="))
    return knownNames.find((names) => names.length === size && packed === `=${digestNames(names)}`);
  const names = unfoldNames(part("names", packed));
  if (names === undefined || names.length !== size) throw new Error(`its names are not those of ${size} clusters`);
  return names;
}

function restoreProjections(packed: string, size: number): readonly Projection[] {
  const value = part("clusters", packed);
  const [distinct, runs]: unknown[] = Array.isArray(value) ? value : [];
  const indices = unfoldRuns(runs, size);
  if (!Array.isArray(distinct) || indices === undefined) throw new Error(`its clusters are not ${size}`);
  return indices.map((index) => {
    const projection: unknown = distinct[index];
    if (!isObject(projection)) throw new Error("its clusters are incomplete");
    // Written by `project`; what is odd in it makes an odd cluster, not a wrong type that anything relies on.
    return projection as Projection;
  });
}

function restoreRoom(packed: string, size: number): readonly number[] {
  if (packed === "") return [];
  const value = part("estimates", packed);
  if (
    !Array.isArray(value) ||
    value.length !== size ||
    !value.every((entry) => Number.isInteger(entry) && entry >= 0)
  ) {
    throw new Error(`its estimates are not ${size} whole numbers`);
  }
  return value as number[];
}

function part(name: string, packed: string): unknown {
  try {
    return unpack(packed);
  } catch (error) {
    throw new Error(`its ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function restoreCluster(
  name: string,
  projection: Projection,
  pods: number,
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
): Cluster {
  const { d, n, l, r, p, z, t } = projection;
  const served = { groupVersion: resource.apiVersion, resources: [{ name: "", kind: resource.kind }] };
  const other = { groupVersion: "", resources: [] };
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: {
      name,
      ...(l === undefined ? {} : { labels: { ...l } }),
      ...(d === undefined ? {} : { deletionTimestamp: "1970-01-01T00:00:00Z" }),
    },
    spec: {
      syncMode: "Push",
      ...(r === undefined ? {} : { region: r }),
      ...(p === undefined ? {} : { provider: p }),
      ...(z === undefined ? {} : { zones: [...z] }),
      ...(t === undefined ? {} : { taints: t.map(restoreTaint) }),
    },
    status: {
      apiEnablements: n === undefined ? [served] : Array.from({ length: Math.min(n[0], 10_000) }, () => other),
      conditions:
        n?.[1] === 1
          ? [
              {
                type: "CompleteAPIEnablements",
                status: "True",
                reason: "",
                message: "",
                lastTransitionTime: "1970-01-01T00:00:00Z",
              },
            ]
          : [],
      resourceSummary: { allocatable: { pods: String(pods) } },
    },
  };
}

function restoreTaint([key, value, effect]: readonly [string, string, string]): Taint {
  // One of the three effects: it was read from a valid cluster.
  return { key, ...(value === "" ? {} : { value }), effect: effect as Taint["effect"] };
}
