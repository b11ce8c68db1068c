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

  it.skip("lists no script as pending that it plays as recorded", () => {
    const passed = new Set(results.filter((result) => result.passed).map((result) => result.id));

    expect([...PENDING].filter((id) => passed.has(id))).toEqual([]);
  });

  it.each(results.filter(({ id }) => !PENDING.has(id)).map((result) => [result.id, result] as const))(
    "does as a real one: %s",
    (_id, result) => {
      expect(result.details ?? "").toBe("");
      expect(result.passed).toBe(true);
    },
  );
});
