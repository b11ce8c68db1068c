// From a scenario's behaviours to those of one cluster's containers.
import type { FleetBehaviour } from "../../../api/fleet-behaviours.ts";
import { type ClusterFacts, targetClusters } from "../../../api/fleet-targets.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import type { BehaviourRule, ContainerBehaviour, MetricScript } from "../kernel/behaviours.ts";

/** The rules that concern the containers of a cluster, in the order of the scenario. */
export function behaviourRules(behaviours: readonly FleetBehaviour[], cluster: ClusterFacts): BehaviourRule[] {
  return behaviours
    .filter(({ target }) => target === undefined || targetClusters(target, [cluster]).length > 0)
    .map(({ target: _target, kind, namespace, name, container, image, labels, ...behaviour }) => ({
      selector: withoutAbsent({ kind, namespace, name, container, image, labels }),
      ...containerBehaviour(behaviour),
    }));
}

type Said = Omit<FleetBehaviour, "target" | keyof BehaviourRule["selector"]>;

function containerBehaviour(said: Said): ContainerBehaviour {
  const { exitCode, crashExitCode, crashes, ignoresTerm, jitter, logs, metrics } = said;
  return withoutAbsent({
    startupMs: ms(said.startup),
    readyAfterMs: ms(said.readyAfter),
    runsForMs: ms(said.runsFor),
    crashAfterMs: ms(said.crashAfter),
    stopMs: ms(said.stop),
    exitCode,
    crashExitCode,
    crashes,
    ignoresTerm,
    jitter,
    logs,
    metrics:
      metrics === undefined
        ? undefined
        : Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metricScript(metric)])),
  });
}

function metricScript(metric: NonNullable<FleetBehaviour["metrics"]>[string]): MetricScript {
  if (typeof metric !== "object") return String(metric);
  return metric.map(({ at, value }) => ({ atMs: parseDuration(at), value: String(value) }));
}

function ms(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration);
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(fields: T): Present<T> {
  // What stays has the types that it had.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
