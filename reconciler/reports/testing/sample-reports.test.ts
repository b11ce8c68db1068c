import { describe, expect, it } from "vitest";
import { planReportSchema } from "../../../api/plan-report.ts";
import { SAMPLES } from "./sample-reports.ts";

describe("sample reports", () => {
  it.each(Object.entries(SAMPLES))("%s is a plan report", (_, make) => {
    expect(planReportSchema.parse(make())).toEqual(make());
  });
});
