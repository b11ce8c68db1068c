// The fleet as one decision saw it, in few bytes: of each cluster only what the placement looks at, equal ones once.

import { hash } from "node:crypto";
import type { ClusterAffinity, Placement } from "../../../api/policy.ts";
import type { ObjectReference, ResourceBindingSpec } from "../../../api/work.ts";
import type { EstimateTable } from "../estimates/estimate-tables.ts";
import type { ClusterRecord } from "../fleet/cluster-record.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { PlacementPlan } from "../fleet/plan.ts";
import { isWorkload } from "../workload.ts";
import { foldNames, foldRuns, pack } from "./record-packing.ts";

/** The longest text that a fleet takes. */
const MAX_TEXT = 3_072;

/** Stands for a column that was left out because it did not fit. */
export const LEFT_OUT = "-";

/** What of a cluster a placement looks at; keys are short because they are stored. */
export interface Projection {
  /** Being deleted. */
  readonly d?: 1;
  /** Does not serve the resource: how many API versions it reports, and whether that is all of them. */
  readonly n?: readonly [count: number, complete: 0 | 1];
  readonly l?: Readonly<Record<string, string>>;
  readonly r?: string;
  readonly p?: string;
  readonly z?: readonly string[];
  /** Taints that keep workloads away unless they are tolerated: key, value, effect. */
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
  /** How many are admitted. */
  readonly count: number;
  readonly texts: WeakMap<EstimateTable, Seen>;
}

/** A text, and how many changes of the table it has seen. */
interface Seen {
  readonly seen: number;
  readonly text: string;
}

interface FleetTexts {
  readonly names: string;
  readonly namesDigest: string;
  /** Projections by what placements look at: many placements look at the same. */
  readonly projections: Map<string, { readonly filtersVersion: number; readonly text: string }>;
}

/** By the list of clusters, which is another one as soon as a cluster comes or goes. */
const FLEETS = new WeakMap<readonly ClusterRecord[], FleetTexts>();
const COLUMNS = new WeakMap<PlacementPlan, Map<number, Columns>>();
/** Estimates of all clusters, for placements that admit most of them. */
const ROOM = new WeakMap<EstimateTable, Seen>();
const MAX_PROJECTIONS = 256;

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
  const estimates = table === undefined ? "" : packRoom(table, columns);
  const text = shorten(textsOf(fleet.records), columns.projections, estimates);
  columns.texts.set(none, { seen, text });
  return { text, admitted: columns.admitted };
}

/** All estimates where most clusters are admitted, else pairs of position and estimate. */
function packRoom(table: EstimateTable, { admitted, count }: Columns): string {
  const { values } = table;
  if (count * 3 >= values.length) {
    const seen = table.changes.length;
    let known = ROOM.get(table);
    if (known?.seen !== seen) {
      known = { seen, text: pack(Array.from(values)) };
      ROOM.set(table, known);
    }
    return known.text;
  }
  const pairs: number[] = [];
  for (let position = 0; position < admitted.length; position++) {
    if (admitted[position] === 1) pairs.push(position, values[position] as number);
  }
  return pack({ at: pairs });
}

/** Stands for "nothing was estimated" where a key is needed. */
const NO_TABLE = { changes: [] } as unknown as EstimateTable;

function shorten({ names, namesDigest }: FleetTexts, projections: string, room: string): string {
  const variants = [
    [names, projections, room],
    [`=${namesDigest}`, projections, room],
    [`=${namesDigest}`, projections, LEFT_OUT],
    [`=${namesDigest}`, LEFT_OUT, LEFT_OUT],
  ];
  const texts = variants.map((parts) => parts.join("."));
  return texts.find((text) => text.length <= MAX_TEXT) ?? (texts.at(-1) as string);
}

function textsOf(records: readonly ClusterRecord[]): FleetTexts {
  let known = FLEETS.get(records);
  if (known === undefined) {
    const names = records.map((record) => record.name);
    known = { names: pack(foldNames(names)), namesDigest: digestNames(names), projections: new Map() };
    FLEETS.set(records, known);
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
    const admitted = new Uint8Array(fleet.records.length);
    let count = 0;
    for (let position = 0; position < admitted.length; position++) {
      for (const plan of plans) {
        if (((plan.refusals[position] as number) & mask) !== 0) continue;
        admitted[position] = 1;
        count++;
        break;
      }
    }
    const projections = projectFleet(fleet, spec.placement ?? {}, spec.resource);
    columns = { filtersVersion: fleet.filtersVersion, projections, admitted, count, texts: new WeakMap() };
    byMask.set(mask, columns);
  }
  return columns;
}

function projectFleet(
  fleet: FleetIndex,
  placement: Placement,
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
): string {
  const { filtersVersion, records } = fleet;
  const lookedAt = whatIsLookedAt(placement);
  const { projections } = textsOf(records);
  const { labels, region, provider, zones } = lookedAt;
  const asked = [resource.apiVersion, resource.kind, [...labels].sort(), region, provider, zones];
  const key = JSON.stringify(asked);
  const known = projections.get(key);
  if (known?.filtersVersion === filtersVersion) return known.text;
  const kinds = new Map<string, number>();
  const distinct: Projection[] = [];
  const indices = records.map((record) => {
    const projection = project(record, resource, lookedAt);
    const content = JSON.stringify(projection);
    let index = kinds.get(content);
    if (index === undefined) {
      index = distinct.push(projection) - 1;
      kinds.set(content, index);
    }
    return index;
  });
  const text = pack([distinct, foldRuns(indices)]);
  if (projections.size >= MAX_PROJECTIONS) projections.clear();
  projections.set(key, { filtersVersion, text });
  return text;
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
  resource: Pick<ObjectReference, "apiVersion" | "kind">,
  lookedAt: LookedAt,
): Projection {
  const { region, provider, zones } = cluster.spec;
  const labels = Object.entries(cluster.metadata.labels ?? {}).filter(([key]) => lookedAt.labels.has(key));
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
    ...(taints.length === 0 ? {} : { t: taints.map(({ key, value, effect }) => [key, value ?? "", effect] as const) }),
  };
}
