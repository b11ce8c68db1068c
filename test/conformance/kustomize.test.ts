// The recorded builds of kustomize, as part of the test suite.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { suite } from "./suites/kustomize.ts";

const results = await Array.fromAsync(suite.run({ vectors: join(import.meta.dirname, "vectors", "kustomize") }));

describe("kustomize", () => {
  it("has its recorded cases", () => {
    expect(results.length).toBeGreaterThan(390);
  });

  it.each(results.map((result) => [result.id, result] as const))("answers as recorded: %s", (_id, result) => {
    expect(result.details ?? "").toBe("");
    expect(result.passed).toBe(true);
  });
});
