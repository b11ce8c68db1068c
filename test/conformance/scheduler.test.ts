import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suite as binding } from "./suites/binding.ts";
import { suite as estimator } from "./suites/estimator.ts";
import { suite as interpreterNative } from "./suites/interpreter-native.ts";
import { suite as matching } from "./suites/matching.ts";
import { suite as naming } from "./suites/naming.ts";
import { suite as override } from "./suites/override.ts";
import { suite as policyAdmission } from "./suites/policy-admission.ts";
import { suite as scheduler } from "./suites/scheduler.ts";
import { suite as schedulerProcess } from "./suites/scheduler-process.ts";
import { suite as status } from "./suites/status.ts";
import { suite as work } from "./suites/work.ts";

const vectors = join(import.meta.dirname, "vectors");

describe("decisions recorded from Karmada", () => {
  it.each(Object.entries({ estimator, matching, scheduler, "scheduler-process": schedulerProcess }))(
    "are ours too: %s",
    async (_name, suite) => {
      const failed: string[] = [];
      let count = 0;
      for await (const result of suite.run({ vectors: join(vectors, "karmada") })) {
        count++;
        if (!result.passed) failed.push(`${result.id}: ${result.details ?? ""}`);
      }

      expect(failed).toEqual([]);
      expect(count).toBeGreaterThan(50);
    },
  );
});

// Asked by our own questions of `differential/karmada`: harder than the cases above, and what once differed.
describe("decisions that our own questions found", () => {
  it.each(
    Object.entries({
      binding,
      estimator,
      "interpreter-native": interpreterNative,
      matching,
      naming,
      override,
      policyAdmission,
      scheduler,
      "scheduler-process": schedulerProcess,
      status,
      work,
    }),
  )("are Karmada's: %s", async (_name, suite) => {
    const failed: string[] = [];
    let count = 0;
    for await (const result of suite.run({ vectors: join(vectors, "oracle") })) {
      count++;
      if (!result.passed) failed.push(`${result.id}: ${result.details ?? ""}`);
    }

    expect(failed).toEqual([]);
    expect(count).toBeGreaterThan(30);
  });
});
