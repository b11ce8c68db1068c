import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import type { ClusterPropagationPolicy, PropagationPolicy } from "../policy.ts";
import { rivalWarnings } from "./rival-policies.ts";
import { objectWarnings, warningText } from "./warnings.ts";

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap" };

function warned(kind: string, spec: object): string[] {
  const object: KubeObject = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind,
    metadata: { name: "web", ...(kind.startsWith("Cluster") ? {} : { namespace: "shop" }) },
    spec: { resourceSelectors: [{ ...CONFIG_MAP, name: "settings" }], ...spec },
  };
  return objectWarnings(object).map(warningText);
}

function placed(placement: object): string[] {
  return warned("PropagationPolicy", { placement });
}

describe("the selectors of a policy", () => {
  it.each<[string, string, object, string | undefined]>([
    [
      "everything of every namespace",
      "ClusterPropagationPolicy",
      CONFIG_MAP,
      "spec.resourceSelectors[0]: selects every ConfigMap of every namespace, also those that other programs keep there; give a namespace, a name or labels",
    ],
    [
      "everything by empty labels",
      "ClusterPropagationPolicy",
      { ...CONFIG_MAP, labelSelector: {} },
      "spec.resourceSelectors[0]: selects every ConfigMap of every namespace, also those that other programs keep there; give a namespace, a name or labels",
    ],
    [
      "everything without a namespace",
      "ClusterPropagationPolicy",
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
      "spec.resourceSelectors[0]: selects every ClusterRole, also those that Kubernetes and this control plane keep for themselves; give a name or labels",
    ],
    ["everything of one namespace", "ClusterPropagationPolicy", { ...CONFIG_MAP, namespace: "shop" }, undefined],
    ["everything of its namespace", "PropagationPolicy", CONFIG_MAP, undefined],
    [
      "by labels that are none",
      "PropagationPolicy",
      { ...CONFIG_MAP, labelSelector: { matchExpressions: [{ key: "a", operator: "In", values: [] }] } },
      "spec.resourceSelectors[0].labelSelector: matches nothing, because it is not valid: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
  ])("%s", (_, kind, selector, text) => {
    expect(warned(kind, { resourceSelectors: [selector] })).toEqual(text === undefined ? [] : [text]);
  });
});

describe("the spread of a placement", () => {
  const CLUSTER = { spreadByField: "cluster", minGroups: 1, maxGroups: 2 };

  it.each<[string, readonly object[], readonly string[]]>([
    ["by cluster", [CLUSTER], []],
    [
      "by cluster without bound",
      [{ spreadByField: "cluster", minGroups: 1 }],
      [
        "spec.placement.spreadConstraints[0]: without maxGroups no cluster is selected, and nothing is scheduled; set maxGroups",
      ],
    ],
    [
      "by region, and by cluster without bound",
      [
        { spreadByField: "region", minGroups: 1, maxGroups: 2 },
        { spreadByField: "cluster", minGroups: 1 },
      ],
      [
        "spec.placement.spreadConstraints[1]: without maxGroups no cluster is added to the first of each region; set maxGroups",
      ],
    ],
    [
      "by region without bound",
      [{ spreadByField: "region", minGroups: 1 }, CLUSTER],
      [
        "spec.placement.spreadConstraints[0]: without maxGroups no region is selected, and nothing is scheduled; set maxGroups",
      ],
    ],
    [
      "by zone",
      [CLUSTER, { spreadByField: "zone", minGroups: 2 }],
      [
        "spec.placement.spreadConstraints[1]: only leaves out clusters without a zone, and does not spread over them; set flaghoist.strictSpread of the placement to choose by it",
      ],
    ],
    [
      "by label beside cluster",
      [CLUSTER, { spreadByLabel: "tier", minGroups: 2 }],
      [
        "spec.placement.spreadConstraints[1]: spreading by the label tier has no effect; set flaghoist.strictSpread of the placement to choose by it",
      ],
    ],
    [
      "by label alone",
      [{ spreadByLabel: "tier", minGroups: 2 }],
      [
        "spec.placement.spreadConstraints[0]: cannot choose clusters by itself, so nothing is scheduled; set flaghoist.strictSpread of the placement to choose by it",
      ],
    ],
  ])("%s", (_, spreadConstraints, texts) => {
    expect(placed({ spreadConstraints })).toEqual(texts);
  });

  it("by zone chooses where the placement says so", () => {
    const spreadConstraints = [CLUSTER, { spreadByField: "zone", minGroups: 2 }];

    expect(placed({ spreadConstraints, flaghoist: { strictSpread: true } })).toEqual([]);
  });

  it("has no effect on a division by weights that are fixed or equal", () => {
    const text = "spec.placement.spreadConstraints: have no effect on a division by fixed weights";
    const divided = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" };
    const dynamic = { ...divided, weightPreference: { dynamicWeight: "AvailableReplicas" } };

    expect(placed({ spreadConstraints: [CLUSTER], replicaScheduling: divided })).toEqual([text]);
    expect(placed({ spreadConstraints: [CLUSTER], replicaScheduling: dynamic })).toEqual([]);
  });
});

describe("the clusters of a placement", () => {
  const AT = "spec.placement.replicaScheduling.weightPreference.staticWeightList[0].targetCluster";

  function weighted(targetCluster: object, rest: object = {}): string[] {
    return placed({
      ...rest,
      replicaScheduling: { weightPreference: { staticWeightList: [{ targetCluster, weight: 1 }] } },
    });
  }

  it("may leave a weight unused", () => {
    expect(weighted({ clusterNames: ["m1"] }, { clusterAffinity: { clusterNames: ["m1"] } })).toEqual([]);
    expect(weighted({ clusterNames: ["m3"] }, { clusterAffinity: { clusterNames: ["m1", "m2"] } })).toEqual([
      `${AT}: the weight is never used: the placement's own affinity leaves out m3`,
    ]);
    expect(weighted({ clusterNames: ["m1"], exclude: ["m1"] })).toEqual([
      `${AT}: the weight is never used: each of its clusters (m1) is excluded too`,
    ]);
    expect(weighted({ fieldSelector: { matchExpressions: [{ key: "zone", operator: "In", values: [] }] } })).toEqual([
      `${AT}: the weight is never used: its requirement of the zone has no values`,
    ]);
  });

  it("may be none", () => {
    const none = { clusterNames: ["m1"], exclude: ["m1", "m2"] };

    expect(placed({ clusterAffinity: none })).toEqual([
      "spec.placement.clusterAffinity: selects no cluster: each of its clusters (m1) is excluded too",
    ]);
    expect(
      placed({ clusterAffinities: [{ affinityName: "a", overflowAffinities: [{ affinityName: "b", ...none }] }] }),
    ).toHaveLength(1);
  });

  it("may be selected by labels that are none, in overrides too", () => {
    const labelSelector = { matchExpressions: [{ key: "a", operator: "Is" }] };
    const words = 'matches nothing, because it is not valid: "Is" is not a valid label selector operator';

    expect(placed({ clusterAffinity: { labelSelector } })).toEqual([
      `spec.placement.clusterAffinity.labelSelector: ${words}`,
    ]);
    expect(warned("OverridePolicy", { overrideRules: [{ overriders: {}, targetCluster: { labelSelector } }] })).toEqual(
      [`spec.overrideRules[0].targetCluster.labelSelector: ${words}`],
    );
  });
});

describe("rivalWarnings", () => {
  const SELECTOR = { ...CONFIG_MAP, namespace: "shop", name: "settings" };

  function policy(
    name: string,
    more: { priority?: number; selector?: object; namespace?: string } = {},
  ): PropagationPolicy {
    return {
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "PropagationPolicy",
      metadata: { name, namespace: more.namespace ?? "shop" },
      spec: { priority: more.priority ?? 0, resourceSelectors: [{ ...SELECTOR, ...more.selector }] },
    };
  }

  it.each<[string, PropagationPolicy, boolean]>([
    ["the same object and priority", policy("b"), true],
    ["another priority", policy("b", { priority: 1 }), false],
    ["another object", policy("b", { selector: { name: "other" } }), false],
    ["every object of the kind", policy("b", { selector: { name: "" } }), false],
    ["itself", policy("web"), false],
    [
      "one that is going",
      { ...policy("b"), metadata: { ...policy("b").metadata, deletionTimestamp: "2025-01-01T00:00:00Z" } },
      false,
    ],
  ])("against %s: %s", (_, other, isRival) => {
    expect(rivalWarnings(policy("web"), () => [other])).toHaveLength(isRival ? 1 : 0);
  });

  it("says who gets the object", () => {
    expect(rivalWarnings(policy("web"), () => [policy("web"), policy("b"), policy("a")]).map(warningText)).toEqual([
      "spec.resourceSelectors[0]: PropagationPolicy a, b also names ConfigMap settings at priority 0; an object without a policy goes to a, the first by name: give them different priorities",
    ]);
  });

  it("looks at namespaces where the policies have none", () => {
    const whole = (name: string, namespace?: string): ClusterPropagationPolicy => ({
      apiVersion: "policy.karmada.io/v1alpha1",
      kind: "ClusterPropagationPolicy",
      metadata: { name },
      spec: { resourceSelectors: [{ ...CONFIG_MAP, name: "settings", ...(namespace && { namespace }) }] },
    });

    expect(rivalWarnings(whole("web", "shop"), () => [whole("b", "bank")])).toEqual([]);
    expect(rivalWarnings(whole("web", "shop"), () => [whole("b")])).toHaveLength(1);
    expect(rivalWarnings(whole("web"), () => [policy("b")])).toEqual([]);
  });
});
