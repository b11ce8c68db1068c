import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { withReplacement } from "./replacement.ts";

function copy(annotations?: Record<string, string>): KubeObject {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate", ...(annotations === undefined ? {} : { annotations }) },
  };
}

describe("withReplacement", () => {
  it.each([
    { "argocd.argoproj.io/sync-options": "Replace=true,Force=true" },
    { "argocd.argoproj.io/sync-options": "Prune=false, Force=true" },
    { "kustomize.toolkit.fluxcd.io/force": "enabled" },
    { "kustomize.toolkit.fluxcd.io/force": "Enabled" },
  ])("asks for it where %j does", (annotations) => {
    expect(withReplacement(copy(annotations)).metadata.annotations).toMatchObject({
      "gitops.flaghoist.io/replace": "true",
    });
  });

  it.each([
    undefined,
    {},
    { "argocd.argoproj.io/sync-options": "Replace=true" },
    { "argocd.argoproj.io/sync-options": "Force=false" },
    { "kustomize.toolkit.fluxcd.io/force": "disabled" },
  ])("leaves %j alone", (annotations) => {
    const object = copy(annotations);

    expect(withReplacement(object)).toBe(object);
  });

  it("lets our own word go before another tool's", () => {
    const annotations = { "gitops.flaghoist.io/replace": "false", "kustomize.toolkit.fluxcd.io/force": "enabled" };

    expect(withReplacement(copy(annotations)).metadata.annotations).toEqual(annotations);
  });
});
