// The scheduler around its core: whether it schedules at all, ordered affinity groups, and what it writes.
import type { Placement } from "../../../../../api/policy.ts";
import { formatPlacement } from "../../../../../reconciler/scheduler/applied-placement.ts";
import { FleetIndex } from "../../../../../reconciler/scheduler/fleet/fleet-index.ts";
import { randomBinding, randomHardFleet } from "../../../../../reconciler/scheduler/testing/random-bindings.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { randomPlacement } from "../../../../../reconciler/scheduler/testing/random-placements.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerProcess, normalizeProcess, type ProcessInput } from "../../../suites/scheduler-process.ts";
import type { Operation, Question } from "../operation.ts";
import { hasWrappingAmount, WRAPPING } from "./wrapping.ts";

/** What an earlier pass wrote down: this placement, one that differs a little or wholly, or something unreadable. */
function appliedBefore(dice: Dice, placement: Placement, names: readonly string[]): string | undefined {
  const groups = placement.clusterAffinities ?? [];
  const others: readonly (() => string | undefined)[] = [
    () => formatPlacement(placement),
    () => formatPlacement(placement),
    () => formatPlacement({ ...placement, clusterAffinities: groups.toReversed() }),
    () => formatPlacement({ ...placement, clusterAffinities: groups.slice(1) }),
    () => formatPlacement({ ...placement, workloadAffinity: { affinity: { groupByLabelKey: "app" } } }),
    () => formatPlacement(randomPlacement(dice, names)),
    () => "{}",
    () => "not json",
    () => "",
    () => undefined,
  ];
  return dice.pick(others)();
}

function ask(dice: Dice): Question<ProcessInput>[] {
  const clusters = randomHardFleet(dice, 60);
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  const fleet = `fleet-${dice.between(0, 1e9)}`;
  return Array.from({ length: 10 }, () => {
    const { spec, status } = randomBinding(dice, clusters);
    const namespaced = dice.chance(0.8);
    const applied = appliedBefore(dice, spec.placement ?? {}, names);
    const generation = dice.between(1, 9);
    const held = (spec.clusters ?? []).reduce((sum, target) => sum + (target.replicas ?? 0), 0);
    const divided = spec.placement?.replicaScheduling?.replicaSchedulingType === "Divided";
    // Where the sum is what is wanted, there may be nothing to do.
    const replicas =
      dice.chance(0.5) && held > 0 ? (divided ? held : (spec.clusters?.[0]?.replicas ?? 0)) : spec.replicas;
    const { replicas: _asked, ...rest } = spec;
    return {
      clusters,
      input: {
        fleet,
        binding: {
          apiVersion: "work.karmada.io/v1alpha2",
          kind: namespaced ? "ResourceBinding" : "ClusterResourceBinding",
          metadata: {
            name: "case",
            ...(namespaced ? { namespace: "shop" } : {}),
            uid: "83644987-a2dc-48ae-a08e-f2a1de5c29de",
            generation,
            labels: { "propagationpolicy.karmada.io/permanent-id": "433df18e-c50d-4b1d-ac1d-e748b5235c02" },
            ...(applied === undefined ? {} : { annotations: { "policy.karmada.io/applied-placement": applied } }),
            ...(dice.chance(0.02) ? { deletionTimestamp: "2025-03-04T00:00:00Z", finalizers: ["karmada.io/x"] } : {}),
          },
          spec: { ...rest, ...(replicas === undefined || replicas === 0 ? {} : { replicas }) },
          status: {
            ...status,
            ...(dice.chance(0.6) ? { schedulerObservedGeneration: dice.pick([generation, generation - 1]) } : {}),
            ...(dice.chance(0.5)
              ? {
                  conditions: [
                    {
                      type: "Scheduled",
                      status: dice.pick(["True", "False"]),
                      reason: dice.pick(["Success", "Unschedulable"]),
                      message: dice.pick(["Binding has been scheduled successfully.", "other"]),
                      lastTransitionTime: "2025-03-04T03:00:00Z",
                    },
                  ],
                }
              : {}),
          },
        } as ProcessInput["binding"],
      },
    };
  });
}

export const scheduleProcessOperation: Operation<ProcessInput> = {
  op: "schedule-process",
  file: "scheduler-process.json",

  ask,

  judge: (recorded, clusters) =>
    judge(recorded, (input) => answerProcess(input, new FleetIndex(clusters)), normalizeProcess),

  understood: (_recorded, clusters) => (clusters.some(hasWrappingAmount) ? WRAPPING : undefined),

  isSensible({ binding }, clusters) {
    const strategy = binding.spec.placement?.replicaScheduling;
    return (
      binding.metadata.name !== undefined &&
      binding.metadata.labels !== undefined &&
      binding.kind !== undefined &&
      binding.metadata.generation !== undefined &&
      binding.spec.placement !== undefined &&
      binding.spec.resource.kind !== undefined &&
      binding.spec.resource.apiVersion !== undefined &&
      binding.status !== undefined &&
      clusters.every((cluster) => cluster.metadata.name !== undefined) &&
      (strategy === undefined || strategy.replicaSchedulingType !== undefined) &&
      (strategy?.replicaSchedulingType !== "Divided" || strategy.replicaDivisionPreference !== undefined)
    );
  },

  tags({ input }, { expected, outcomes }) {
    // The form in which answers are recorded.
    const { changed, conditions } = (expected ?? outcomes?.[0] ?? {}) as {
      readonly changed: boolean;
      readonly conditions: readonly { readonly reason: string }[] | null;
    };
    const { spec, metadata } = input.binding;
    return [
      changed ? "changed" : "unchanged",
      ...(outcomes === undefined ? [] : ["unstable-sort"]),
      `condition-${conditions?.[0]?.reason ?? "none"}`,
      metadata.annotations === undefined ? "first-time" : "again",
      `affinities-${spec.placement?.clusterAffinities?.length ?? "none"}`,
      spec.clusters === undefined ? "no-result" : "earlier-result",
    ];
  },
};
