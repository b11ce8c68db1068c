// Rules of what a scenario refers to: clusters, regions, providers, zones, nodes that there must be.
import type { NodeTarget } from "../fleet-faults.ts";
import type { PlannedCluster } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { matchesPattern, targetClusters, targetNodes } from "../fleet-targets.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";

type Target = Draft<NodeTarget>;

/** Names of clusters, nodes, zones and faults that nothing in the scenario has. */
export function checkReferences(
  scenario: Draft<FleetScenario>,
  clusters: readonly PlannedCluster[],
  report: Report,
): void {
  for (const [field, target] of targetsOf(scenario)) checkTarget(target, field, clusters, report);
  for (const [index, { fault }] of present(scenario.timeline)) {
    if (fault === undefined || !("from" in fault)) continue;
    for (const [place, party] of present(fault.from as readonly (string | undefined)[])) {
      const pattern = /^cluster:(.*)$/.exec(party)?.[1];
      if (pattern !== undefined) checkClusterName(pattern, `timeline[${index}].fault.from[${place}]`, clusters, report);
    }
  }
}

function* targetsOf(scenario: Draft<FleetScenario>): Generator<readonly [string, Target]> {
  const places: (readonly [string, Draft<{ target?: Target }> | undefined])[] = [
    ...[...present(scenario.behaviours)].map(([index, each]) => [`behaviours[${index}]`, each] as const),
    ...[...present(scenario.stages)].map(([index, each]) => [`stages[${index}]`, each] as const),
    ...[...present(scenario.manifests)].map(([index, each]) => [`manifests[${index}]`, each] as const),
    ...[...present(scenario.timeline)].flatMap(([index, step]) =>
      (["fault", "apply", "delete", "scale", "patch", "expect"] as const).map(
        // All of them have a target, of one form.
        (action) => [`timeline[${index}].${action}`, step[action] as { target?: Target } | undefined] as const,
      ),
    ),
  ];
  for (const [field, owner] of places) if (owner?.target !== undefined) yield [`${field}.target`, owner.target];
}

function checkTarget(target: Target, field: string, clusters: readonly PlannedCluster[], report: Report): void {
  let isKnown = true;
  const note: Report = (at, words) => {
    isKnown = false;
    report(at, words);
  };
  for (const [index, pattern] of present(target.clusters))
    checkClusterName(pattern, `${field}.clusters[${index}]`, clusters, note);
  checkPlace(
    "region",
    target.region,
    clusters.flatMap(({ region }) => region ?? []),
    field,
    note,
  );
  checkPlace(
    "provider",
    target.provider,
    clusters.flatMap(({ provider }) => provider ?? []),
    field,
    note,
  );
  checkPlace(
    "zone",
    target.zone,
    clusters.flatMap(({ zones }) => zones),
    field,
    note,
  );
  for (const [key, value] of Object.entries(target.labels ?? {})) {
    const values = clusters.flatMap(({ labels }) => (Object.hasOwn(labels, key) ? labels[key] : undefined) ?? []);
    if (value === undefined || values.includes(value)) continue;
    const meant = nearest(value, values);
    const hint = meant === undefined ? "" : `. Did you mean ${meant}?`;
    note(`${field}.labels[${key}]`, `no cluster has the label ${key}=${value}${hint}`);
  }
  if (!isKnown || [target.clusters, target.nodes].some((list) => list?.includes(undefined))) return;
  // Complete where nothing has been found wrong with it.
  const whole = target as NodeTarget;
  const meant = targetClusters(whole, clusters);
  if (meant.length === 0) {
    report(field, "means no cluster: there is none with all of this");
    return;
  }
  for (const [index, pattern] of present(target.nodes)) {
    if (meant.some((cluster) => targetNodes({ ...whole, nodes: [pattern] }, cluster).length > 0)) continue;
    const names = meant.flatMap(({ nodes }) => nodes.map(({ name }) => name));
    const near = nearest(pattern, names);
    const hint =
      near === undefined ? `; they are called ${names[0] ?? "CLUSTER-POOL-N"} and so on` : `. Did you mean ${near}?`;
    report(`${field}.nodes[${index}]`, `there is no node "${pattern}" in these clusters${hint}`);
  }
}

function checkClusterName(pattern: string, field: string, clusters: readonly PlannedCluster[], report: Report): void {
  if (clusters.some(({ name }) => matchesPattern(pattern, name))) return;
  const meant = nearest(
    pattern,
    clusters.map(({ name }) => name),
  );
  report(field, `there is no cluster "${pattern}"${meant === undefined ? "" : `. Did you mean ${meant}?`}`);
}

function checkPlace(
  what: "region" | "provider" | "zone",
  value: string | undefined,
  known: readonly string[],
  field: string,
  report: Report,
): void {
  if (value === undefined || known.includes(value)) return;
  const meant = nearest(value, known);
  const all = [...new Set(known)];
  const hint =
    meant !== undefined
      ? `. Did you mean ${meant}?`
      : all.length === 0
        ? `; no cluster names its ${what}`
        : `; there are ${all.join(", ")}`;
  report(`${field}.${what}`, `there is no ${what} "${value}"${hint}`);
}
