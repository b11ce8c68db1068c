import { describe, expect, it } from "vitest";
import type { Placement } from "../../api/policy.ts";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { binding, claimed, configMap, deployment, policy } from "../../test/builders.ts";
import { explainLeaders } from "./rollout-report.ts";

const ROLLOUT: Placement = { flaghoist: { rollout: { minSuccessTime: "1m" } } };

function why(settings: KubeObject, placement: Placement, annotations: Record<string, string> = {}): string[] {
  const owner = policy({ name: "web", placement });
  const web = claimed(deployment(), owner);
  const referrer = binding({ template: web, policy: owner, clusters: [{ name: "paris-1" }] });
  const made = binding({ template: settings, policy: owner, clusters: [] });
  const { placement: _own, ...spec } = made.spec;
  const stored: ResourceBinding = {
    ...made,
    metadata: { ...made.metadata, annotations },
    spec: { ...spec, requiredBy: [{ namespace: "shop", name: "web-deployment", clusters: [] }] },
  };
  const bindings = [{ ...referrer, spec: { ...referrer.spec, propagateDeps: true } }, stored];
  return explainLeaders(settings, stored, { bindings, templates: [web, settings] });
}

describe("explainLeaders", () => {
  it("says whose rollout an object goes with that follows another", () => {
    expect(why(configMap("settings"), ROLLOUT)).toEqual([
      "Goes with the rollout of deployment/web -n shop: each cluster has it as it was in the revision there.",
    ]);
  });

  it("says nothing where the other has no rollout, or another policy has the object", () => {
    expect(why(configMap("settings"), {})).toEqual([]);
    expect(why(claimed(configMap("settings"), policy({ name: "other" })), ROLLOUT)).toEqual([]);
  });

  it("takes a record that is none for absent", () => {
    expect(why(configMap("settings"), {}, { "gitops.flaghoist.io/rollout-with": "garbage" })).toEqual([]);
  });
});
