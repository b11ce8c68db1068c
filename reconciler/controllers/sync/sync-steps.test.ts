import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { inStages, planSteps } from "./sync-steps.ts";

function object(apiVersion: string, kind: string, metadata: KubeObject["metadata"] = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: "it", ...metadata } };
}

function named(name: string, annotations: Record<string, string> = {}, kind = "ConfigMap"): KubeObject {
  return { apiVersion: kind === "Job" ? "batch/v1" : "v1", kind, metadata: { name, namespace: "shop", annotations } };
}

const WAVE = "argocd.argoproj.io/sync-wave";
const HOOK = "argocd.argoproj.io/hook";

/** `PreSync 0: migrate*`: steps in few words; a star marks hooks. */
function brief(steps: ReturnType<typeof planSteps>["steps"]): string[] {
  return steps.map(({ phase, wave, objects, hooks }) => {
    const names = [
      ...objects.map(({ metadata }) => metadata.name),
      ...hooks.map(({ metadata }) => `${metadata.name}*`),
    ];
    return `${phase} ${wave}: ${names.join(" ")}`;
  });
}

describe("inStages", () => {
  it("puts first what others need", () => {
    const objects = [
      object("apps/v1", "Deployment"),
      object("rbac.authorization.k8s.io/v1", "RoleBinding"),
      object("v1", "ServiceAccount"),
      object("policy.karmada.io/v1alpha1", "ClusterPropagationPolicy"),
      object("policy.karmada.io/v1alpha1", "OverridePolicy"),
      object("v1", "Namespace"),
      object("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
      object("policy.karmada.io/v1alpha1", "ClusterOverridePolicy"),
      object("config.karmada.io/v1alpha1", "ResourceInterpreterCustomization"),
      object("example.org/v1", "Namespace"),
    ];

    expect(inStages(objects).map(({ stage, objects: group }) => [stage, group.map(({ kind }) => kind)])).toEqual([
      ["definitions", ["CustomResourceDefinition"]],
      ["namespaces", ["Namespace"]],
      ["interpreters", ["ResourceInterpreterCustomization"]],
      ["overrides", ["OverridePolicy", "ClusterOverridePolicy"]],
      ["policies", ["ClusterPropagationPolicy"]],
      ["rbac", ["RoleBinding", "ServiceAccount"]],
      ["objects", ["Deployment", "Namespace"]],
    ]);
  });

  it("leaves out stages without objects", () => {
    expect(inStages([])).toEqual([]);
  });
});

describe("planSteps", () => {
  it("makes one step of objects without a word about their turn", () => {
    expect(brief(planSteps([named("a"), named("b")]).steps)).toEqual(["Sync 0: a b"]);
  });

  it("orders by phase, then wave, negative waves first", () => {
    const plan = planSteps([
      named("app", { [WAVE]: "5" }),
      named("smoke", { [HOOK]: "PostSync", [WAVE]: "-1" }, "Job"),
      named("database", { [WAVE]: "-2" }),
      named("migrate", { [HOOK]: "PreSync", [WAVE]: "9" }, "Job"),
      named("seed", { [HOOK]: "Sync" }, "Job"),
      named("settings"),
    ]);

    expect(brief(plan.steps)).toEqual([
      "PreSync 9: migrate*",
      "Sync -2: database",
      "Sync 0: settings seed*",
      "Sync 5: app",
      "PostSync -1: smoke*",
    ]);
  });

  it("keeps hooks for failures apart, and leaves those of the Sync's end alone", () => {
    const plan = planSteps([
      named("tell", { [HOOK]: "SyncFail" }, "Job"),
      named("goodbye", { [HOOK]: "PostDelete" }, "Job"),
      named("a"),
    ]);

    expect(brief(plan.steps)).toEqual(["Sync 0: a"]);
    expect(brief(plan.onFailure)).toEqual(["SyncFail 0: tell*"]);
    expect(plan.objects.map(({ metadata }) => metadata.name)).toEqual(["a"]);
  });

  it("runs a hook in each phase it names", () => {
    expect(brief(planSteps([named("check", { [HOOK]: "PreSync,PostSync" }, "Job")]).steps)).toEqual([
      "PreSync 0: check*",
      "PostSync 0: check*",
    ]);
  });

  it("leaves out what is to be skipped", () => {
    const plan = planSteps([named("a"), named("manual", { [HOOK]: "Skip" })]);

    expect(plan.objects.map(({ metadata }) => metadata.name)).toEqual(["a"]);
    expect(plan.skipped.map(({ metadata }) => metadata.name)).toEqual(["manual"]);
  });

  it("brings a namespace forward to the first object in it", () => {
    const plan = planSteps([
      object("v1", "Namespace", { name: "shop" }),
      named("early", { [WAVE]: "-3" }),
      named("migrate", { [HOOK]: "PreSync" }, "Job"),
    ]);

    expect(brief(plan.steps)).toEqual(["PreSync 0: shop migrate*", "Sync -3: early"]);
  });

  it("brings a definition forward to the first object of its kind", () => {
    const definition = {
      ...object("apiextensions.k8s.io/v1", "CustomResourceDefinition", { name: "gadgets.example.org" }),
      spec: { group: "example.org", names: { kind: "Gadget" } },
    };

    const plan = planSteps([definition, object("example.org/v1", "Gadget", { annotations: { [WAVE]: "-1" } })]);

    expect(brief(plan.steps)).toEqual(["Sync -1: gadgets.example.org it"]);
  });

  it("brings a policy forward that a hook needs, with its namespace", () => {
    const policy = object("policy.karmada.io/v1alpha1", "PropagationPolicy", { name: "jobs", namespace: "shop" });
    const other = object("policy.karmada.io/v1alpha1", "PropagationPolicy", { name: "apps", namespace: "shop" });
    const namespace = object("v1", "Namespace", { name: "shop" });

    const plan = planSteps([policy, other, namespace, named("migrate", { [HOOK]: "PreSync" }, "Job")], {
      isNeededBy: (candidate) => candidate === policy,
    });

    expect(brief(plan.steps)).toEqual(["PreSync 0: jobs shop migrate*", "Sync 0: apps"]);
  });

  it("tells of words that mean nothing, and goes on without them", () => {
    const plan = planSteps([named("a", { [WAVE]: "soon", [HOOK]: "Whenever" })]);

    expect(brief(plan.steps)).toEqual(["Sync 0: a"]);
    expect(plan.problems.map(({ words }) => words)).toHaveLength(2);
  });
});
