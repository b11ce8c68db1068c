// The scheduler core over random fleets.

import type { Cluster } from "../../../../../api/cluster.ts";
import type { ResourceBinding } from "../../../../../api/work.ts";
import { FleetIndex } from "../../../../../reconciler/scheduler/fleet/fleet-index.ts";
import {
  randomBinding,
  randomComponents,
  randomHardFleet,
} from "../../../../../reconciler/scheduler/testing/random-bindings.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import type { Focus } from "../../../../../reconciler/scheduler/testing/random-placements.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerSchedule, normalizeSchedule, type ScheduleInput } from "../../../suites/scheduler.ts";
import type { Operation } from "../operation.ts";
import { hasWrappingAmount, WRAPPING } from "./wrapping.ts";

const BINDINGS_PER_FLEET = 10;
const LARGEST_FLEET = 300;

/** The question, now and then with other bindings and workloads on their way that have a say. */
function beside(dice: Dice, clusters: readonly Cluster[], input: ScheduleInput): ScheduleInput {
  const names = clusters.map((cluster) => cluster.metadata.name ?? "");
  const group = (): string => dice.pick(["app=web", "app=api"]);
  const groups = () => ({
    ...(dice.chance(0.6) ? { affinityGroup: group() } : {}),
    ...(dice.chance(0.6) ? { antiAffinityGroup: group() } : {}),
  });
  const other = (name: string): ResourceBinding => ({
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace: dice.pick(["shop", "shop", "elsewhere"]), resourceVersion: "1" },
    spec: {
      resource: { apiVersion: "apps/v1", kind: "Deployment", name: "other" },
      workloadAffinityGroups: groups(),
      ...(dice.chance(0.8)
        ? { clusters: dice.some(names, dice.pick([0.2, 0.9])).map((each) => ({ name: each })) }
        : {}),
    },
  });
  const withGroups = dice.chance(0.12);
  const withAssumed = dice.chance(0.12);
  const gates = {
    ...input.featureGates,
    ...(withGroups ? { WorkloadAffinity: true } : {}),
    ...(withAssumed ? { SchedulingOvercommitProtection: true } : {}),
  };
  return {
    ...input,
    ...(Object.keys(gates).length > 0 ? { featureGates: gates } : {}),
    ...(withGroups
      ? {
          spec: { ...input.spec, workloadAffinityGroups: groups() },
          bindings: ["web-deployment", "api-deployment", "a-statefulset", "b-job"].slice(dice.between(0, 3)).map(other),
        }
      : {}),
    ...(withAssumed
      ? {
          assumedWorkloads: Object.fromEntries(
            dice
              .some(names, 0.5)
              .map((name) => [name, [{ namespace: "shop", components: randomComponents(dice) }]] as const),
          ),
        }
      : {}),
  };
}

export const scheduleOperation: Operation<ScheduleInput> = {
  op: "schedule",
  file: "scheduler.json",

  ask(dice) {
    const focus = dice.pick<Focus>(["anything", "anything", "regions", "ties"]);
    const clusters = randomHardFleet(dice, LARGEST_FLEET, focus);
    const fleet = `fleet-${dice.between(0, 1e9)}`;
    return Array.from({ length: BINDINGS_PER_FLEET }, () => ({
      clusters,
      input: beside(dice, clusters, { fleet, ...randomBinding(dice, clusters, focus) }),
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
      spec.workloadAffinityGroups !== undefined && "workload-affinity",
      input.assumedWorkloads !== undefined && "assumed-workloads",
      input.enableEmptyWorkloadPropagation === true && "empty-workload-propagation",
      ...Object.keys(input.featureGates ?? {}).map((gate) => `gate-${gate}`),
      outcomes !== undefined && "unstable-sort",
      errorKind !== undefined && `error-${errorKind}`,
    ];
    return [...new Set(found.filter((tag) => typeof tag === "string"))];
  },
};
