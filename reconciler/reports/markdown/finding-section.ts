// What a reviewer should know first: what cannot be applied, and what was found.
import type { Place, PlanReport, ReportedObject, Severity } from "../../../api/plan-report.ts";
import { objectName } from "../words.ts";
import { codeNames, longList } from "./blocks.ts";
import { firstItems, objectCode, placeCode, type Style } from "./style.ts";

interface Remark {
  readonly severity: Severity;
  readonly message: string;
  readonly advice?: string | undefined;
  readonly rule?: string | undefined;
  readonly object?: ReportedObject | undefined;
  readonly field?: string | undefined;
  readonly clusters?: readonly string[] | undefined;
  readonly place?: Place | undefined;
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, notice: 2 };
const SHOWN = 12;

/** Problems and findings, the severest first. */
export function findingSection({ problems, findings }: PlanReport, style: Style): string[] {
  const remarks: Remark[] = [...problems, ...findings].toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
  const items = firstItems(remarks, style, "findings", (remark) => remarkText(remark, style));
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}

function remarkText(
  { severity, message, advice, rule, object, field, clusters = [], place }: Remark,
  style: Style,
): string {
  const { text } = style;
  const about = [
    // Many messages name the object themselves.
    ...(object === undefined || message.includes(objectName(object)) ? [] : [objectCode(object, style)]),
    ...(field === undefined ? [] : [text.code(field)]),
    ...(clusters.length === 0 ? [] : [`in ${codeNames(text, clusters)}`]),
  ];
  const where = [
    ...(place === undefined ? [] : [placeCode(place, style)]),
    ...(rule === undefined ? [] : [`rule ${text.code(rule)}`]),
  ];
  return [
    `**${severity}:**`,
    ...(about.length === 0 ? [] : [`${about.join(" ")}:`]),
    `${text.prose(message)}.`.replace(/([.!?…])\.$/, "$1"),
    ...(advice === undefined ? [] : [`→ ${text.prose(advice)}`]),
    ...(where.length === 0 ? [] : [`(${where.join(", ")})`]),
  ].join(" ");
}
