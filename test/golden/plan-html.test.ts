import { describe, it } from "vitest";
import { planHtml } from "../../reconciler/reports/html/plan-html.ts";
import { SAMPLES } from "../../reconciler/reports/testing/sample-reports.ts";
import { expectGolden } from "./golden.ts";

describe("the page of a plan", () => {
  it.each(["replicaMove", "regionLoss"] as const)("reads well: %s", (name) => {
    expectGolden(`html/${name}.html`, planHtml(SAMPLES[name]()));
  });
});
