// What the loss of a part of the fleet does to the workloads that change.
import type { ReportedLoss } from "../../../api/plan-report.ts";
import { alsoText, survivalBefore } from "../plan-words.ts";
import { count } from "../words.ts";
import { longList } from "./blocks.ts";
import { firstItems, objectCode, type Style } from "./style.ts";

export type LostObject = ReportedLoss["objects"][number];

const OUTCOME_RANK: Readonly<Record<LostObject["outcome"], number>> = {
  down: 0,
  "below-minimum": 1,
  recovers: 2,
  survives: 3,
  untouched: 4,
};
const COMPARISON_RANK: Readonly<Record<LostObject["comparison"], number>> = { worse: 0, same: 1, better: 2 };
const SHOWN = 6;

/** The worst first; what survives as before is a number at the end. */
export function lossSection(losses: readonly ReportedLoss[], style: Style): string[] {
  const cases = losses.flatMap(({ loss, objects }) => objects.map((object) => ({ loss, object })));
  const told = cases
    .filter(({ object }) => isWorthTelling(object))
    .toSorted((a, b) => rankOf(a.object) - rankOf(b.object));
  const quiet = cases.length - told.length;
  const items = firstItems(told, style, "losses", ({ loss, object }) => lossText(loss, object, style));
  const rest = quiet === 0 ? [] : [`In ${count(quiet, `${told.length === 0 ? "" : "other "}case`)} it is as before.`];
  if (items.length === 0) return rest;
  return [...longList(style.dialect, items, { shown: SHOWN, more: (number) => `${number} more` }), ...rest];
}

export function isWorthTelling({ outcome, comparison }: LostObject): boolean {
  if (outcome === "down" || outcome === "below-minimum") return true;
  return comparison !== "same";
}

export function rankOf({ outcome, comparison }: LostObject): number {
  return COMPARISON_RANK[comparison] + 3 * OUTCOME_RANK[outcome];
}

function lossText(loss: ReportedLoss["loss"], lost: LostObject, style: Style): string {
  const { text } = style;
  const { object, before, after, minimum, minimumFrom, outcome, comparison } = lost;
  const name = `${loss.what} ${text.code(loss.name)}${alsoText(loss, (other) => text.code(other))}`;
  const from = minimumFrom === undefined ? "" : ` (${text.prose(minimumFrom)})`;
  const needs = outcome === "survives" || outcome === "untouched" ? "" : ` It needs ${minimum}${from}.`;
  const earlier =
    comparison === "same"
      ? "as before"
      : before === undefined
        ? "before: not touched"
        : `before: ${survivalBefore(before)}`;
  const bad = outcome === "down" || outcome === "below-minimum";
  return `If ${name} fails: ${objectCode(object, style)} ${bad ? `**${afterText(after)}**` : afterText(after)}; ${earlier}.${needs}`;
}

/** `keeps 4 of 6 at once, 6 with failover`; `is down`. */
function afterText(after: LostObject["after"]): string {
  if (after === undefined) return "is not touched";
  const { placed, kept, recovered } = after;
  const atOnce = kept === 0 ? "is down" : `keeps ${kept} of ${placed} at once`;
  if (recovered > kept) return `${atOnce}, ${kept === 0 ? `${recovered} of ${placed}` : recovered} with failover`;
  return kept === 0 ? "is down" : `keeps ${kept} of ${placed}`;
}
