// What a plan says of a Sync's own doings: hooks that run, objects that stay in spite of their removal.
import type { PlanReport, ReportedHook, ReportedHooks } from "../../api/plan-report.ts";
import type { Emphasis } from "./drift-text.ts";
import { clusterList, objectName } from "./words.ts";

const MOST = 10;

export function hookSections({ runs, onFailure, onDeletion, idle }: ReportedHooks, paint: Emphasis): string[][] {
  const sections: string[][] = [];
  const lists: readonly (readonly [string, readonly ReportedHook[]])[] = [
    [idle === undefined ? "Hooks that run:" : `Hooks that do not run this time, because ${idle}:`, runs],
    ["Hooks that run should it fail:", onFailure],
    ["Hooks that run when the Sync is deleted:", onDeletion],
  ];
  for (const [title, hooks] of lists) {
    if (hooks.length === 0) continue;
    const lines = hooks.slice(0, MOST).map((hook) => hookLine(hook, paint));
    if (hooks.length > MOST) lines.push(`  and ${hooks.length - MOST} more (-o json)`);
    sections.push([title, ...lines]);
  }
  return sections;
}

/** `  PreSync     Job shop/migrate   in tokyo-1 and paris-1` */
function hookLine({ object, phase, wave, clusters, problem }: ReportedHook, paint: Emphasis): string {
  const turn = wave === 0 ? phase : `${phase} ${wave}`;
  const where = clusters === undefined || clusters.length === 0 ? "" : `   in ${clusterList(clusters)}`;
  const why = problem === undefined ? "" : `   ${paint.red("✗")} ${problem}`;
  return `  ${turn.padEnd(10)}  ${objectName(object)}${where}${why}`;
}

export function keptSection(kept: NonNullable<PlanReport["kept"]>): string[] {
  const lines = kept.slice(0, MOST).map(({ object, reason }) => `  ${objectName(object)}   ${reason}`);
  if (kept.length > MOST) lines.push(`  and ${kept.length - MOST} more (-o json)`);
  return ["No longer in the source, and kept:", ...lines];
}
