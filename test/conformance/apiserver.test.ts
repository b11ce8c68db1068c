// The recorded cases of a real API server, as part of the test suite. What is not answered alike is listed here with the
// reason: a case that starts to pass must leave the list.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CaseResult } from "./suite.ts";
import { suite } from "./suites/apiserver.ts";

const KNOWN: Readonly<Record<string, string>> = {
  "auth/grant by Role and RoleBinding":
    "the reference names any of several bindings that allow, by the order of a Go map; ours always the first by name",
  "auth/service account token authenticates":
    "the recorded server still accepted a deleted account's token from its cache",
};

function knownReason(id: string): string | undefined {
  return KNOWN[id];
}

const results: readonly CaseResult[] = await Array.fromAsync(
  suite.run({ vectors: join(import.meta.dirname, "vectors", "apiserver") }),
);

describe("API server", () => {
  it("has its recorded cases", () => {
    expect(results.length).toBeGreaterThan(800);
  });

  it("lists no case as different that is answered as recorded", () => {
    const passed = new Set(results.filter((result) => result.passed).map((result) => result.id));

    expect(Object.keys(KNOWN).filter((id) => passed.has(id))).toEqual([]);
  });

  it.each(
    results.filter((result) => knownReason(result.id) === undefined).map((result) => [result.id, result] as const),
  )("answers as recorded: %s", (_id, result) => {
    expect(result.details ?? "").toBe("");
    expect(result.passed).toBe(true);
  });
});
