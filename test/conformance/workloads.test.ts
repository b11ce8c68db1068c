// Scripted sequences on workloads, on a simulated cluster as on a real control plane.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CaseResult } from "./suite.ts";
import { suite } from "./suites/workloads.ts";
import { PENDING } from "./workloads/pending.ts";

const results: readonly CaseResult[] = await Array.fromAsync(
  suite.run({ vectors: join(import.meta.dirname, "vectors") }),
);

describe("a simulated cluster", () => {
  it("has its recorded scripts", () => {
    expect(results.length).toBeGreaterThan(20);
  });

  it("lists as pending only scripts that there are and that it does not play as recorded", () => {
    const failed = new Set(results.filter(({ passed }) => !passed).map(({ id }) => id));

    expect(Object.keys(PENDING).filter((id) => !failed.has(id))).toEqual([]);
  });

  it.each(results.filter(({ id }) => PENDING[id] === undefined).map((result) => [result.id, result] as const))(
    "does as a real one: %s",
    (_id, result) => {
      expect(result.details ?? "").toBe("");
      expect(result.passed).toBe(true);
    },
  );
});
