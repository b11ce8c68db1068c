import { describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { PropagationSpec } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { clusterPolicy, policy } from "../../test/builders.ts";
import { adviseOnPolicy, type PolicySurroundings } from "./policy-advice.ts";
import type { Policy } from "./policy-index.ts";

const DEPLOYMENTS = { apiVersion: "apps/v1", kind: "Deployment" };

const FINE: PolicySurroundings = {
  gates: featureGates(),
  overrideExists: () => true,
  priorityClassExists: () => true,
  whyNoKind: () => undefined,
  selected: () => ({ kept: [], hasTemplates: true }),
  whyKept: () => "namespace kube-system is not propagated",
};

function advise(given: Policy, around: Partial<PolicySurroundings> = {}): string[] {
  return adviseOnPolicy(given, { ...FINE, ...around }).map(
    ({ type, reason, message }) => `${type} ${reason}: ${message}`,
  );
}

function withSpec(spec: Partial<PropagationSpec>): Policy {
  const base = policy({ name: "web" });
  return { ...base, spec: { ...base.spec, ...spec } };
}

describe("adviseOnPolicy", () => {
  it("has nothing to say about a policy that does what it says", () => {
    expect(advise(policy({ name: "web" }))).toEqual([]);
  });

  it("tells that preemption is switched off", () => {
    const always = withSpec({ preemption: "Always" });

    expect(advise(always)).toEqual([expect.stringMatching(/^Warning PreemptionDisabled: .*--feature-gates=/)]);
    expect(advise(always, { gates: featureGates({ PropagationPolicyPreemption: true }) })).toEqual([]);
  });

  it("names the override policies that are missing", () => {
    const waiting = withSpec({ dependentOverrides: ["registry", "limits"] });

    expect(advise(waiting, { overrideExists: (_, name) => name === "limits" })).toEqual([
      "Warning DependentOverridesMissing: waiting for dependent overrides: there is no OverridePolicy shop/registry: create it, or take it out of spec.dependentOverrides of policy shop/web",
    ]);
  });

  it("names a PriorityClass that is missing, and says when none is looked at", () => {
    const urgent = withSpec({
      schedulePriority: { priorityClassSource: "KubePriorityClass", priorityClassName: "gold" },
    });

    expect(advise(urgent)).toEqual([]);
    expect(advise(urgent, { priorityClassExists: () => false })).toEqual([
      expect.stringMatching(/^Warning PriorityClassMissing: .*there is no PriorityClass gold.*create it/),
    ]);
    expect(advise(urgent, { gates: featureGates({ PriorityBasedScheduling: false }) })).toEqual([
      expect.stringMatching(/^Warning PriorityDisabled: /),
    ]);
  });

  it("tells of a cluster-wide selector that reaches into reserved namespaces", () => {
    const kept: KubeObject[] = ["dns", "proxy"].map((name) => ({
      ...DEPLOYMENTS,
      metadata: { name, namespace: "kube-system" },
    }));

    expect(advise(clusterPolicy({ name: "all" }), { selected: () => ({ kept, hasTemplates: true }) })).toEqual([
      "Warning SelectsReserved: spec.resourceSelectors[0] also selects what stays in the control plane: apps/v1 Deployment kube-system/dns (namespace kube-system is not propagated) and 1 more are not propagated; name a namespace, a name or labels to say which ones are meant",
    ]);
  });

  it("tells of selectors that select nothing, and why", () => {
    const selected = () => ({ kept: [], hasTemplates: false });
    const invalid = withSpec({
      resourceSelectors: [
        DEPLOYMENTS,
        { ...DEPLOYMENTS, labelSelector: { matchExpressions: [{ key: "app", operator: "Like" }] } },
      ],
    });
    const named = withSpec({ resourceSelectors: [{ ...DEPLOYMENTS, name: "web" }] });

    expect(advise(policy({ name: "web" }), { whyNoKind: () => "no such kind" })).toEqual([
      "Warning SelectsNothing: spec.resourceSelectors[0]: no such kind",
    ]);
    expect(advise(invalid)).toEqual([
      expect.stringMatching(/^Warning SelectsNothing: spec.resourceSelectors\[1\].labelSelector is not valid.*"Like"/),
    ]);
    expect(advise(named, { selected })).toEqual([
      "Normal SelectsNothing: spec.resourceSelectors[0]: there is no Deployment web in namespace shop at present; when it comes, it is taken",
    ]);
    expect(advise(clusterPolicy({ name: "all" }), { selected })).toEqual([
      expect.stringContaining("there is no Deployment that it selects and no other policy has"),
    ]);
  });
});
