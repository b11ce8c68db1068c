// The compact record of a decision, stored with its binding: a smaller problem with the same answer.
//
// Two annotations. `decision` is JSON about this binding: when, why, what was asked, what came out. `decision-fleet` is
// the fleet as the placement looks at it, the same text for every binding that shares it. Together at most 4 KiB: what
// does not fit is left out, and the record says so.

import { hash } from "node:crypto";
import type { TargetCluster } from "../../../api/work.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { APPLIED_PLACEMENT_ANNOTATION } from "../applied-placement.ts";
import type { SchedulingDecision } from "../decide-scheduling.ts";
import { estimatesNothing, ownSources, sharedEstimates } from "../estimates/estimates.ts";
import { enabledMask, type FilterName } from "../fleet/filters.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Binding, OccasionKind } from "../occasion.ts";
import {
  DEFAULT_GATES,
  pluginRefusalOf,
  resolveGates,
  type SchedulerGates,
  type SchedulingOptions,
} from "../options.ts";
import { namesDescend, recordScores } from "../schedule.ts";
import { isRescheduleRequested, placesSets } from "../workload.ts";
import { describeFleet } from "./record-fleet.ts";
import { pack } from "./record-packing.ts";
import { answerText, type RecordedAnswer, recordAnswer } from "./recorded-decision.ts";

export const DECISION_ANNOTATION = "scheduling.flaghoist.io/decision";
export const DECISION_FLEET_ANNOTATION = "scheduling.flaghoist.io/decision-fleet";

/** The newest form that this program reads and the one it writes. */
export const RECORD_VERSION = 1;

const MAX_RECORD = 4_096;
/** Lists longer than this are compressed. */
const MAX_PLAIN_LIST = 360;
const MAX_REASON = 160;

/** Names and numbers in turn, or the same compressed with positions for names. */
export type List = readonly (string | number)[] | string;

/** The annotation `decision`. */
export interface OwnRecord {
  readonly v: number;
  readonly at: string;
  readonly occasion: OccasionKind;
  readonly reason: string;
  /** Version of the fleet, and how many clusters it had. */
  readonly fleet: readonly [version: number, clusters: number];
  readonly placement: string;
  readonly replicas?: number;
  /** Has requirements, whatever they are. */
  readonly needs?: 1;
  readonly components?: readonly (readonly [name: string, replicas: number])[];
  /** Equals go to the last name: the UID of the resource has it so. */
  readonly descending?: 1;
  readonly fresh?: 1;
  readonly group?: string;
  readonly before?: List;
  readonly evicting?: List;
  /** Estimates of clusters that the placement itself no longer admits. */
  readonly room?: List;
  readonly lowered?: readonly (readonly [source: string, replicas: List])[];
  /** Sums of the scores of expressions and plugins. */
  readonly scores?: List;
  readonly refused?: readonly (readonly [plugin: string, reason: string, clusters: List])[];
  readonly together?: List;
  readonly apart?: List;
  readonly gates?: Readonly<Record<string, boolean>>;
  readonly disabled?: readonly FilterName[];
  readonly empty?: 1;
  readonly nolocality?: 1;
  readonly compatibility?: "1.18" | "1.19";
  readonly used?: string;
  readonly error?: string;
  readonly result?: List;
  readonly answer: string;
  readonly without?: readonly string[];
}

export interface RecordRequest {
  /** As it was decided about: with the clusters it had before. */
  readonly binding: Binding;
  readonly fleet: FleetIndex;
  readonly options: SchedulingOptions;
  readonly decision: SchedulingDecision;
  readonly now: number;
}

/**
 * The annotations that record a decision that was just made over this state of the fleet; none for one that changes
 * nothing of the binding, so that recording never causes a write. Costs little where bindings share a placement and a state of the fleet.
 */
export function recordDecision(request: RecordRequest): Readonly<Record<string, string>> {
  const { binding, fleet, options, decision } = request;
  const { spec } = binding;
  const changesNothing = decision.clusters === undefined && decision.annotations === undefined;
  if (changesNothing || decision.occasion === undefined || decision.grouped === undefined) return {};
  if (spec.placement == null) return {};
  const answer = recordAnswer(decision.grouped);
  const gates = resolveGates(options);
  const sets = placesSets(spec, spec.placement, gates.MultiplePodTemplatesScheduling);
  const mask = enabledMask(options.disabledFilters);
  const table = estimatesNothing(spec) ? undefined : sharedEstimates(fleet, spec, sets, gates);
  const { text, admitted } = describeFleet(fleet, spec, table, mask);

  const lowered: [string, [string, number][]][] = [];
  if (table !== undefined) {
    const targets = new Set((spec.clusters ?? []).map(({ name }) => fleet.position(name)));
    for (const source of ownSources(fleet, spec, sets, gates, options)) {
      const values = [...source.replicas]
        .filter(([position]) => admitted[position] === 1 || targets.has(position))
        .filter(([position, replicas]) => replicas < (table.values[position] as number))
        .map(([position, replicas]): [string, number] => [nameAt(fleet, position), replicas]);
      if (values.length > 0) lowered.push([source.name, values]);
    }
  }
  const room = (spec.clusters ?? []).flatMap(({ name }): [string, number][] => {
    const position = fleet.position(name);
    if (position === undefined || table === undefined || admitted[position] === 1) return [];
    return [[name, table.values[position] as number]];
  });
  const affinity = gates.WorkloadAffinity ? spec.workloadAffinityGroups : undefined;
  const parts: OwnRecord = {
    v: RECORD_VERSION,
    at: rfc3339(request.now),
    occasion: decision.occasion.kind,
    reason: cut(decision.occasion.reason, MAX_REASON),
    fleet: [fleet.version, fleet.records.length],
    placement: placementDigest(appliedText(request)),
    ...(spec.replicas ? { replicas: spec.replicas } : {}),
    ...(spec.replicaRequirements == null ? {} : { needs: 1 }),
    ...(spec.components?.length ? { components: spec.components.map((part) => [part.name, part.replicas]) } : {}),
    ...(namesDescend(spec.resource.uid) ? { descending: 1 } : {}),
    ...(isRescheduleRequested(spec, binding.status) ? { fresh: 1 } : {}),
    ...(binding.status?.schedulerObservingAffinityName ? { group: binding.status.schedulerObservingAffinityName } : {}),
    ...gatesOf(gates),
    ...(options.disabledFilters?.length ? { disabled: options.disabledFilters } : {}),
    ...(options.emptyWorkloadPropagation === true ? { empty: 1 } : {}),
    ...(options.withoutLocality === true ? { nolocality: 1 } : {}),
    ...(options.compatibility === undefined ? {} : { compatibility: options.compatibility }),
    ...(answer.affinityName === undefined ? {} : { used: answer.affinityName }),
    ...(answer.error === undefined ? {} : { error: answer.error.kind }),
    answer: answerDigest(answer),
  };
  const scores = recordScores(fleet, spec, options);
  const lists: [keyof OwnRecord, unknown][] = [
    [
      "result",
      listOf(
        fleet,
        answer.clusters?.map(({ name, replicas }) => [name, replicas ?? -1]),
      ),
    ],
    ["before", listOf(fleet, targetsIn(fleet, spec.clusters))],
    ["room", listOf(fleet, room)],
    ["scores", scores === undefined ? undefined : scoresIn(fleet, scores, admitted, spec.clusters)],
    ["refused", refusedBy(fleet, options)],
    [
      "evicting",
      listOf(
        fleet,
        namesIn(
          fleet,
          (spec.gracefulEvictionTasks ?? []).map((task) => task.fromCluster),
        ),
      ),
    ],
    ["together", affinity?.affinityGroup ? sharedClusters(fleet, options.affinityMembers) : undefined],
    [
      "apart",
      affinity?.antiAffinityGroup ? listOf(fleet, takenClusters(fleet, options.antiAffinityMembers)) : undefined,
    ],
    [
      "lowered",
      lowered.length === 0 ? undefined : lowered.map(([name, values]) => [name, listOf(fleet, values) ?? []]),
    ],
  ];
  return { [DECISION_ANNOTATION]: assemble(parts, lists, MAX_RECORD - text.length), [DECISION_FLEET_ANNOTATION]: text };
}

/** The record with as many of the lists as fit, in the order given. */
function assemble(parts: OwnRecord, lists: readonly (readonly [string, unknown])[], space: number): string {
  // Room for naming everything that was left out.
  let left = space - JSON.stringify(parts).length - 100;
  const kept: Record<string, unknown> = {};
  const without: string[] = [];
  for (const [name, list] of lists) {
    if (list === undefined) continue;
    const length = JSON.stringify(list).length + name.length + 4;
    if (length > left) without.push(name);
    else {
      kept[name] = list;
      left -= length;
    }
  }
  return JSON.stringify({ ...parts, ...kept, ...(without.length === 0 ? {} : { without }) });
}

function listOf(fleet: FleetIndex, entries: readonly (readonly [string, number])[] | undefined): List | undefined {
  if (entries === undefined || entries.length === 0) return undefined;
  const plain = entries.flat();
  if (plain.length * 6 < MAX_PLAIN_LIST && JSON.stringify(plain).length <= MAX_PLAIN_LIST) return plain;
  return pack(entries.flatMap(([name, number]) => [fleet.position(name) ?? name, number]));
}

function targetsIn(fleet: FleetIndex, targets: readonly TargetCluster[] | undefined): [string, number][] {
  return (targets ?? [])
    .filter(({ name }) => fleet.position(name) !== undefined)
    .map(({ name, replicas }) => [name, replicas ?? 0]);
}

function namesIn(fleet: FleetIndex, names: readonly string[]): [string, number][] {
  return names.filter((name) => fleet.position(name) !== undefined).map((name) => [name, 1]);
}

/** The clusters that every other binding of the group is on. None in common is said by one that no fleet has. */
function sharedClusters(fleet: FleetIndex, members: SchedulingOptions["affinityMembers"]): List | undefined {
  const [first, ...others] = (members ?? []).filter((member) => member.clusters.length > 0);
  if (first === undefined) return undefined;
  const sets = others.map((member) => new Set(member.clusters.map((target) => target.name)));
  const names = first.clusters.map((target) => target.name).filter((name) => sets.every((set) => set.has(name)));
  return listOf(fleet, namesIn(fleet, names)) ?? ["", 1];
}

function takenClusters(fleet: FleetIndex, members: SchedulingOptions["antiAffinityMembers"]): [string, number][] {
  const names = (members ?? []).flatMap((member) => member.clusters.map((target) => target.name));
  return namesIn(fleet, [...new Set(names)]);
}

/** Of clusters that may be chosen, those that are not 0. */
function scoresIn(
  fleet: FleetIndex,
  scores: ReadonlyMap<string, number>,
  admitted: Uint8Array,
  targets: readonly TargetCluster[] | undefined,
): List {
  const present = new Set((targets ?? []).map((target) => target.name));
  const kept = [...scores].filter(
    ([name, score]) => score !== 0 && (admitted[fleet.position(name) ?? -1] === 1 || present.has(name)),
  );
  return listOf(fleet, kept) ?? [];
}

function refusedBy(fleet: FleetIndex, options: SchedulingOptions): OwnRecord["refused"] {
  if (options.pluginRefusals === undefined && options.pluginsAsked === undefined) return undefined;
  const groups = new Map<string, { readonly plugin: string; readonly reason: string; readonly names: string[] }>();
  for (const { name } of fleet.records) {
    const refusal = pluginRefusalOf(options, name);
    if (refusal === undefined) continue;
    const { plugin, reason } = refusal;
    const key = JSON.stringify([plugin, reason]);
    const group = groups.get(key) ?? { plugin, reason, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  if (groups.size === 0) return undefined;
  return [...groups.values()].map(({ plugin, reason, names }) => [
    plugin,
    reason,
    listOf(fleet, namesIn(fleet, names)) ?? [],
  ]);
}

function gatesOf(gates: SchedulerGates): Pick<OwnRecord, "gates"> {
  const others = Object.entries(gates).filter(
    // Assumed workloads are in the record as the estimates they lowered.
    ([name, on]) =>
      name in DEFAULT_GATES &&
      name !== "SchedulingOvercommitProtection" &&
      on !== DEFAULT_GATES[name as keyof SchedulerGates],
  );
  return others.length === 0 ? {} : { gates: Object.fromEntries(others) };
}

function appliedText({ binding, decision }: RecordRequest): string {
  return (
    decision.annotations?.[APPLIED_PLACEMENT_ANNOTATION] ??
    binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION] ??
    ""
  );
}

/** Tells placements apart, given as the text of the applied-placement annotation. */
export function placementDigest(text: string): string {
  return hash("sha256", text, "hex").slice(0, 12);
}

/** Tells answers apart, to the last field. */
export function answerDigest(answer: RecordedAnswer): string {
  return hash("sha256", answerText(answer), "hex").slice(0, 24);
}

function nameAt(fleet: FleetIndex, position: number): string {
  return fleet.records[position]?.name ?? "";
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
