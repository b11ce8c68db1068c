// The scheduler core over random fleets.

import { FleetIndex } from "../../../../../reconciler/scheduler/fleet-index.ts";
import { randomBinding, randomHardFleet } from "../../../../../reconciler/scheduler/random-bindings.ts";
import { Dice } from "../../../../../reconciler/scheduler/random-cases.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerSchedule, normalizeSchedule, type ScheduleInput } from "../../../suites/scheduler.ts";
import type { Operation } from "../operation.ts";
import { hasWrappingAmount, WRAPPING } from "./wrapping.ts";

const BINDINGS_PER_FLEET = 10;
const LARGEST_FLEET = 300;

export const scheduleOperation: Operation<ScheduleInput> = {
  file: "scheduler.json",

  ask(dice) {
    const clusters = randomHardFleet(dice, LARGEST_FLEET);
    const fleet = `fleet-${dice.between(0, 1e9)}`;
    return Array.from({ length: BINDINGS_PER_FLEET }, () => ({
      clusters,
      input: { fleet, ...randomBinding(new Dice(dice.between(0, 2 ** 31)), clusters) },
    }));
  },

  judge(recorded, clusters) {
    const fleet = new FleetIndex(clusters);
    return judge(recorded, (input) => answerSchedule(input, fleet), normalizeSchedule);
  },

  isSensible({ spec, status }, clusters) {
    const strategy = spec?.placement?.replicaScheduling;
    return (
      status !== undefined &&
      spec?.placement !== undefined &&
      spec.resource?.kind !== undefined &&
      spec.resource.apiVersion !== undefined &&
      spec.resource.name !== undefined &&
      clusters.every((cluster) => cluster.metadata.name !== undefined) &&
      (strategy === undefined || strategy.replicaSchedulingType !== undefined) &&
      (strategy?.replicaSchedulingType !== "Divided" || strategy.replicaDivisionPreference !== undefined)
    );
  },

  understood: (_recorded, clusters) => (clusters.some(hasWrappingAmount) ? WRAPPING : undefined),

  tags: ({ input, clusters }, { outcomes, expected }) => {
    const { spec, status } = input;
    const { placement } = spec;
    const strategy = placement?.replicaScheduling;
    const assigned = (spec.clusters ?? []).reduce((sum, target) => sum + (target.replicas ?? 0), 0);
    // The form in which answers are recorded.
    const { errorKind } = (expected ?? {}) as { readonly errorKind?: string };
    const found: (string | false | undefined)[] = [
      `clusters-${clusters?.length ?? 0}`,
      strategy?.replicaDivisionPreference?.toLowerCase() ?? "duplicated",
      strategy?.weightPreference?.dynamicWeight !== undefined && "dynamic-weight",
      strategy?.weightPreference?.staticWeightList !== undefined && "static-weight",
      ...(placement?.spreadConstraints ?? []).map((one) => `spread-${one.spreadByField ?? "label"}`),
      placement?.spreadConstraints?.some((one) => one.maxGroups === undefined) && "spread-max-unset",
      placement?.clusterAffinities !== undefined && "affinities",
      placement?.clusterAffinities?.some((term) => term.overflowAffinities !== undefined) && "overflow",
      placement?.clusterTolerations !== undefined && "tolerations",
      spec.clusters !== undefined && (assigned > (spec.replicas ?? 0) ? "scale-down" : "previous"),
      spec.rescheduleTriggeredAt !== undefined && status.lastScheduledTime !== undefined && "reschedule",
      spec.components !== undefined && "components",
      spec.gracefulEvictionTasks !== undefined && "eviction",
      spec.replicaRequirements === undefined && "no-requirements",
      input.enableEmptyWorkloadPropagation === true && "empty-workload-propagation",
      ...Object.keys(input.featureGates ?? {}).map((gate) => `gate-${gate}`),
      outcomes !== undefined && "unstable-sort",
      errorKind !== undefined && `error-${errorKind}`,
    ];
    return [...new Set(found.filter((tag) => typeof tag === "string"))];
  },
};
