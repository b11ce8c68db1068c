import { describe, expect, it } from "vitest";
import { type KubeObject, refKey, refOf } from "../../kube/object.ts";
import { outcome } from "../../test/builders.ts";
import { planSteps } from "../controllers/sync/sync-steps.ts";
import { hookTemplate, plannedHooks } from "./hooks.ts";
import type { Outcome } from "./river.ts";

function job(metadata: KubeObject["metadata"], hook: string, wave = "0"): KubeObject {
  const annotations = { "argocd.argoproj.io/hook": hook, "argocd.argoproj.io/sync-wave": wave };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { namespace: "shop", ...metadata, annotations },
    spec: { template: { spec: {} } },
  };
}

function placed(template: KubeObject, clusters: readonly string[]): [string, Outcome] {
  return [refKey(refOf(template)), outcome(template, clusters)];
}

describe("plannedHooks", () => {
  const migrate = job({ name: "migrate" }, "PreSync", "2");
  const smoke = job({ generateName: "smoke-" }, "PostSync");
  const backup = job({ name: "backup" }, "PreDelete,SyncFail");

  it("lists hooks by when they run, in their order, with their clusters", () => {
    const plan = planSteps([smoke, migrate, backup]);
    const outcomes = new Map([
      placed(migrate, ["paris-1", "a-1"]),
      placed(hookTemplate(smoke), ["a-1"]),
      placed(backup, ["a-1"]),
    ]);

    const { runs, onFailure, onDeletion, idle } = plannedHooks(plan, undefined, outcomes);

    expect(runs).toEqual([
      { object: refOf(migrate), phase: "PreSync", wave: 2, clusters: ["a-1", "paris-1"] },
      { object: { ...refOf(smoke), name: "smoke-*" }, phase: "PostSync", wave: 0, clusters: ["a-1"] },
    ]);
    expect(onFailure.map(({ object }) => object.name)).toEqual(["backup"]);
    expect(onDeletion.map(({ object, phase }) => `${phase} ${object.name}`)).toEqual(["PreDelete backup"]);
    expect(idle).toBeUndefined();
  });

  it("says which hook no policy places, and nothing of what is not known", () => {
    const plan = planSteps([migrate, smoke]);
    const [unplaced, unknown] = plannedHooks(plan, undefined, new Map([placed(migrate, [])])).runs;

    expect(unplaced?.problem).toContain("is placed by no policy");
    expect(unknown).toMatchObject({ clusters: undefined });
    expect(unknown?.problem).toBeUndefined();
  });
});
