// Where a rollout stands, from what is recorded on the binding and what the clusters are.
import type { Cluster } from "../../api/cluster.ts";
import { findCondition } from "../../kube/conditions.ts";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { unavailableSince } from "../rollout/copy-state.ts";
import { objectWords, ROLLED_OUT } from "../rollout/describe-rollout.ts";
import { goesWith, readRolloutWith } from "../rollout/needs.ts";
import {
  type ClusterRollout,
  parseRolloutState,
  ROLLOUT_ANNOTATION,
  type RolloutPhase,
  type RolloutState,
} from "../rollout/rollout-state.ts";
import { readRolloutSettings } from "../rollout/settings.ts";
import { assignWaves } from "../rollout/waves.ts";
import type { AnyBinding } from "../works/binding.ts";
import { effectiveTargets } from "../works/targets.ts";
import type { World } from "./world.ts";

export interface ClusterProgress {
  readonly cluster: string;
  readonly wave: string;
  /**
   * `done`: it has the revision that all are to have. `in progress`: it is on the way to it. `waits`: its turn has not
   * come. `returned`: it has the last healthy revision again, or still, as the other one failed.
   */
  readonly state: "done" | "in progress" | "failed" | "waits" | "returned" | "returning";
  /** The revision that it is to have now; undefined while it gets nothing. */
  readonly revision: string | undefined;
  /** Since when, RFC 3339, where that matters. */
  readonly since: string | undefined;
  readonly why: string | undefined;
}

export interface RolloutReport {
  readonly phase: RolloutPhase;
  readonly revision: string;
  readonly lastHealthy: string | undefined;
  /** The whole in a sentence. */
  readonly message: string;
  /** In the order in which their turn comes. */
  readonly clusters: readonly ClusterProgress[];
}

/** Undefined for an object without a rollout, and for one of which nothing is recorded yet. */
export function reportRollout(binding: AnyBinding, clusters: readonly Cluster[]): RolloutReport | undefined {
  const rollout = binding.spec.placement?.flaghoist?.rollout;
  const state = parseRolloutState(binding.metadata.annotations?.[ROLLOUT_ANNOTATION]);
  if (rollout == null || state === undefined) return undefined;
  const { waves } = readRolloutSettings(rollout);
  const byName = new Map(clusters.map((cluster) => [cluster.metadata.name ?? "", cluster]));
  const names = effectiveTargets(binding).map((target) => target.name);
  const waveOf = assignWaves(names, (name) => byName.get(name), waves);
  const order = (name: string): number => waveOf.get(name) ?? waves.length - 1;
  const sorted = [...names].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  return {
    phase: state.phase,
    revision: state.target,
    lastHealthy: state.stable,
    message: findCondition(binding.status?.conditions, ROLLED_OUT)?.message ?? state.phase,
    clusters: sorted.map((name) => ({
      cluster: name,
      wave: waves[order(name)]?.name ?? "",
      ...progressOf(state, name, unavailableSince(byName.get(name)) !== undefined),
    })),
  };
}

function progressOf(
  state: RolloutState,
  name: string,
  isAway: boolean,
): Pick<ClusterProgress, "state" | "revision" | "since" | "why"> {
  const record = Object.hasOwn(state.clusters, name) ? state.clusters[name] : undefined;
  const since = record?.healthySince ?? record?.since;
  const common = { revision: record?.revision, since: since === undefined ? undefined : new Date(since).toISOString() };
  const away = isAway ? "the cluster is not ready" : undefined;
  if (record?.failed !== undefined) return { ...common, state: "failed", why: record.failed };
  if (record?.revision === state.target)
    return record.done
      ? { ...common, state: "done", why: away }
      : { ...common, state: "in progress", why: away ?? whyInProgress(record) };
  if (state.phase === "Returning" || state.phase === "Returned")
    return { ...common, state: record?.done ? "returned" : "returning", why: away };
  return { ...common, state: "waits", why: away };
}

function whyInProgress({ healthySince }: ClusterRollout): string {
  return healthySince === undefined ? "not healthy yet" : "healthy, being watched";
}

/** For explanations: a sentence about each wave that is not through; none when the present revision is everywhere. */
export function explainRollout(stored: AnyBinding | undefined, clusters: readonly Cluster[]): string[] {
  const report = stored === undefined ? undefined : reportRollout(stored, clusters);
  if (report === undefined || report.phase === "Complete") return [];
  const waves = [...new Set(report.clusters.map(({ wave }) => wave))];
  return waves.map((wave) => {
    const words = report.clusters
      .filter((each) => each.wave === wave)
      .map(({ cluster, state, revision, why }) => {
        const what = revision === undefined ? state : `${state} (revision ${revision})`;
        return `${cluster} ${what}${why === undefined ? "" : `: ${why}`}`;
      });
    return `Rollout, wave ${wave}: ${words.join("; ")} (spec.placement.flaghoist.rollout).`;
  });
}

/** For explanations: whose rollout an object goes with. */
export function explainLeaders(
  template: KubeObject,
  stored: AnyBinding | undefined,
  world: Pick<World, "bindings" | "templates">,
): string[] {
  if (stored === undefined) return [];
  const names = new Set((stored.spec.requiredBy ?? []).map(({ namespace = "", name }) => `${namespace}/${name}`));
  for (const name of readRolloutWith(stored)) names.add(name);
  return world.bindings.flatMap(({ metadata, spec }) => {
    if (!names.has(`${metadata.namespace ?? ""}/${metadata.name ?? ""}`)) return [];
    if (spec.placement?.flaghoist?.rollout == null) return [];
    const referrer = world.templates.find((one) => refKey(refOf(one)) === refKey(spec.resource));
    if (referrer === undefined || !goesWith(referrer, template, spec.propagateDeps === true)) return [];
    return [`Goes with the rollout of ${objectWords(referrer)}: each cluster has it as it was in the revision there.`];
  });
}
