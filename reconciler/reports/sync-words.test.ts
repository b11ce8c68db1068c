import { describe, expect, it } from "vitest";
import type { ReportedHook } from "../../api/plan-report.ts";
import { hookSections, keptSection } from "./sync-words.ts";

const same = (text: string): string => text;
const plain = { bold: same, dim: same, green: same, yellow: same, red: same };
const job = (name: string) => ({ apiVersion: "batch/v1", kind: "Job", namespace: "shop", name });
const NO_HOOKS = { runs: [], onFailure: [], onDeletion: [] };
const migrate: ReportedHook = { object: job("migrate"), phase: "PreSync", wave: 0, clusters: ["a", "b"] };

describe("hookSections", () => {
  it("says nothing without hooks", () => {
    expect(hookSections(NO_HOOKS, plain)).toEqual([]);
  });

  it("says which run, where, and which would be in vain", () => {
    const smoke: ReportedHook = { ...migrate, object: job("smoke-*"), phase: "PostSync", wave: 3, clusters: [] };
    const lines = hookSections({ ...NO_HOOKS, runs: [migrate, { ...smoke, problem: "has no policy" }] }, plain);

    expect(lines).toEqual([
      [
        "Hooks that run:",
        "  PreSync     Job shop/migrate   in a, b",
        "  PostSync 3  Job shop/smoke-*   ✗ has no policy",
      ],
    ]);
  });

  it("says why they do not run this time, and what runs on other occasions", () => {
    const sections = hookSections({ runs: [migrate], onFailure: [migrate], onDeletion: [migrate], idle: "so" }, plain);

    expect(sections.map(([title]) => title)).toEqual([
      "Hooks that do not run this time, because so:",
      "Hooks that run should it fail:",
      "Hooks that run when the Sync is deleted:",
    ]);
  });
});

describe("keptSection", () => {
  it("says what stays and why", () => {
    const reason = "argocd.argoproj.io/sync-options: Prune=false";

    expect(keptSection([{ object: job("data"), reason }])).toEqual([
      "No longer in the source, and kept:",
      `  Job shop/data   ${reason}`,
    ]);
  });
});
