// How a change is rolled out, and what a Sync does beside it: hooks that run, objects that stay.
import type { ObjectReport, PlanReport, ReportedHook } from "../../../api/plan-report.ts";
import { rolloutText } from "../plan-words.ts";
import { codeNames, listBlock, longList } from "./blocks.ts";
import { firstItems, objectCode, type Style } from "./style.ts";

const SHOWN = 6;

/** Objects that clusters get one wave after the other. */
export function rolloutSection(objects: readonly ObjectReport[], style: Style): string[] {
  // The same order for many objects is said once.
  const groups = new Map<string, ObjectReport[]>();
  for (const object of objects) {
    if (object.rollout === undefined) continue;
    const words = rolloutText(object.rollout);
    groups.set(words, [...(groups.get(words) ?? []), object]);
  }
  const items = firstItems([...groups], style, "rollouts", ([words, alike]) => {
    const names = alike.slice(0, 3).map(({ object }) => objectCode(object, style));
    const more = alike.length > 3 ? ` and ${alike.length - 3} more` : "";
    return `${names.join(", ")}${more}: ${style.text.prose(words)}`;
  });
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}

/** A list of hooks for each occasion on which some run. */
export function hookSection({ hooks }: PlanReport, style: Style): string[] {
  if (hooks === undefined) return [];
  const { runs, onFailure, onDeletion, idle } = hooks;
  const occasions = [
    [idle === undefined ? "They run with this change:" : `They do not run this time: ${style.text.prose(idle)}.`, runs],
    ["They run should the change fail:", onFailure],
    ["They run when the Sync is deleted:", onDeletion],
  ] as const;
  return occasions.flatMap(([title, list]) =>
    list.length === 0 ? [] : [title, listBlock(firstItems(list, style, "hooks", (hook) => hookText(hook, style)))],
  );
}

function hookText({ object, phase, wave, clusters = [], problem }: ReportedHook, style: Style): string {
  const turn = wave === 0 ? phase : `${phase} ${wave}`;
  const where = clusters.length === 0 ? "" : ` in ${codeNames(style.text, clusters)}`;
  const why = problem === undefined ? "" : `, **but** ${style.text.prose(problem)}`;
  return `${turn}: ${objectCode(object, style)}${where}${why}`;
}

/** Objects that are no longer in the source, and stay. */
export function keptSection({ kept = [] }: PlanReport, style: Style): string[] {
  const items = firstItems(
    kept,
    style,
    "kept objects",
    ({ object, reason }) => `${objectCode(object, style)}: ${style.text.prose(reason)}`,
  );
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}
