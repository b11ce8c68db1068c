// Drift on what the change touches: what the base wants, what the head wants, what is live, and what becomes of it.
import type { PlanReport, ReportedDrift } from "../../../api/plan-report.ts";
import { ageOf, value } from "../words.ts";
import { codeNames, longList } from "./blocks.ts";
import { firstItems, objectCode, type Style, timeText } from "./style.ts";

const SHOWN = 8;

export const DRIFT_OUTCOMES: Readonly<Record<ReportedDrift["outcome"], string>> = {
  undone: "it is undone in any case",
  kept: "it stays",
  adopted: "this change adopts it",
  overwritten: "this change overwrites it",
};

export function driftSection({ drift, driftUnknown = [], made }: PlanReport, style: Style): string[] {
  const { text, dialect } = style;
  const items = firstItems(drift, style, "drifted fields", (one) => driftText(one, Date.parse(made.at), style));
  const unknown = firstItems(
    driftUnknown,
    style,
    "clusters that could not be asked",
    ({ cluster, reason }) => `It is not known of ${text.code(cluster)}: ${text.prose(reason)}`,
  );
  const all = [...items, ...unknown];
  return all.length === 0 ? [] : longList(dialect, all, { shown: SHOWN, more: (count) => `${count} more` });
}

function driftText(drift: ReportedDrift, nowMs: number, style: Style): string {
  const { text } = style;
  const { object, path, base, head, live, outcome, manager, since, clusters } = drift;
  const by = [
    ...(manager === undefined ? [] : [`by ${text.code(manager)}`]),
    ...(since === undefined ? [] : sinceText(since, nowMs, style)),
  ].join(" ");
  const where = `in ${codeNames(text, clusters)}`;
  if (path === "")
    return `${objectCode(object, style)} is missing ${where}${by === "" ? "" : ` (${by})`}: ${outcome === "kept" ? DRIFT_OUTCOMES.kept : "it is made anew"}.`;
  const same = JSON.stringify(base) === JSON.stringify(head);
  const wanted = same
    ? `wanted ${text.code(value(head))}`
    : `wanted ${text.code(value(base))} before, ${text.code(value(head))} after`;
  return `${objectCode(object, style)} ${text.code(path)} ${where}: ${wanted}, found ${text.code(value(live))}${by === "" ? "" : ` ${by}`}; ${DRIFT_OUTCOMES[outcome]}.`;
}

function sinceText(since: string, nowMs: number, style: Style): string[] {
  if (style.undated === true) return [`since ${timeText(since, style)}`];
  const age = ageOf(since, nowMs);
  return age === undefined ? [] : [`${age} ago`];
}
