import { describe, expect, it } from "vitest";
import type { PlanReport } from "../../../api/plan-report.ts";
import { hugeReport } from "../../reports/testing/huge-report.ts";
import { SAMPLES, type SampleName } from "../../reports/testing/sample-reports.ts";
import { partsOf, ReportParts, restOf } from "./report-parts.ts";

function sent(report: PlanReport): { readonly report: PlanReport; readonly largest: number } {
  const parts = new ReportParts();
  let largest = 0;
  for (const { list, text } of partsOf(report)) {
    parts.add(list, text);
    largest = Math.max(largest, text.length);
  }
  const rest = JSON.stringify(restOf(report));
  return { report: parts.join(JSON.parse(rest)), largest: Math.max(largest, rest.length) };
}

describe("report parts", () => {
  it.each(Object.keys(SAMPLES) as SampleName[])("come to the report that was sent (%s)", (name) => {
    const report = SAMPLES[name]();

    expect(sent(report).report).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it("are small, however large the report", () => {
    const report = hugeReport({ objects: 200 });

    expect(JSON.stringify(report).length).toBeGreaterThan(1_000_000);
    expect(sent(report).largest).toBeLessThan(200_000);
  });

  it.each([
    ["a list that reports have not", "verdict", "[]"],
    ["another list's items", "objects", '[{"severity":"error"}]'],
    ["what is no list", "objects", "{}"],
    ["what is no JSON", "objects", "["],
  ])("may not be %s", (_, list, text) => {
    expect(() => new ReportParts().add(list, text)).toThrow();
  });
});
