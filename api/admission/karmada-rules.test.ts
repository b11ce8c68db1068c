// One input that fails for each rule of Karmada 1.18.2's webhooks, with the path and the kind of the refusal that they give
// (pkg/util/validation and pkg/webhook of each kind).
import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { applySchemaDefaults } from "../schema-defaults.ts";
import { defaultObject, validateObject } from "./admit.ts";
import type { ValidationOptions } from "./context.ts";

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment" };
const POLICY_ID = "propagationpolicy.karmada.io/permanent-id";

const SHORT: Readonly<Record<string, string>> = {
  FieldValueInvalid: "Invalid",
  FieldValueRequired: "Required",
  FieldValueNotSupported: "NotSupported",
  FieldValueForbidden: "Forbidden",
  FieldValueDuplicate: "Duplicate",
};

function object(kind: string, spec: object, metadata: object = {}): KubeObject {
  const apiVersion = kind.endsWith("ResourceBinding") ? "work.karmada.io/v1alpha2" : "policy.karmada.io/v1alpha1";
  const namespace = kind.startsWith("Cluster") ? {} : { namespace: "shop" };
  return { apiVersion, kind, metadata: { name: "web", ...namespace, ...metadata }, spec };
}

/** `path Kind` of each refusal of a new object, after all defaults. */
function refused(written: KubeObject, options: ValidationOptions = {}): string[] {
  const stored = defaultObject(applySchemaDefaults(written), {
    operation: "CREATE",
    requestNamespace: written.metadata.namespace ?? "",
    nowMs: 0,
    newUuid: () => "id-1",
  });
  return validateObject(stored, undefined, options).map(({ field, reason }) => `${field} ${SHORT[reason]}`);
}

function propagation(spec: object): string[] {
  return refused(object("PropagationPolicy", { resourceSelectors: [DEPLOYMENT], ...spec }));
}

const AGGREGATED = { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" };
const DYNAMIC = { replicaSchedulingType: "Divided", weightPreference: { dynamicWeight: "AvailableReplicas" } };

function overflow(term: object, replicaScheduling: object = AGGREGATED): object {
  return { replicaScheduling, clusterAffinities: [{ affinityName: "main", clusterNames: ["m1"], ...term }] };
}

describe("the placement of a policy", () => {
  it.each<[string, object, readonly string[]]>([
    [
      "affinity and affinities together",
      { clusterAffinity: {}, clusterAffinities: [{ affinityName: "a" }] },
      ["spec.placement Invalid"],
    ],
    ["affinity beside no affinities", { clusterAffinity: {}, clusterAffinities: [] }, []],
    [
      "overflow without division by capacity",
      overflow({ overflowAffinities: [{ affinityName: "b" }] }, { replicaSchedulingType: "Duplicated" }),
      ["spec.placement.clusterAffinities[0].overflowAffinities Invalid"],
    ],
    [
      "overflow with fixed weights",
      overflow({ overflowAffinities: [{ affinityName: "b" }] }, { replicaSchedulingType: "Divided" }),
      ["spec.placement.clusterAffinities[0].overflowAffinities Invalid"],
    ],
    ["overflow by dynamic weight", overflow({ overflowAffinities: [{ affinityName: "b" }] }, DYNAMIC), []],
    [
      "overflow of a group of all clusters",
      overflow({ clusterNames: [], overflowAffinities: [{ affinityName: "b" }] }),
      ["spec.placement.clusterAffinities[0].overflowAffinities Invalid"],
    ],
    [
      "an overflow name that is no label key",
      overflow({ overflowAffinities: [{ affinityName: "-b" }] }),
      ["spec.placement.clusterAffinities[0].overflowAffinities[0].affinityName Invalid"],
    ],
    [
      "an overflow name that the group has",
      overflow({ overflowAffinities: [{ affinityName: "main" }] }),
      ["spec.placement.clusterAffinities[0].overflowAffinities[0].affinityName Invalid"],
    ],
    [
      "an overflow name twice",
      overflow({ overflowAffinities: [{ affinityName: "b" }, { affinityName: "b" }] }),
      ["spec.placement.clusterAffinities[0].overflowAffinities[1].affinityName Invalid"],
    ],
    [
      "a field of an overflow group that clusters lack",
      overflow({
        overflowAffinities: [
          { affinityName: "b", fieldSelector: { matchExpressions: [{ key: "city", operator: "In" }] } },
        ],
      }),
      ["spec.placement.clusterAffinities[0].overflowAffinities[0].fieldSelector Invalid"],
    ],
    [
      "a field that clusters lack",
      { clusterAffinity: { fieldSelector: { matchExpressions: [{ key: "city", operator: "In" }] } } },
      ["spec.placement.clusterAffinity.fieldSelector Invalid"],
    ],
    [
      "an operator that fields lack",
      { clusterAffinity: { fieldSelector: { matchExpressions: [{ key: "zone", operator: "Exists" }] } } },
      ["spec.placement.clusterAffinity.fieldSelector Invalid"],
    ],
    [
      "a name of a group that is no label key",
      { clusterAffinities: [{ affinityName: "-a" }] },
      ["spec.placement.clusterAffinities[0] Invalid"],
    ],
    [
      "a name of two groups",
      { clusterAffinities: [{ affinityName: "a" }, { affinityName: "a" }] },
      ["spec.placement.clusterAffinities Invalid"],
    ],
    [
      "a field of a group that clusters lack",
      {
        clusterAffinities: [
          { affinityName: "a", fieldSelector: { matchExpressions: [{ key: "zone", operator: "Lt" }] } },
        ],
      },
      ["spec.placement.clusterAffinities[0].fieldSelector Invalid"],
    ],
    [
      "spread by field and by label",
      { spreadConstraints: [{ spreadByField: "cluster", spreadByLabel: "tier" }] },
      ["spec.placement.spreadConstraints[0] Invalid"],
    ],
    [
      "minGroups below 0",
      { spreadConstraints: [{ spreadByField: "cluster", minGroups: -1 }] },
      ["spec.placement.spreadConstraints[0] Invalid"],
    ],
    [
      "maxGroups below 0",
      { spreadConstraints: [{ spreadByField: "cluster", maxGroups: -1 }] },
      ["spec.placement.spreadConstraints[0] Invalid"],
    ],
    [
      "maxGroups below minGroups",
      { spreadConstraints: [{ spreadByField: "cluster", minGroups: 3, maxGroups: 2 }] },
      ["spec.placement.spreadConstraints[0] Invalid"],
    ],
    ["maxGroups 0", { spreadConstraints: [{ spreadByField: "cluster", minGroups: 3, maxGroups: 0 }] }, []],
    [
      "a field three times, which is said once",
      { spreadConstraints: [{}, {}, {}] },
      ["spec.placement.spreadConstraints Invalid"],
    ],
    [
      "fields without cluster",
      { spreadConstraints: [{ spreadByField: "region" }] },
      ["spec.placement.spreadConstraints Invalid"],
    ],
    ["a label alone", { spreadConstraints: [{ spreadByLabel: "tier" }] }, []],
    [
      "an affinity by no label key",
      { workloadAffinity: { affinity: { groupByLabelKey: "a b" } } },
      ["spec.placement.workloadAffinity.affinity.groupByLabelKey Invalid"],
    ],
    [
      "an anti-affinity by no label key",
      { workloadAffinity: { antiAffinity: { groupByLabelKey: "a b" } } },
      ["spec.placement.workloadAffinity.antiAffinity.groupByLabelKey Invalid"],
    ],
    [
      "one label for together and apart",
      { workloadAffinity: { affinity: { groupByLabelKey: "a" }, antiAffinity: { groupByLabelKey: "a" } } },
      ["spec.placement.workloadAffinity Invalid"],
    ],
    [
      "a comparing toleration",
      { clusterTolerations: [{ operator: "Exists" }, { key: "a", operator: "Lt", value: "1" }] },
      ["spec.placement.clusterTolerations[1].operator NotSupported"],
    ],
  ])("with %s is refused where Karmada refuses it", (_, placement, refusals) => {
    expect(propagation({ placement })).toEqual(refusals);
  });
});

describe("a policy", () => {
  const application = { decisionConditions: {} };

  it.each<[string, object, readonly string[]]>([
    ["application failover without dependencies", { failover: { application } }, ["spec.propagateDeps Invalid"]],
    [
      "a negative toleration",
      { propagateDeps: true, failover: { application: { decisionConditions: { tolerationSeconds: -1 } } } },
      ["spec.failover.application.decisionConditions.tolerationSeconds Invalid"],
    ],
    [
      "a grace period that nobody waits for",
      {
        propagateDeps: true,
        failover: { application: { ...application, purgeMode: "Directly", gracePeriodSeconds: 5 } },
      },
      ["spec.failover.application.gracePeriodSeconds Invalid"],
    ],
    [
      "a grace period of 0 that nobody waits for",
      { propagateDeps: true, failover: { application: { ...application, purgeMode: "Never", gracePeriodSeconds: 0 } } },
      ["spec.failover.application.gracePeriodSeconds Invalid", "spec.failover.application.gracePeriodSeconds Invalid"],
    ],
    [
      "a grace period of 0",
      { propagateDeps: true, failover: { application: { ...application, gracePeriodSeconds: 0 } } },
      ["spec.failover.application.gracePeriodSeconds Invalid"],
    ],
    [
      "an alias that is no label, for applications",
      {
        propagateDeps: true,
        failover: {
          application: {
            ...application,
            statePreservation: {
              rules: [
                { aliasLabelName: "a", jsonPath: "{.a}" },
                { aliasLabelName: "a b", jsonPath: "{.a}" },
              ],
            },
          },
        },
      },
      ["spec.failover.application.statePreservation.rules[1].aliasLabelName Invalid"],
    ],
    [
      "an alias that is no label, for clusters",
      { failover: { cluster: { statePreservation: { rules: [{ aliasLabelName: "", jsonPath: "{.a}" }] } } } },
      [
        "spec.failover.cluster.statePreservation.rules[0].aliasLabelName Invalid",
        "spec.failover.cluster.statePreservation.rules[0].aliasLabelName Invalid",
      ],
    ],
    [
      "a selector of another namespace",
      { resourceSelectors: [DEPLOYMENT, { ...DEPLOYMENT, namespace: "bank" }] },
      ["spec.resourceSelectors[1].namespace Invalid"],
    ],
    [
      "preemption without a name",
      { preemption: "Always", resourceSelectors: [{ ...DEPLOYMENT, name: "web" }, DEPLOYMENT] },
      ["spec.resourceSelectors[1].name Invalid"],
    ],
    [
      "suspension of all and of some",
      { suspension: { dispatching: true, dispatchingOnClusters: { clusterNames: ["m1"] } } },
      ["spec.suspension Invalid"],
    ],
    ["suspension of all and of none", { suspension: { dispatching: true, dispatchingOnClusters: {} } }, []],
  ])("with %s is refused where Karmada refuses it", (_, spec, refusals) => {
    expect(propagation(spec)).toEqual(refusals);
  });

  it("is told everything at once, in Karmada's order", () => {
    const spec = {
      resourceSelectors: [{ ...DEPLOYMENT, namespace: "bank" }],
      preemption: "Always",
      suspension: { dispatching: true, dispatchingOnClusters: { clusterNames: ["m1"] } },
      failover: { application: { ...application, purgeMode: "Never", gracePeriodSeconds: 5 } },
      placement: {
        clusterTolerations: [{ operator: "Gt" }],
        spreadConstraints: [{ spreadByField: "region", maxGroups: -1 }],
        clusterAffinity: { fieldSelector: { matchExpressions: [{ key: "city", operator: "In" }] } },
        clusterAffinities: [{ affinityName: "a", overflowAffinities: [{ affinityName: "a" }] }],
      },
    };

    expect(propagation(spec)).toEqual([
      "spec.placement Invalid",
      "spec.placement.clusterAffinities[0].overflowAffinities Invalid",
      "spec.placement.clusterAffinity.fieldSelector Invalid",
      "spec.placement.clusterAffinities[0].overflowAffinities Invalid",
      "spec.placement.clusterAffinities[0].overflowAffinities[0].affinityName Invalid",
      "spec.placement.spreadConstraints[0] Invalid",
      "spec.placement.spreadConstraints Invalid",
      "spec.placement.clusterTolerations[0].operator NotSupported",
      "spec.propagateDeps Invalid",
      "spec.failover.application.gracePeriodSeconds Invalid",
      "spec.resourceSelectors[0].namespace Invalid",
      "spec.resourceSelectors[0].name Invalid",
      "spec.suspension Invalid",
    ]);
  });

  it.each<[string, object, object, readonly string[]]>([
    ["the same id", { [POLICY_ID]: "a" }, { [POLICY_ID]: "a" }, []],
    ["another id", { [POLICY_ID]: "b" }, { [POLICY_ID]: "a" }, [`metadata.labels[${POLICY_ID}] Invalid`]],
    ["an id that it had not", { [POLICY_ID]: "b" }, {}, [`metadata.labels[${POLICY_ID}] Invalid`]],
    ["no id, as before", {}, {}, [`metadata.labels[${POLICY_ID}] Required`]],
    [
      "no id any more",
      {},
      { [POLICY_ID]: "a" },
      [`metadata.labels[${POLICY_ID}] Invalid`, `metadata.labels[${POLICY_ID}] Required`],
    ],
  ])("with %s is updated as Karmada does", (_, labels, oldLabels, refusals) => {
    const spec = { resourceSelectors: [{ ...DEPLOYMENT, namespace: "shop" }] };
    const policy = object("PropagationPolicy", spec, { labels });
    const old = object("PropagationPolicy", spec, { labels: oldLabels });

    expect(validateObject(policy, old).map(({ field, reason }) => `${field} ${SHORT[reason]}`)).toEqual(refusals);
  });

  it("of the whole control plane has the same rules, but for namespaces", () => {
    const label = "clusterpropagationpolicy.karmada.io/permanent-id";
    const resourceSelectors = [{ ...DEPLOYMENT, namespace: "bank" }, DEPLOYMENT];
    const policy = object("ClusterPropagationPolicy", { resourceSelectors, schedulerName: "mine" });
    const old = object("ClusterPropagationPolicy", { resourceSelectors }, { labels: { [label]: "a" } });

    expect(refused(policy)).toEqual([]);
    expect(validateObject(policy, old).map(({ field }) => field)).toEqual([
      "spec.schedulerName",
      `metadata.labels[${label}]`,
      `metadata.labels[${label}]`,
    ]);
  });
});

describe("an override policy", () => {
  const rule = { overriders: {} };
  const fieldOverrider = (field: object): object => ({ overrideRules: [{ overriders: { fieldOverrider: [field] } }] });
  const FIELD = "spec.overrideRules[0].overriders.fieldOverrider[0]";
  const ADD = { subPath: "/a", operator: "add", value: 1 };

  it.each<[string, object, readonly string[]]>([
    [
      "a field that clusters lack",
      { targetCluster: { fieldSelector: { matchExpressions: [{ key: "city", operator: "In" }] } } },
      ["spec.targetCluster.fieldSelector Invalid"],
    ],
    ["clusters beside rules", { targetCluster: {}, overrideRules: [rule] }, ["spec.targetCluster Invalid"]],
    [
      "overriders beside rules",
      { overrideRules: [rule], overriders: { plaintext: [{ path: "/a", operator: "remove" }] } },
      ["spec.overriders Invalid"],
    ],
    [
      "an annotation of no valid name",
      {
        overrideRules: [{ overriders: { annotationsOverrider: [{ operator: "add", value: { "A b": "x" } }] } }],
      },
      ["spec.overrideRules[0].overriders.annotationsOverrider[0].value Invalid"],
    ],
    [
      "a label of no valid value",
      { overrideRules: [{ overriders: { labelsOverrider: [{ operator: "add", value: { a: "x y" } }] } }] },
      ["spec.overrideRules[0].overriders.labelsOverrider[0].value Invalid"],
    ],
    [
      "a predicate that is no pointer",
      {
        overrideRules: [
          { overriders: { imageOverrider: [{ component: "Tag", operator: "remove", predicate: { path: "a" } }] } },
        ],
      },
      ["spec.overrideRules[0].overriders.imageOverrider[0].predicate.path Invalid"],
    ],
    ["JSON and YAML", fieldOverrider({ fieldPath: "/a", json: [ADD], yaml: [ADD] }), [`${FIELD} Invalid`]],
    ["neither JSON nor YAML", fieldOverrider({ fieldPath: "/a", json: [] }), [`${FIELD} Required`]],
    [
      "a field path that is no pointer",
      fieldOverrider({ fieldPath: "a", json: [ADD] }),
      [`${FIELD}.fieldPath Invalid`],
    ],
    [
      "a sub path that is no pointer",
      fieldOverrider({ fieldPath: "/a", yaml: [{ ...ADD, subPath: "a" }] }),
      [`${FIELD}.yaml[0].subPath Invalid`],
    ],
    [
      "an addition of nothing",
      fieldOverrider({ fieldPath: "/a", json: [{ subPath: "/a", operator: "add" }] }),
      [`${FIELD}.json[0].value Invalid`],
    ],
    [
      "a removal of something",
      fieldOverrider({ fieldPath: "/a", json: [{ ...ADD, operator: "remove" }] }),
      [`${FIELD}.json[0].value Invalid`],
    ],
    [
      "a rule for clusters by a field that they lack",
      {
        overrideRules: [
          { ...rule, targetCluster: { fieldSelector: { matchExpressions: [{ key: "a", operator: "In" }] } } },
        ],
      },
      ["spec.overrideRules[0].targetCluster.fieldSelector Invalid"],
    ],
  ])("with %s is refused where Karmada refuses it", (_, spec, refusals) => {
    expect(refused(object("OverridePolicy", spec))).toEqual(refusals);
    expect(refused(object("ClusterOverridePolicy", spec))).toEqual(refusals);
  });

  it("selects in its own namespace only, unless it is of the whole control plane", () => {
    const resourceSelectors = [{ ...DEPLOYMENT, namespace: "bank" }];

    expect(refused(object("OverridePolicy", { resourceSelectors }))).toEqual([
      "spec.resourceSelectors[0].namespace Invalid",
    ]);
    expect(refused(object("ClusterOverridePolicy", { resourceSelectors }))).toEqual([]);
  });
});

describe("a FederatedResourceQuota", () => {
  it.each<[string, object, readonly string[]]>([
    ["a resource of no valid name", { overall: { "a b/c": "1" } }, ["spec.overall[a b/c] Invalid"]],
    ["a resource that no quota counts", { overall: { storage: "1" } }, ["spec.overall[storage] Invalid"]],
    ["resources of others", { overall: { "example.com/gpu": "1", "hugepages-2Mi": "2Mi", "limits.cpu": "1" } }, []],
    ["half a Pod", { overall: { pods: "500m" } }, ["spec.overall[pods] Invalid"]],
    ["half a device", { overall: { "example.com/gpu": "500m" } }, ["spec.overall[example.com/gpu] Invalid"]],
    ["less than nothing", { overall: { cpu: "-1" } }, ["spec.overall[cpu] Invalid", "spec.overall[cpu] Invalid"]],
    [
      "quantities that are numbers",
      { overall: { cpu: 4 }, staticAssignments: [{ clusterName: "m1", hard: { cpu: 2 } }] },
      [],
    ],
    [
      "a cluster of no valid name",
      { overall: {}, staticAssignments: [{ clusterName: "M1", hard: {} }] },
      ["spec.staticAssignments[0].clusterName Invalid"],
    ],
    [
      "more assigned than there is",
      {
        overall: { cpu: "3" },
        staticAssignments: [
          { clusterName: "m1", hard: { cpu: "2" } },
          { clusterName: "m2", hard: { cpu: "1500m" } },
        ],
      },
      ["spec.overall[cpu] Invalid"],
    ],
    [
      "an assignment that has no limit",
      { overall: { cpu: "3" }, staticAssignments: [{ clusterName: "m1", hard: { memory: "1Gi" } }] },
      ["spec.staticAssignments[0].hard[memory] Invalid"],
    ],
  ])("with %s is refused where Karmada refuses it", (_, spec, refusals) => {
    expect(refused(object("FederatedResourceQuota", spec))).toEqual(refusals);
  });

  it("has a name that fits a label", () => {
    const quota = object("FederatedResourceQuota", { overall: {} }, { name: "q".repeat(64) });

    expect(refused(quota)).toEqual(["metadata.name Invalid"]);
  });
});

describe("a ResourceBinding", () => {
  const DEPENDENCIES = "resourcebinding.karmada.io/dependencies";

  it.each([
    ["[]", true],
    ["null", true],
    ["[null]", true],
    ['[{"apiVersion":"v1","kind":"Secret","namespace":"a","name":"b","other":{}}]', true],
    ['[{"labelSelector":{"matchLabels":{"a":"b"}}}]', true],
    ['[{"labelSelector":null,"name":null}]', true],
    ["", false],
    ["{}", false],
    ["[1]", false],
    ['[{"name":1}]', false],
    ['[{"Name":1}]', false],
    ['[{"labelSelector":{"matchLabels":{"a":1}}}]', false],
  ])("with the dependencies %j: %s", (text, isTaken) => {
    const binding = object("ResourceBinding", {}, { annotations: { [DEPENDENCIES]: text } });

    expect(refused(binding)).toEqual(isTaken ? [] : [`metadata.annotations.${DEPENDENCIES} Invalid`]);
    expect(refused({ ...binding, kind: "ClusterResourceBinding" })).toEqual([]);
  });

  it("has components of different names where the gate is on", () => {
    const components = [{ name: "a" }, { name: "" }, { name: "a" }];
    const binding = object("ResourceBinding", { components });

    expect(refused(binding)).toEqual([]);
    expect(refused(binding, { featureGates: { MultiplePodTemplatesScheduling: true } })).toEqual([
      "spec.components[1].name Invalid",
      "spec.components[2].name Invalid",
    ]);
  });
});
