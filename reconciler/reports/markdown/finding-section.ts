// What a reviewer should know first: what cannot be applied, and what was found.
import type { PlanReport } from "../../../api/plan-report.ts";
import { planRemarks, type Remark } from "../remarks.ts";
import { objectName } from "../words.ts";
import { codeNames, longList } from "./blocks.ts";
import { firstItems, objectCode, placeCode, type Style } from "./style.ts";

const SHOWN = 12;

/** Problems and findings, the severest first. */
export function findingSection(report: PlanReport, style: Style): string[] {
  const items = firstItems(planRemarks(report), style, "findings", (remark) => remarkText(remark, style));
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}

function remarkText(
  { severity, message, reasons = [], advice, rule, object, field, clusters = [], place }: Remark,
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
    ...(rule === "problem" ? [] : [`rule ${text.code(rule)}`]),
  ];
  const line = [
    `**${severity}:**`,
    ...(about.length === 0 ? [] : [`${about.join(" ")}:`]),
    `${text.prose(message)}.`.replace(/([.!?…])\.$/, "$1"),
    ...(advice === undefined ? [] : [`→ ${text.prose(advice)}`]),
    ...(where.length === 0 ? [] : [`(${where.join(", ")})`]),
  ].join(" ");
  return [line, ...reasons.slice(0, style.detail.most).map((reason) => `- ${text.prose(reason)}`)].join("\n");
}
