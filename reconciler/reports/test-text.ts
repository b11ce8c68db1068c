// How fleet tests ended, as a test runner says it.
import type { TestResult } from "../../api/plan-report.ts";
import { cleanLine } from "./clean-text.ts";
import type { Emphasis } from "./drift-text.ts";

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function countTests(tests: readonly TestResult[]): TestCounts {
  const number = (outcome: TestResult["outcome"]): number => tests.filter((test) => test.outcome === outcome).length;
  return { passed: number("passed"), failed: number("failed"), skipped: number("skipped") };
}

/** For a plan: the failures, and how many passed. None without tests. */
export function failedTestLines(tests: readonly TestResult[], paint: Emphasis): string[] {
  if (tests.length === 0) return [];
  const failures = tests.filter(({ outcome }) => outcome === "failed");
  const shown = failures.slice(0, MOST_FAILURES).flatMap((test) => testLines(test, paint));
  const more = failures.length - MOST_FAILURES;
  return [
    `Fleet tests: ${countText(countTests(tests))}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more failures (flaghoist test shows all)`] : []),
  ];
}

const MOST_FAILURES = 10;

/** File by file, failures with what was found; then `3 passed, 1 failed`. */
export function testText(tests: readonly TestResult[], paint: Emphasis): string {
  const files = Map.groupBy(tests, ({ place }) => place?.file ?? "");
  const sections = [...files].map(([file, own]) =>
    [cleanLine(file), ...own.flatMap((test) => testLines(test, paint))].join("\n"),
  );
  return [...sections, countText(countTests(tests))].join("\n\n");
}

function countText({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

function testLines({ name, place, outcome, message, details = [], base }: TestResult, paint: Emphasis): string[] {
  const title = cleanLine(name);
  if (outcome === "passed")
    return [`  ${paint.green("✓")} ${title}${base === "failed" ? " (failed before the change)" : ""}`];
  if (outcome === "skipped") return [`  ${paint.dim("-")} ${title} (skipped: ${cleanLine(message ?? "")})`];
  const line = place?.line === undefined ? "" : ` ${paint.dim(`(line ${place.line})`)}`;
  const before = base === "failed" ? " (and before the change)" : "";
  return [
    `  ${paint.red("✗")} ${title}${line}${before}`,
    ...(message === undefined ? [] : [`      ${cleanLine(message)}`]),
    ...details.map((detail) => `        ${cleanLine(detail)}`),
  ];
}
