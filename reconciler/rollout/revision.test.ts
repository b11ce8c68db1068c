import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { deployment, overridePolicy } from "../../test/builders.ts";
import { standardInterpreter } from "../interpreter/standard-interpreter.ts";
import { listedOverridePolicies } from "../overrides/override-policies.ts";
import { revisionOf, templateOfRevision, withoutControls } from "./revision.ts";

const interpreter = standardInterpreter("flaghoist");
const NO_OVERRIDES = listedOverridePolicies([], []);

function named(object = deployment(), overrides = NO_OVERRIDES): string {
  return revisionOf(object, overrides, interpreter).name;
}

function annotated(annotations: Record<string, string>): KubeObject {
  const made = deployment();
  return { ...made, metadata: { ...made.metadata, annotations } };
}

describe("a revision", () => {
  it("is another one with other content", () => {
    expect(named(deployment({ image: "shop/web:2" }))).not.toBe(named());
    expect(named(deployment({ labels: { tier: "gold" } }))).not.toBe(named());
    expect(named(annotated({ "example.com/note": "x" }))).not.toBe(named());
  });

  it("is the same with other replicas, status, versions and order of fields", () => {
    const made = deployment();
    const { spec, metadata, ...rest } = made;
    const same = {
      spec,
      metadata: { resourceVersion: "7", generation: 3, managedFields: [], ...metadata },
      ...rest,
      status: { replicas: 6 },
    };

    expect(named(deployment({ replicas: 9 }))).toBe(named());
    expect(named(same)).toBe(named());
  });

  it.each([
    "gitops.flaghoist.io/rollout-paused",
    "gitops.flaghoist.io/drift",
    "propagationpolicy.karmada.io/name",
    "resourcetemplate.karmada.io/uid",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "kubectl.kubernetes.io/last-applied-configuration",
  ])("is the same whatever %s says", (key) => {
    expect(named(annotated({ [key]: "x" }))).toBe(named());
  });

  it("is another one when an override that selects the object says otherwise, and only then", () => {
    const rule = { overriders: { labelsOverrider: [{ operator: "add" as const, value: { a: "b" } }] } };
    const own = listedOverridePolicies([], [overridePolicy({ name: "own", rules: [rule] })]);
    const other = listedOverridePolicies(
      [],
      [overridePolicy({ name: "other", rules: [rule], selects: [{ apiVersion: "v1", kind: "Secret" }] })],
    );

    expect(named(deployment(), own)).not.toBe(named());
    expect(named(deployment(), other)).toBe(named());
  });

  it("comes back with the replicas and the bookkeeping of now", () => {
    const before = annotated({ "example.com/note": "old", "gitops.flaghoist.io/drift": "correct" });
    const { content } = revisionOf(before, NO_OVERRIDES, interpreter);
    const now = {
      ...deployment({ image: "shop/web:2", replicas: 9 }),
      metadata: {
        ...deployment().metadata,
        annotations: { "gitops.flaghoist.io/drift": "report", "gitops.flaghoist.io/rollout-paused": "true" },
      },
    };

    const template = templateOfRevision(content, now, interpreter);

    expect(template["spec"]).toEqual({ ...(before["spec"] as object), replicas: 9 });
    expect(template.metadata.annotations).toEqual({
      "example.com/note": "old",
      "gitops.flaghoist.io/drift": "report",
    });
    expect(template.metadata.uid).toBe(now.metadata.uid);
  });

  it("is sent without what people ask of its rollout", () => {
    const asked = annotated({ "gitops.flaghoist.io/rollout-retry": "1", "example.com/note": "x" });

    expect(withoutControls(asked).metadata.annotations).toEqual({ "example.com/note": "x" });
    expect(withoutControls(deployment())).toEqual(deployment());
  });
});
