import { describe, expect, it } from "vitest";
import type { ClusterPropagationPolicy, PropagationPolicy, PropagationSpec } from "../policy.ts";
import type { AdmissionContext } from "./context.ts";
import {
  defaultClusterPropagationPolicy,
  defaultPropagationPolicy,
  validateClusterPropagationPolicy,
  validatePropagationPolicy,
} from "./propagation.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "shop" };
const ID = "propagationpolicy.karmada.io/permanent-id";

function policy(
  spec: Partial<PropagationSpec> = {},
  labels: Record<string, string> = { [ID]: "id-1" },
): PropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "web", namespace: "shop", labels },
    spec: { resourceSelectors: [DEPLOYMENT], ...spec },
  };
}

function clusterPolicy(spec: Partial<PropagationSpec>): ClusterPropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name: "web", labels: { "clusterpropagationpolicy.karmada.io/permanent-id": "id-1" } },
    spec: { resourceSelectors: [DEPLOYMENT], ...spec },
  };
}

function context(operation: AdmissionContext["operation"]): AdmissionContext {
  return { operation, requestNamespace: "shop", nowMs: 0, newUuid: () => "fresh" };
}

function refused(spec: Partial<PropagationSpec>): string[] {
  return validatePropagationPolicy(policy(spec)).map(({ field, words }) => `${field}: ${words}`);
}

describe("defaults of a PropagationPolicy", () => {
  it("put selectors without namespace into that of the request", () => {
    const { spec } = defaultPropagationPolicy(
      policy({ resourceSelectors: [{ apiVersion: "v1", kind: "ConfigMap" }, DEPLOYMENT] }),
      context("UPDATE"),
    );

    expect(spec.resourceSelectors.map(({ namespace }) => namespace)).toEqual(["shop", "shop"]);
  });

  it("mark a new policy with an id of its own, and nothing on updates", () => {
    const created = defaultPropagationPolicy(policy(), context("CREATE"));
    const updated = defaultPropagationPolicy(policy(), context("UPDATE"));

    expect(created.metadata.labels).toEqual({ [ID]: "fresh" });
    expect(created.metadata.finalizers).toEqual(["karmada.io/propagation-policy-controller"]);
    expect(updated.metadata).toEqual(policy().metadata);
  });

  it("spread by cluster, over one group at least", () => {
    const spreadConstraints = [{}, { spreadByField: "region", minGroups: 2 } as const, { spreadByLabel: "tier" }];

    const { placement } = defaultPropagationPolicy(
      policy({ placement: { spreadConstraints } }),
      context("CREATE"),
    ).spec;

    expect(placement?.spreadConstraints).toEqual([
      { spreadByField: "cluster", minGroups: 1 },
      { spreadByField: "region", minGroups: 2 },
      { spreadByLabel: "tier", minGroups: 1 },
    ]);
  });

  it("divide by weight, wait ten minutes for a graceful move, and take the Service of a ServiceImport along", () => {
    const { spec } = defaultClusterPropagationPolicy(
      clusterPolicy({
        resourceSelectors: [{ apiVersion: "multicluster.x-k8s.io/v1alpha1", kind: "ServiceImport" }],
        placement: { replicaScheduling: { replicaSchedulingType: "Divided" } },
        failover: { application: { decisionConditions: {}, purgeMode: "Gracefully" } },
      }),
      { ...context("CREATE"), requestNamespace: "" },
    );

    expect(spec.propagateDeps).toBe(true);
    expect(spec.placement?.replicaScheduling?.replicaDivisionPreference).toBe("Weighted");
    expect(spec.failover?.application?.gracePeriodSeconds).toBe(600);
    expect(spec.resourceSelectors[0]?.namespace).toBeUndefined();
  });

  it("leave the policy they were given alone", () => {
    const given = policy({ placement: { spreadConstraints: [{}] } });

    defaultPropagationPolicy(given, context("CREATE"));

    expect(given).toEqual(policy({ placement: { spreadConstraints: [{}] } }));
  });
});

describe("a PropagationPolicy", () => {
  it("passes without placement", () => {
    expect(refused({})).toEqual([]);
  });

  it("selects in its own namespace only", () => {
    const foreign = { ...DEPLOYMENT, namespace: "bank" };

    expect(refused({ resourceSelectors: [DEPLOYMENT, foreign] })).toEqual([
      'spec.resourceSelectors[1].namespace: a PropagationPolicy selects objects of its own namespace only, which is "shop"; use a ClusterPropagationPolicy for others',
    ]);
    expect(validateClusterPropagationPolicy(clusterPolicy({ resourceSelectors: [foreign] }))).toEqual([]);
  });

  it("keeps its id and its scheduler", () => {
    const old = policy();

    expect(validatePropagationPolicy(policy({}, {}), old).map(({ reason }) => reason)).toEqual([
      "FieldValueInvalid",
      "FieldValueRequired",
    ]);
    expect(validatePropagationPolicy(policy({}, { [ID]: "id-2" }), old).map(({ field }) => field)).toEqual([
      `metadata.labels[${ID}]`,
    ]);
    expect(validatePropagationPolicy(policy({ schedulerName: "mine" }), old).map(({ field }) => field)).toEqual([
      "spec.schedulerName",
    ]);
    expect(validatePropagationPolicy(policy({ schedulerName: "default-scheduler" }), old)).toEqual([]);
  });

  it("names the objects it takes from others", () => {
    const resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop" }];

    expect(refused({ preemption: "Always", resourceSelectors })).toEqual([
      "spec.resourceSelectors[0].name: preemption Always takes objects from other policies, so it needs the names of the objects",
    ]);
  });

  it.each<[string, Partial<PropagationSpec>, string[]]>([
    [
      "more groups wanted than allowed",
      { placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 2, maxGroups: 1 }] } },
      ["spec.placement.spreadConstraints[0]: maxGroups 1 is lower than minGroups 2"],
    ],
    [
      "regions without clusters",
      { placement: { spreadConstraints: [{ spreadByField: "region", minGroups: 2 }] } },
      ["spec.placement.spreadConstraints: spreading by region also needs a constraint with spreadByField cluster"],
    ],
    [
      "a field and a label at once, and a field twice",
      {
        placement: {
          spreadConstraints: [{ spreadByField: "cluster", spreadByLabel: "tier" }, { spreadByField: "cluster" }],
        },
      },
      [
        "spec.placement.spreadConstraints[0]: spreadByLabel tier cannot stand beside spreadByField cluster",
        "spec.placement.spreadConstraints: [1] is a second constraint for cluster",
      ],
    ],
    [
      "two kinds of affinity",
      { placement: { clusterAffinity: {}, clusterAffinities: [{ affinityName: "a" }] } },
      ["spec.placement: clusterAffinities cannot stand beside clusterAffinity; take one of them away"],
    ],
    [
      "a group name twice",
      { placement: { clusterAffinities: [{ affinityName: "a" }, { affinityName: "a" }] } },
      ['spec.placement.clusterAffinities: the name "a" of [1] is already used; each group needs its own'],
    ],
    [
      "a field that clusters lack",
      {
        placement: {
          clusterAffinity: { fieldSelector: { matchExpressions: [{ key: "city", operator: "Exists", values: [] }] } },
        },
      },
      [
        'spec.placement.clusterAffinity.fieldSelector: matchExpressions[0] has the key "city"; there are provider, region and zone',
        'spec.placement.clusterAffinity.fieldSelector: matchExpressions[0] has the operator "Exists"; there are In and NotIn',
      ],
    ],
    [
      "a comparing toleration",
      { placement: { clusterTolerations: [{ key: "a", operator: "Gt", value: "1" }] } },
      ['spec.placement.clusterTolerations[0].operator: "Gt" is not one of "", "Exists", "Equal"'],
    ],
    [
      "one label for together and apart",
      {
        placement: {
          workloadAffinity: { affinity: { groupByLabelKey: "app" }, antiAffinity: { groupByLabelKey: "app" } },
        },
      },
      ['spec.placement.workloadAffinity: groupByLabelKey "app" cannot keep objects together and apart at once'],
    ],
    [
      "failover of the application without dependencies",
      {
        failover: {
          application: { decisionConditions: { tolerationSeconds: -1 }, purgeMode: "Never", gracePeriodSeconds: 5 },
        },
      },
      [
        "spec.propagateDeps: must be true where failover.application is set",
        "spec.failover.application.decisionConditions.tolerationSeconds: must not be negative",
        "spec.failover.application.gracePeriodSeconds: has no meaning with purgeMode Never; only Gracefully waits",
      ],
    ],
    [
      "a graceful move that does not wait",
      {
        propagateDeps: true,
        failover: { application: { decisionConditions: {}, purgeMode: "Gracefully", gracePeriodSeconds: 0 } },
      },
      ["spec.failover.application.gracePeriodSeconds: must be more than 0"],
    ],
    [
      "suspension of all clusters and of some",
      { suspension: { dispatching: true, dispatchingOnClusters: { clusterNames: ["a"] } } },
      ["spec.suspension: dispatching holds back every cluster already; take away dispatching or dispatchingOnClusters"],
    ],
  ])("is refused for %s", (_, spec, texts) => {
    expect(refused(spec)).toEqual(texts);
  });

  it("may overflow only where capacity divides", () => {
    const clusterAffinities = [
      {
        affinityName: "main",
        clusterNames: ["a"],
        overflowAffinities: [{ affinityName: "more", clusterNames: ["b"] }],
      },
    ];
    const aggregated = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" } as const;

    expect(refused({ placement: { clusterAffinities, replicaScheduling: aggregated } })).toEqual([]);
    expect(refused({ placement: { clusterAffinities } })).toHaveLength(1);
    expect(
      refused({
        placement: {
          replicaScheduling: aggregated,
          clusterAffinities: [{ affinityName: "main", overflowAffinities: [{ affinityName: "main" }] }],
        },
      }),
    ).toEqual([
      "spec.placement.clusterAffinities[0].overflowAffinities: the group itself selects every cluster, which leaves nothing to overflow to",
      "spec.placement.clusterAffinities[0].overflowAffinities[0].affinityName: the name is already used in this group",
    ]);
  });
});
