// Reads the record of a decision from its binding, and decides again to see what the record leaves to be computed.

import type { Placement } from "../../../api/policy.ts";
import type { ResourceBindingSpec } from "../../../api/work.ts";
import { isObject } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { APPLIED_PLACEMENT_ANNOTATION, formatPlacement, parsePlacement } from "../applied-placement.ts";
import { FILTER_NAMES } from "../fleet/filters.ts";
import type { Binding } from "../occasion.ts";
import type { PluginRefusal } from "../options.ts";
import { placesSets } from "../workload.ts";
import {
  answerDigest,
  DECISION_ANNOTATION,
  DECISION_FLEET_ANNOTATION,
  type OwnRecord,
  placementDigest,
  RECORD_VERSION,
} from "./decision-record.ts";
import { unpack } from "./record-packing.ts";
import type { RecordedDecision, RecordedEstimate, RecordedOptions } from "./recorded-decision.ts";
import { replay } from "./replay.ts";
import { restoreFleet } from "./restore-fleet.ts";
import type { SchedulingTrace } from "./trace.ts";

/** What a record says of itself, whether or not it can be replayed. */
export interface DecisionSummary {
  /** RFC 3339. */
  readonly decidedAt: string;
  readonly occasion: { readonly kind: OwnRecord["occasion"]; readonly reason: string };
  readonly fleetVersion: number;
  readonly clusterCount: number;
  readonly affinityName: string | undefined;
  /** Kind of the failure; undefined when clusters were chosen. */
  readonly error: string | undefined;
}

export type ReadDecision =
  /** No record: written by another scheduler, before records were kept, or with `--compatibility karmada`. */
  | { readonly state: "none" }
  /** The record is there and cannot be used: what is wrong with it, and where. */
  | { readonly state: "broken"; readonly reason: string; readonly summary?: DecisionSummary }
  /** The record is right, but does not hold all that the decision depended on. */
  | { readonly state: "partial"; readonly reason: string; readonly summary: DecisionSummary }
  | {
      readonly state: "whole";
      readonly summary: DecisionSummary;
      readonly decision: RecordedDecision;
      readonly trace: SchedulingTrace | undefined;
    };

/**
 * Reads the record of the binding's last decision and replays it. `knownNames` are sorted lists of cluster names among
 * which a large fleet's may be: of those the record has only a digest.
 */
export function readDecision(binding: Binding, knownNames: readonly (readonly string[])[] = []): ReadDecision {
  const annotations = binding.metadata.annotations ?? {};
  const text = annotations[DECISION_ANNOTATION];
  if (text === undefined) return { state: "none" };
  const own = parseOwn(text);
  if (typeof own === "string") return { state: "broken", reason: `annotation ${DECISION_ANNOTATION}: ${own}` };
  const summary: DecisionSummary = {
    decidedAt: own.at,
    occasion: { kind: own.occasion, reason: own.reason },
    fleetVersion: own.fleet[0],
    clusterCount: own.fleet[1],
    affinityName: own.used,
    error: own.error,
  };
  const placement = placementOf(binding, own.placement);
  if (placement === undefined) {
    const reason = "the placement it was made for is no longer with the binding: another scheduler wrote since";
    return { state: "partial", reason, summary };
  }
  try {
    return restore({ binding, own, summary, placement, knownNames });
  } catch (error) {
    const reason = `annotation ${DECISION_FLEET_ANNOTATION}: ${error instanceof Error ? error.message : String(error)}`;
    return { state: "broken", reason, summary };
  }
}

/** The record, or what is wrong with it. */
function parseOwn(text: string): OwnRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON, or was cut off";
  }
  if (!isObject(value)) return "it is not a JSON object";
  if (value["v"] !== RECORD_VERSION) {
    return `it is of version ${JSON.stringify(value["v"]) ?? "none"}, this program reads version ${RECORD_VERSION}`;
  }
  const fleet = value["fleet"];
  const isFleet =
    Array.isArray(fleet) && fleet.length === 2 && fleet.every((part) => Number.isInteger(part) && part >= 0);
  const wrong = [
    ...["at", "occasion", "reason", "placement", "answer"].filter((field) => typeof value[field] !== "string"),
    ...(isFleet ? [] : ["fleet"]),
    ...(value["replicas"] === undefined || Number.isInteger(value["replicas"]) ? [] : ["replicas"]),
    ...["components", "without", "disabled", "lowered", "refused"].filter(
      (field) => value[field] !== undefined && !Array.isArray(value[field]),
    ),
  ];
  // Its fields were checked; lists are checked when they are read.
  return wrong.length === 0 ? (value as unknown as OwnRecord) : `its field ${wrong[0]} makes no sense`;
}

function placementOf(binding: Binding, digest: string): Placement | undefined {
  const applied = binding.metadata.annotations?.[APPLIED_PLACEMENT_ANNOTATION];
  if (applied === undefined || placementDigest(applied) !== digest) return undefined;
  const { placement } = binding.spec;
  // The applied one leaves out empty lists; the real one is better as long as it is the same.
  return placement != null && formatPlacement(placement) === applied ? placement : parsePlacement(applied);
}

interface RestoreContext {
  readonly binding: Binding;
  readonly own: OwnRecord;
  readonly summary: DecisionSummary;
  readonly placement: Placement;
  readonly knownNames: readonly (readonly string[])[];
}

function restore(context: RestoreContext): ReadDecision {
  const { binding, own, summary, placement, knownNames } = context;
  const { resource } = binding.spec;
  const spec: ResourceBindingSpec = {
    resource: { apiVersion: resource.apiVersion, kind: resource.kind, name: resource.name, ...namespaceOf(resource) },
    placement,
    ...(own.replicas === undefined ? {} : { replicas: own.replicas }),
    ...(own.needs === undefined ? {} : { replicaRequirements: {} }),
    ...(own.components === undefined
      ? {}
      : { components: own.components.map(([name, replicas]) => ({ name, replicas })) }),
  };
  const gates = own.gates ?? {};
  const sets = placesSets(spec, placement, gates["MultiplePodTemplatesScheduling"] === true);
  const perSet = sets ? (spec.components ?? []).reduce((sum, part) => sum + part.replicas, 0) : 1;
  const without = own.without ?? [];
  const text = binding.metadata.annotations?.[DECISION_FLEET_ANNOTATION] ?? "";
  const fleet = restoreFleet(text, {
    size: own.fleet[1],
    resource,
    knownNames,
    podsPerUnit: Math.max(1, perSet),
    roomOf: (names) => new Map(readList("room", own.room, names)),
  });
  // The result is computed again, so that it may be missing.
  const missing = [...without.filter((part) => part !== "result"), ...fleet.without];
  if (fleet.clusters === undefined || fleet.names === undefined || missing.length > 0) {
    return { state: "partial", reason: `it was too large to keep whole; left out: ${missing.join(", ")}`, summary };
  }
  const { names, clusters } = fleet;
  const problem = {
    decidedAt: own.at,
    occasion: summary.occasion,
    fleetVersion: summary.fleetVersion,
    spec: { ...spec, ...specOf(own, names, spec.resource) },
    status: {
      ...(own.group === undefined ? {} : { schedulerObservingAffinityName: own.group }),
      ...(own.fresh === undefined ? {} : { lastScheduledTime: rfc3339(0) }),
    },
    clusters,
    options: optionsOf(own, names),
  };
  const { answer, trace } = replay({ ...problem, answer: { failedGroups: [] } });
  if (answerDigest(answer) !== own.answer) {
    const reason =
      "deciding again from it gives another answer: it was changed, or made by a version that decides otherwise";
    return { state: "broken", reason, summary };
  }
  return { state: "whole", summary, decision: { ...problem, answer }, trace };
}

// Of the UID only one bit counts (`namesDescend`).
const EVEN_UID = "a";
const ODD_UID = "b";

function specOf(
  own: OwnRecord,
  names: readonly string[],
  resource: ResourceBindingSpec["resource"],
): Partial<ResourceBindingSpec> & Pick<ResourceBindingSpec, "resource"> {
  const before = readList("before", own.before, names);
  const evicting = readList("evicting", own.evicting, names);
  return {
    resource: { ...resource, uid: own.descending === undefined ? EVEN_UID : ODD_UID },
    ...(before.length === 0 ? {} : { clusters: before.map(([name, replicas]) => ({ name, replicas })) }),
    ...(evicting.length === 0
      ? {}
      : {
          gracefulEvictionTasks: evicting.map(([fromCluster]) => ({
            fromCluster,
            producer: "recorded",
            reason: "Recorded",
          })),
        }),
    ...(own.fresh === undefined ? {} : { rescheduleTriggeredAt: rfc3339(1_000) }),
    ...(own.together === undefined && own.apart === undefined
      ? {}
      : {
          workloadAffinityGroups: {
            ...(own.together === undefined ? {} : { affinityGroup: "recorded" }),
            ...(own.apart === undefined ? {} : { antiAffinityGroup: "recorded" }),
          },
        }),
  };
}

function optionsOf(own: OwnRecord, names: readonly string[]): RecordedOptions {
  const members = (field: "together" | "apart") => [
    { clusters: readList(field, own[field], names).map(([name]) => ({ name })) },
  ];
  const estimates = (own.lowered ?? []).map(
    ([name, replicas]): RecordedEstimate => ({
      name,
      replicas: Object.fromEntries(readList("lowered", replicas, names)),
    }),
  );
  const refusals = (own.refused ?? []).flatMap(([plugin, reason, list]) =>
    readList("refused", list, names).map(([name]): [string, PluginRefusal] => [name, { plugin, reason }]),
  );
  const disabled = (own.disabled ?? []).filter((name) => FILTER_NAMES.includes(name));
  return {
    ...(own.gates === undefined ? {} : { featureGates: own.gates }),
    ...(own.empty === undefined ? {} : { emptyWorkloadPropagation: true }),
    ...(own.nolocality === undefined ? {} : { withoutLocality: true }),
    ...(own.compatibility === undefined ? {} : { compatibility: own.compatibility }),
    ...(disabled.length === 0 ? {} : { disabledFilters: disabled }),
    ...(own.together === undefined ? {} : { affinityMembers: members("together") }),
    ...(own.apart === undefined ? {} : { antiAffinityMembers: members("apart") }),
    ...(estimates.length === 0 ? {} : { estimates }),
    ...(own.scores === undefined ? {} : { recordedScores: Object.fromEntries(readList("scores", own.scores, names)) }),
    ...(refusals.length === 0 ? {} : { pluginRefusals: Object.fromEntries(refusals) }),
  };
}

/** Pairs of a name and a number, whichever way they are kept. */
function readList(field: string, list: unknown, names: readonly string[]): [string, number][] {
  if (list === undefined) return [];
  const flat = typeof list === "string" ? unpack(list) : list;
  const broken = new Error(`the list "${field}" makes no sense`);
  if (!Array.isArray(flat) || flat.length % 2 !== 0) throw broken;
  const pairs: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const key: unknown = flat[i];
    const number: unknown = flat[i + 1];
    const name = typeof key === "number" ? names[key] : key;
    if (typeof name !== "string" || typeof number !== "number") throw broken;
    pairs.push([name, number]);
  }
  return pairs;
}

function namespaceOf({ namespace }: ResourceBindingSpec["resource"]): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}
