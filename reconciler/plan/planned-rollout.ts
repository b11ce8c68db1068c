// In which order clusters would get a change whose placement has a rollout.
import type { Cluster } from "../../api/cluster.ts";
import type { RolloutPlan } from "../../api/plan-report.ts";
import { formatDuration } from "../../runtime/duration.ts";
import { type CountOrPercent, countOf, readRolloutSettings } from "../rollout/settings.ts";
import { assignWaves } from "../rollout/waves.ts";
import type { AnyBinding } from "../works/binding.ts";
import { effectiveTargets } from "../works/targets.ts";
import { changeKey, type ObjectChange } from "./changes.ts";
import type { DecidedWorld } from "./compare-worlds.ts";
import { reportedObject } from "./report-words.ts";
import type { Outcome } from "./river.ts";

/**
 * The waves of every object that begins a rollout, by key of the object. Replicas alone, and clusters that an object newly
 * comes to, wait for nobody. What others need goes with them.
 */
export function plannedRollouts(
  before: DecidedWorld,
  after: DecidedWorld,
  changes: readonly ObjectChange[],
): ReadonlyMap<string, RolloutPlan> {
  const news = new Set(changes.filter(isNews).map(changeKey));
  const isFirst = (key: string): boolean => (before.outcomes.get(key)?.copies ?? []).length === 0;
  const rollouts = new Map<string, RolloutPlan>();
  for (const key of new Set(changes.map(changeKey))) {
    const outcome = after.outcomes.get(key);
    if (outcome?.binding === undefined || !(news.has(key) || isFirst(key))) continue;
    const plan = rolloutOf(outcome.binding, after.world.clusters) ?? rolloutOfReferrer(outcome.binding, after);
    if (plan !== undefined) rollouts.set(key, plan);
  }
  return rollouts;
}

function isNews({ change, fields }: ObjectChange): boolean {
  return change === "changed" && fields.some(({ path }) => path !== "spec.replicas" && path !== "spec.parallelism");
}

function rolloutOfReferrer({ spec }: AnyBinding, { world, outcomes }: DecidedWorld): RolloutPlan | undefined {
  // A policy of its own decides about an object, whoever needs it.
  if (spec.placement != null || spec.requiredBy === undefined) return undefined;
  const referrers = spec.requiredBy.flatMap(({ namespace = "", name }) => {
    const found = [...outcomes.values()].find(({ binding }) => isCalled(binding, namespace, name));
    return found === undefined ? [] : [found];
  });
  for (const { binding, ref } of referrers) {
    const plan = binding === undefined ? undefined : rolloutOf(binding, world.clusters);
    if (plan !== undefined) return { ...plan, with: reportedObject(ref) };
  }
  return undefined;
}

function isCalled(binding: Outcome["binding"], namespace: string, name: string): boolean {
  return binding?.metadata.name === name && (binding.metadata.namespace ?? "") === namespace;
}

function rolloutOf(binding: AnyBinding, clusters: readonly Cluster[]): RolloutPlan | undefined {
  const rollout = binding.spec.placement?.flaghoist?.rollout;
  if (rollout == null) return undefined;
  const settings = readRolloutSettings(rollout);
  const byName = new Map(clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
  const names = effectiveTargets(binding).map(({ name }) => name);
  const waveOf = assignWaves(names, (name) => byName.get(name), settings.waves);
  const waves = settings.waves.flatMap(({ name, minSuccessMs, maxConcurrency }, index): RolloutPlan["waves"] => {
    const members = names.filter((cluster) => (waveOf.get(cluster) ?? settings.waves.length - 1) === index).sort();
    if (members.length === 0) return [];
    const atOnce = Math.min(limit(maxConcurrency, members.length), limit(settings.maxConcurrency, names.length));
    return [
      {
        name,
        clusters: members,
        ...(atOnce < members.length ? { atOnce } : {}),
        ...(minSuccessMs === 0 ? {} : { healthyFor: formatDuration(minSuccessMs) }),
      },
    ];
  });
  return { waves, ...(settings.paused ? { paused: true } : {}) };
}

function limit(value: CountOrPercent | undefined, total: number): number {
  return value === undefined ? Number.POSITIVE_INFINITY : Math.max(1, countOf(value, total));
}
