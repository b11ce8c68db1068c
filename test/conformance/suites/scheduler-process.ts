// The scheduler around its core: when it schedules at all, ordered affinity groups, and what it writes.
import type { TargetCluster } from "../../../api/work.ts";
import type { Condition } from "../../../kube/object.ts";
import { APPLIED_PLACEMENT_ANNOTATION } from "../../../reconciler/scheduler/applied-placement.ts";
import { decideScheduling } from "../../../reconciler/scheduler/decide-scheduling.ts";
import { FleetIndex } from "../../../reconciler/scheduler/fleet/fleet-index.ts";
import type { Binding } from "../../../reconciler/scheduler/occasion.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { type Comparable, caseSuite } from "../karmada-cases.ts";
import type { Suite, SuiteOptions } from "../suite.ts";
import { comparable, readFleets } from "./scheduler.ts";

export interface ProcessInput {
  readonly fleet: string;
  readonly binding: Binding;
}

interface Answer {
  readonly clusters?: readonly TargetCluster[] | null;
  readonly conditions?: readonly Condition[] | null;
}

const NOW = Date.UTC(2026, 0, 1);

/** What the loop would write. */
export function answerProcess(input: ProcessInput, fleet: FleetIndex): unknown {
  const { binding } = input;
  const decision = decideScheduling(binding, fleet, NOW);
  const status = { ...binding.status, ...decision.status };
  const clusters = decision.clusters ?? binding.spec.clusters ?? [];
  const annotations = { ...binding.metadata.annotations, ...decision.annotations };
  return {
    appliedPlacement: annotations[APPLIED_PLACEMENT_ANNOTATION] ?? "",
    changed: [decision.clusters, decision.annotations, decision.status].some((change) => change !== undefined),
    clusters: clusters.length === 0 ? null : clusters,
    conditions: status.conditions ?? null,
    lastScheduledTime: status.lastScheduledTime === rfc3339(NOW) ? "<now>" : (status.lastScheduledTime ?? null),
    schedulerObservedAffinityName: status.schedulerObservingAffinityName ?? "",
    schedulerObservedGeneration: status.schedulerObservedGeneration ?? 0,
  };
}

/** Takes out what Karmada leaves to chance. */
export function normalizeProcess(input: ProcessInput, expected: unknown, actual: unknown): Comparable {
  const { spec } = input.binding;
  const plain = (answer: Answer): Answer => ({
    ...withoutReasons(answer),
    clusters: answer.clusters == null ? null : comparable(spec, answer.clusters),
  });
  // Both have the form above.
  return { expected: plain(expected as Answer), actual: plain(actual as Answer) };
}

/** Which of several reasons a refused cluster is counted under is random in Karmada. */
function withoutReasons(answer: Answer): Answer {
  return {
    ...answer,
    conditions:
      answer.conditions?.map((condition) => ({
        ...condition,
        message: condition.message.replace(/clusters are available: .*/s, "clusters are available: <reasons>"),
        lastTransitionTime: condition.lastTransitionTime === rfc3339(NOW) ? "<now>" : condition.lastTransitionTime,
      })) ?? null,
  };
}

export const suite: Suite = {
  run(options: SuiteOptions) {
    const fleets = readFleets(options.vectors);
    return caseSuite<ProcessInput>(
      "scheduler-process.json",
      (input) => answerProcess(input, new FleetIndex(fleets.get(input.fleet) ?? [])),
      normalizeProcess,
    ).run(options);
  },
};
