// What came of a binding: the state of its Works, cluster by cluster, and whether all of them are in place.

import type { AggregatedStatusItem, ManifestStatus, ResourceHealth, Work } from "../../api/work.ts";
import { setCondition } from "../../kube/conditions.ts";
import { type Condition, gvkOf, type KubeObject, parseApiVersion, refOf } from "../../kube/object.ts";
import { letPendingPass, PendingQuestions } from "../interpreter/answers.ts";
import { asParts } from "../interpreter/duplicates.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { AnyBinding } from "./binding.ts";
import { workManifestMissing } from "./errors.ts";
import { clusterOf, clustersToKeep } from "./targets.ts";

/**
 * The state of the object in every cluster that has a Work for it, by name of the cluster. Works that are being deleted
 * do not count. Throws `work-manifest-missing` when a Work holds some other object.
 */
export function collectStatus(binding: AnyBinding, works: readonly Work[]): readonly AggregatedStatusItem[] {
  const items = works
    .filter((work) => work.metadata.deletionTimestamp === undefined)
    .map((work) => statusItem(binding, work));
  return items.sort((a, b) => (a.clusterName < b.clusterName ? -1 : a.clusterName > b.clusterName ? 1 : 0));
}

function statusItem(binding: AnyBinding, work: Work): AggregatedStatusItem {
  const clusterName = clusterOf(work) ?? "";
  const ordinal = manifestIndex(binding, work);
  const applied = work.status?.conditions?.find((condition) => condition.type === "Applied");
  if (applied?.status !== "True") {
    return {
      clusterName,
      ...(applied?.message ? { appliedMessage: applied.message } : {}),
      health: "Unknown",
    };
  }
  const found = work.status?.manifestStatuses?.find((entry) => identifies(entry, binding, ordinal));
  return {
    clusterName,
    applied: true,
    ...(found?.status == null ? {} : { status: found.status }),
    // As Karmada: what nobody reported on is Unknown, what was reported on without a word of health has none.
    ...(found === undefined ? { health: "Unknown" } : found.health === undefined ? {} : { health: found.health }),
  };
}

function manifestIndex(binding: AnyBinding, work: Work): number {
  const { apiVersion, kind, namespace = "", name } = binding.spec.resource;
  const index = (work.spec.workload?.manifests ?? []).findIndex((manifest) => {
    // Manifests are objects of the Kubernetes API; one that is not does not compare equal.
    const object = manifest as Partial<KubeObject>;
    return (
      object.apiVersion === apiVersion &&
      object.kind === kind &&
      object.metadata?.name === name &&
      (object.metadata.namespace ?? "") === namespace
    );
  });
  if (index < 0) {
    throw workManifestMissing(work.metadata.namespace ?? "", work.metadata.name ?? "", binding.spec.resource);
  }
  return index;
}

function identifies({ identifier }: ManifestStatus, binding: AnyBinding, ordinal: number): boolean {
  const { apiVersion, kind, namespace = "", name } = binding.spec.resource;
  const { group, version } = parseApiVersion(apiVersion);
  return (
    identifier.ordinal === ordinal &&
    (identifier.group ?? "") === group &&
    identifier.version === version &&
    identifier.kind === kind &&
    (identifier.namespace ?? "") === namespace &&
    identifier.name === name
  );
}

/**
 * The condition `FullyApplied`: every cluster the binding means, and no other, has its copy. `now` is an RFC 3339 time.
 */
export function fullyAppliedCondition(
  binding: AnyBinding,
  items: readonly AggregatedStatusItem[],
  now: string,
): Condition {
  const keep = clustersToKeep(binding);
  const complete =
    keep.size > 0 &&
    keep.size === items.length &&
    items.every((item) => item.applied === true && keep.has(item.clusterName));
  return complete
    ? {
        type: "FullyApplied",
        status: "True",
        reason: "FullyAppliedSuccess",
        message: "All works have been successfully applied",
        lastTransitionTime: now,
      }
    : {
        type: "FullyApplied",
        status: "False",
        reason: "FullyAppliedFailed",
        message: "Failed to apply all works, see status.aggregatedStatus for details",
        lastTransitionTime: now,
      };
}

/** The binding with its Works' state. `now` is an RFC 3339 time. Throws as `collectStatus`. */
export function aggregateBindingStatus(binding: AnyBinding, works: readonly Work[], now: string): AnyBinding {
  const aggregatedStatus = collectStatus(binding, works);
  const condition = fullyAppliedCondition(binding, aggregatedStatus, now);
  const { aggregatedStatus: _old, ...rest } = binding.status ?? {};
  return {
    ...binding,
    status: {
      ...rest,
      ...(aggregatedStatus.length === 0 ? {} : { aggregatedStatus: [...aggregatedStatus] }),
      conditions: setCondition(rest.conditions, condition),
    },
  };
}

/**
 * The template with the status its copies add up to, or undefined when no interpreter adds up this kind. `items` are what
 * the clusters of `binding` report, and `now` is an RFC 3339 time for new conditions.
 */
export function aggregateTemplateStatus(
  template: KubeObject,
  binding: AnyBinding,
  items: readonly AggregatedStatusItem[],
  interpreter: Pick<Interpreter, "hookEnabled" | "aggregateStatus">,
  now: string,
): KubeObject | undefined {
  if (!interpreter.hookEnabled(gvkOf(template), "AggregateStatus")) return undefined;
  return interpreter.aggregateStatus(template, hasWholeCopies(binding) ? items : asParts(items), now);
}

/** Whether every cluster has, and is to keep, a copy with all replicas. One that is moving serves where it was as well. */
function hasWholeCopies({ spec }: AnyBinding): boolean {
  const type = spec.placement?.replicaScheduling?.replicaSchedulingType ?? "Duplicated";
  return type === "Duplicated" && (spec.gracefulEvictionTasks ?? []).length === 0;
}

/**
 * What a Work's status says of a copy as it was seen in the member. `resource` is the plural name of its kind. Throws
 * when the interpreter cannot read the copy's status; a health that it cannot tell is Unknown, and `onUnknown` is told why.
 */
export function manifestStatus(
  observed: KubeObject,
  resource: string,
  interpreter: Pick<Interpreter, "hookEnabled" | "reflectStatus" | "interpretHealth">,
  onUnknown?: (error: unknown) => void,
): ManifestStatus {
  const { group, version, kind } = gvkOf(observed);
  const { name, namespace } = refOf(observed);
  const pending = new PendingQuestions();
  const status = pending.gather(() => interpreter.reflectStatus(observed));
  const health = pending.gather(() => healthOf(observed, interpreter, onUnknown)) ?? "Unknown";
  pending.throwIfAny();
  return {
    identifier: { ordinal: 0, group, version, kind, resource, ...(namespace ? { namespace } : {}), name },
    ...(status === undefined ? {} : { status: { ...status } }),
    health,
  };
}

/** Kinds that no interpreter judges are always Healthy. */
export function healthOf(
  observed: KubeObject,
  interpreter: Pick<Interpreter, "hookEnabled" | "interpretHealth">,
  onUnknown?: (error: unknown) => void,
): ResourceHealth {
  if (!interpreter.hookEnabled(gvkOf(observed), "InterpretHealth")) return "Healthy";
  try {
    return interpreter.interpretHealth(observed) ? "Healthy" : "Unhealthy";
  } catch (error) {
    letPendingPass(error);
    onUnknown?.(error);
    return "Unknown";
  }
}
