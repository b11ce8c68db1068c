// Fleet tests that a change takes away or alters: they would have nothing to say against that very change.
import type { FleetTestCase } from "../../../api/fleet-test.ts";
import type { ReportFinding, TestResult } from "../../../api/plan-report.ts";
import { equalJson } from "../../../kube/object.ts";
import type { FleetTestFile } from "./test-files.ts";

/** Of the files of the base, what the head no longer asks in the same words: in files of their own. */
export function formerTests(base: readonly FleetTestFile[], head: readonly FleetTestFile[]): FleetTestFile[] {
  const kept = Map.groupBy(casesOf(head), ({ test }) => test.name);
  return base.flatMap(({ file, parsed }) => {
    const tests = (parsed.tests ?? []).filter(
      ({ test }) => test.skip === undefined && !kept.get(test.name)?.some((now) => equalJson(now.test, test)),
    );
    return tests.length === 0 ? [] : [{ file, parsed: { tests } }];
  });
}

/**
 * What a reviewer should know of them. `results` say how the former tests would end with the change, in their order. A test
 * that was only reworded and would pass is nobody's business.
 */
export function weakenedTests(results: readonly TestResult[], head: readonly FleetTestFile[]): ReportFinding[] {
  const now = new Map(casesOf(head).map((one) => [one.test.name, one]));
  return results.flatMap(({ name, outcome, message, place }): ReportFinding[] => {
    const later = now.get(name);
    const isSkipped = later?.test.skip !== undefined;
    if (outcome === "passed" && later !== undefined && !isSkipped) return [];
    const what = later === undefined ? "takes away" : isSkipped ? "skips" : "alters";
    const would = {
      passed: "it would pass",
      failed: `as it was it would fail: ${message ?? ""}`,
      skipped: `how it would end is not known: ${message ?? ""}`,
    }[outcome];
    return [
      {
        rule: "test-weakened",
        severity: outcome === "failed" ? "warning" : "notice",
        ...(later === undefined ? {} : { place: { file: later.file, line: later.line } }),
        message: `the change ${what} the fleet test "${name}" of ${place?.file ?? "the base"}; ${would}`,
        ...(outcome === "failed" ? { advice: "change the test in a change of its own, where it can be weighed" } : {}),
      },
    ];
  });
}

interface PlacedCase {
  readonly file: string;
  readonly test: FleetTestCase;
  readonly line: number;
}

function casesOf(files: readonly FleetTestFile[]): PlacedCase[] {
  return files.flatMap(({ file, parsed }) => (parsed.tests ?? []).map(({ test, line }) => ({ file, test, line })));
}
