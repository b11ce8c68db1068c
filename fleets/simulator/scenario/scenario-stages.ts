// From a scenario's stages to those of one cluster. Pure.
import type { FleetStage } from "../../../api/fleet-stages.ts";
import { type ClusterFacts, targetClusters } from "../../../api/fleet-targets.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import type { Stage } from "../kubelet/stages/stage.ts";

/** The stages that concern the objects of a cluster, in the order of the scenario. */
export function stagesOf(stages: readonly FleetStage[], cluster: ClusterFacts): Stage[] {
  return stages
    .filter(({ target }) => target === undefined || targetClusters(target, [cluster]).length > 0)
    .map(({ target: _target, delay, ...stage }) => ({
      ...stage,
      ...(delay === undefined
        ? {}
        : {
            delay: {
              durationMs: parseDuration(delay.duration),
              ...(delay.jitterDuration === undefined ? {} : { jitterDurationMs: parseDuration(delay.jitterDuration) }),
            },
          }),
    }));
}
