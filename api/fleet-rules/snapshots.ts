// Rules of the snapshots that clusters of a scenario begin as.
import { membersOf } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { nearest } from "../nearest.ts";
import { type Draft, present, type Report } from "./draft.ts";

/** What rules ask of a snapshot: whose state it has, or why it cannot be used. */
export type SnapshotFacts = { readonly clusters: readonly string[] } | { readonly problem: string };

/** A snapshot by its file. */
export type SnapshotOf = (file: string) => SnapshotFacts;

/** The files of all snapshots that a scenario names. */
export function snapshotFilesOf(scenario: Draft<FleetScenario>): string[] {
  const files = [scenario.defaults, ...(scenario.clusters ?? [])].flatMap((each) => each?.snapshot ?? []);
  return [...new Set(files)];
}

/** Without `snapshotOf`, snapshots are not looked at. */
export function checkSnapshots(
  scenario: Draft<FleetScenario>,
  snapshotOf: SnapshotOf | undefined,
  report: Report,
): void {
  if (snapshotOf === undefined) return;
  const byDefault = scenario.defaults?.snapshot;
  const known = byDefault === undefined ? undefined : snapshotOf(byDefault);
  if (known !== undefined && "problem" in known) report("defaults.snapshot", known.problem);
  for (const [index, entry] of present(scenario.clusters)) {
    const file = entry.snapshot ?? byDefault;
    if (file === undefined) continue;
    const field = entry.snapshot === undefined ? `clusters[${index}]` : `clusters[${index}].snapshot`;
    const facts = snapshotOf(file);
    if ("problem" in facts) {
      if (entry.snapshot !== undefined) report(field, facts.problem);
      continue;
    }
    for (const { name } of membersOf(entry)) {
      if (facts.clusters.includes(name)) continue;
      const meant = nearest(name, facts.clusters);
      report(
        field,
        `${file} has nothing of a cluster "${name}"${meant === undefined ? "" : `. Did you mean ${meant}?`}`,
      );
    }
  }
}
