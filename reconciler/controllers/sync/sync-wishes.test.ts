import { describe, expect, it } from "vitest";
import { readSyncWishes } from "./sync-wishes.ts";

function wishes(annotations: Record<string, string>): ReturnType<typeof readSyncWishes> {
  return readSyncWishes({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "it", annotations } });
}

describe("readSyncWishes", () => {
  it("asks for nothing without annotations", () => {
    expect(wishes({})).toMatchObject({ wave: 0, hook: undefined, isSkipped: false, prune: "yes", deletion: "yes" });
  });

  it.each([
    [{ "argocd.argoproj.io/sync-wave": "3" }, 3],
    [{ "argocd.argoproj.io/sync-wave": "-10" }, -10],
    [{ "gitops.flaghoist.io/sync-wave": "2", "argocd.argoproj.io/sync-wave": "7" }, 2],
    [{ "helm.sh/hook": "pre-install", "helm.sh/hook-weight": "-5" }, -5],
    // A weight counts on hooks only.
    [{ "helm.sh/hook-weight": "-5" }, 0],
  ])("reads the wave of %j", (annotations, wave) => {
    expect(wishes(annotations as Record<string, string>).wave).toBe(wave);
  });

  it.each(["soon", "1.5", "", "99999999999999999999", "0x10", "1e3"])("takes the wave %j for none", (text) => {
    const read = wishes({ "argocd.argoproj.io/sync-wave": text });

    expect(read.wave).toBe(0);
    expect(read.problems).toHaveLength(1);
  });

  it.each([
    ["argocd.argoproj.io/hook", "PreSync", ["PreSync"]],
    ["argocd.argoproj.io/hook", "PostSync, PreSync", ["PreSync", "PostSync"]],
    ["gitops.flaghoist.io/hook", "SyncFail", ["SyncFail"]],
    ["helm.sh/hook", "pre-install,pre-upgrade", ["PreSync"]],
    ["helm.sh/hook", "post-install,post-upgrade", ["PostSync"]],
    ["helm.sh/hook", "post-delete", ["PostDelete"]],
    ["helm.sh/hook", "test", []],
    ["helm.sh/hook", "pre-rollback", []],
    ["helm.sh/hook", "crd-install", undefined],
    ["helm.sh/hook", "constructor", undefined],
    ["argocd.argoproj.io/hook", "Whenever", undefined],
  ])("reads the hook %s: %s", (key, value, phases) => {
    expect(wishes({ [key]: value }).hook).toEqual(phases);
  });

  it("is skipped when Argo CD's word or Flux's says so", () => {
    expect(wishes({ "argocd.argoproj.io/hook": "Skip" }).isSkipped).toBe(true);
    expect(wishes({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" }).isSkipped).toBe(true);
    expect(wishes({ "kustomize.toolkit.fluxcd.io/ssa": "Ignore" }).isSkipped).toBe(true);
  });

  it.each([
    [{}, ["BeforeHookCreation"]],
    [{ "argocd.argoproj.io/hook-delete-policy": "HookSucceeded" }, ["HookSucceeded"]],
    [{ "argocd.argoproj.io/hook-delete-policy": "HookSucceeded,HookFailed" }, ["HookSucceeded", "HookFailed"]],
    [{ "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" }, ["BeforeHookCreation", "HookSucceeded"]],
    [{ "argocd.argoproj.io/hook-delete-policy": "Never" }, ["BeforeHookCreation"]],
  ])("reads delete policies of %j", (annotations, policies) => {
    expect(wishes(annotations as Record<string, string>).hookDeletePolicies).toEqual(policies);
  });

  it.each([
    [{ "argocd.argoproj.io/sync-options": "Prune=false" }, "no", "yes"],
    [{ "argocd.argoproj.io/sync-options": "Prune=confirm,Delete=false" }, "confirm", "no"],
    [{ "argocd.argoproj.io/sync-options": "Validate=false, Delete=confirm" }, "yes", "confirm"],
    [{ "kustomize.toolkit.fluxcd.io/prune": "disabled" }, "no", "no"],
    [{ "kustomize.toolkit.fluxcd.io/prune": "Disabled" }, "no", "no"],
    [{ "helm.sh/resource-policy": "keep" }, "no", "no"],
    [
      { "gitops.flaghoist.io/sync-options": "Prune=true", "argocd.argoproj.io/sync-options": "Prune=false" },
      "yes",
      "yes",
    ],
    [{ "argocd.argoproj.io/sync-options": "Prune=perhaps" }, "yes", "yes"],
    [{ "argocd.argoproj.io/sync-options": ",,=,x" }, "yes", "yes"],
  ])("reads what %j says of deletion", (annotations, prune, deletion) => {
    expect(wishes(annotations as Record<string, string>)).toMatchObject({ prune, deletion });
  });

  it("reads what else the options ask for", () => {
    expect(wishes({ "argocd.argoproj.io/sync-options": "PruneLast=true,Replace=true,Force=true" })).toMatchObject({
      isPrunedLast: true,
      isForced: true,
    });
    expect(wishes({ "kustomize.toolkit.fluxcd.io/force": "enabled" }).isForced).toBe(true);
    expect(wishes({ "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent" }).isOnlyCreated).toBe(true);
  });
});
