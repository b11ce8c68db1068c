// How the fleet tests of the repository ended.
import type { TestResult } from "../../../api/plan-report.ts";
import { longList } from "./blocks.ts";
import { firstItems, placeCode, type Style } from "./style.ts";

const SHOWN = 10;
const MOST_DETAILS = 5;

/** `1 failed, 12 passed`. */
export function testCounts(tests: readonly TestResult[]): string {
  const outcomes = ["failed", "passed", "skipped"] as const;
  return outcomes
    .map((outcome) => ({ outcome, number: tests.filter((test) => test.outcome === outcome).length }))
    .filter(({ number }) => number > 0)
    .map(({ outcome, number }) => `${number} ${outcome}`)
    .join(", ");
}

/** The failed and the skipped; what passed is in the heading. */
export function testSection(tests: readonly TestResult[], style: Style): string[] {
  const told = [...tests.filter(isOutcome("failed")), ...tests.filter(isOutcome("skipped"))];
  const items = firstItems(told, style, "fleet tests", (test) => testText(test, style));
  return items.length === 0 ? [] : longList(style.dialect, items, { shown: SHOWN, more: (count) => `${count} more` });
}

function isOutcome(outcome: TestResult["outcome"]) {
  return (test: TestResult) => test.outcome === outcome;
}

function testText({ name, place, outcome, message, details = [], base }: TestResult, style: Style): string {
  const { text, detail } = style;
  const new_ = outcome === "failed" && base === "passed" ? ", passed before this change" : "";
  const already = outcome === "failed" && base === "failed" ? ", as before this change" : "";
  const lines = details.slice(0, Math.min(MOST_DETAILS, detail.most)).map((line) => `- ${text.prose(line)}`);
  const more = details.length - lines.length;
  return [
    `**${outcome}${new_}${already}:** ${text.prose(name)}${message === undefined ? "" : ` — ${text.prose(message)}`}${place === undefined ? "" : ` (${placeCode(place, style)})`}`,
    ...lines,
    ...(more > 0 ? [`- and ${more} more lines`] : []),
  ].join("\n");
}
