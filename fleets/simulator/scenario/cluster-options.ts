// From the clusters of a scenario to those that are started. Pure.
import type { PlannedCluster, PlannedPool } from "../../../api/fleet-plan.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { behavioursOf } from "../kernel/behaviours.ts";
import type { NodePool } from "../kubelet/nodes/node-pools.ts";
import type { SimulatedClusterOptions } from "../simulated-cluster.ts";
import type { LoadedScenario } from "./load-scenario.ts";
import { behaviourRules } from "./scenario-behaviours.ts";
import { stagesOf } from "./scenario-stages.ts";

/** What a fleet gives its clusters beside what the scenario says. */
export type ScenarioClusterOptions = Omit<SimulatedClusterOptions, "clock" | "logger" | "random" | "loop">;

/** `startMs` is the fleet's time at its start. */
export function clusterOptions(
  cluster: PlannedCluster,
  { scenario, importedOf }: LoadedScenario,
  startMs: number,
): ScenarioClusterOptions {
  const { name, level, region, provider, zones, kubernetesVersion, labels, readyAfter, jobRuns, snapshot } = cluster;
  const imported = snapshot === undefined ? [] : importedOf(snapshot, name);
  return {
    name,
    level,
    labels,
    traits: {
      region,
      provider,
      zone: zones[0],
      kubernetesVersion,
      ...(jobRuns === undefined ? {} : { jobRunsMs: parseDuration(jobRuns) }),
    },
    nodePools: cluster.pools.map(nodePool),
    behaviours: behavioursOf(behaviourRules(scenario.behaviours ?? [], cluster), startMs),
    stages: stagesOf(scenario.stages ?? [], cluster),
    ...(readyAfter === undefined ? {} : { readyAfterMs: parseDuration(readyAfter) }),
    ...(imported.length === 0 ? {} : { imported }),
  };
}

function nodePool(pool: PlannedPool): NodePool {
  const { name, count, resources, allocatable, labels, taints, zones, kubernetesVersion } = pool;
  return {
    name,
    count,
    resources,
    allocatable,
    labels,
    taints: taints.map(({ key, effect, value }) => ({ key, effect, ...(value === undefined ? {} : { value }) })),
    zones,
    kubernetesVersion,
  };
}
