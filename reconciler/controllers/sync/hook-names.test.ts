import { describe, expect, it } from "vitest";
import type { SyncOperation } from "../../../api/gitops.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { hookRef, nameHook, withDistinctNames } from "./hook-names.ts";

const OPERATION: SyncOperation = {
  attempt: 1,
  digest: "d",
  generation: 1,
  hooks: [],
  id: "d-1",
  message: "",
  phase: "PreSync",
  request: "",
  revision: "main@sha1:6ccfe7412345",
  startedAt: "2022-04-22T18:04:08Z",
  wave: 0,
};

function job(metadata: KubeObject["metadata"]): KubeObject {
  return { apiVersion: "batch/v1", kind: "Job", metadata: { namespace: "shop", ...metadata } };
}

describe("nameHook", () => {
  it("adds revision, phase and time as Argo CD does", () => {
    const named = nameHook(job({ generateName: "linter-" }), OPERATION, "PostSync");

    expect(named.metadata).toEqual({ namespace: "shop", name: "linter-6ccfe74-postsync-1650650648" });
  });

  it("gives another name with each operation and in each phase", () => {
    const hook = job({ generateName: "linter-" });
    const later = { ...OPERATION, startedAt: "2022-04-22T18:04:09Z" };
    const names = [
      nameHook(hook, OPERATION, "PreSync"),
      nameHook(hook, OPERATION, "PostSync"),
      nameHook(hook, later, "PreSync"),
    ].map(({ metadata }) => metadata.name);

    expect(new Set(names).size).toBe(3);
  });

  it("shortens what would be too long for a label", () => {
    const name = nameHook(job({ generateName: "x".repeat(80) }), OPERATION, "PreSync").metadata.name ?? "";

    expect(name).toHaveLength(63);
    expect(name).toMatch(/^x+6ccfe74-presync-1650650648$/);
  });

  it("leaves alone what has a name", () => {
    const hook = job({ name: "migrate", generateName: "other-" });

    expect(nameHook(hook, OPERATION, "PreSync")).toBe(hook);
    expect(hookRef(hook).name).toBe("migrate");
  });
});

describe("withDistinctNames", () => {
  it("tells apart hooks whose names begin alike", () => {
    const objects = [
      job({ generateName: "linter-" }),
      job({ generateName: "linter-" }),
      job({ generateName: "other-" }),
    ];

    expect(withDistinctNames(objects).map(({ metadata }) => metadata.generateName)).toEqual([
      "linter-",
      "linter-2-",
      "other-",
    ]);
  });
});
