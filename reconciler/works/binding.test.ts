import { describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { PropagationPolicy, PropagationSpec } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { type AnyBinding, type BindingRequest, buildBinding, isOfEarlierObject, mergeBinding } from "./binding.ts";

const interpreter = createInterpreter({ native: nativeLevel() });

const web: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", uid: "u1", resourceVersion: "7", labels: { team: "a" } },
  spec: { replicas: 3, template: { spec: { containers: [{ resources: { requests: { cpu: "1500m" } } }] } } },
};

function policy(spec: Partial<PropagationSpec> = {}): PropagationPolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "p", namespace: "shop", labels: { "propagationpolicy.karmada.io/permanent-id": "pid" } },
    spec: { resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }], ...spec },
  };
}

function build(spec: Partial<PropagationSpec> = {}, more: Partial<BindingRequest> = {}): AnyBinding {
  return buildBinding({ template: web, policy: policy(spec), interpreter, ...more });
}

describe("buildBinding", () => {
  it("says what the template asks for, and who owns it", () => {
    const binding = build({ propagateDeps: true }, { id: "bid" });

    expect(binding).toMatchObject({
      kind: "ResourceBinding",
      metadata: {
        name: "web-deployment",
        namespace: "shop",
        labels: {
          "resourcebinding.karmada.io/permanent-id": "bid",
          "propagationpolicy.karmada.io/permanent-id": "pid",
        },
        ownerReferences: [{ kind: "Deployment", name: "web", uid: "u1", controller: true }],
      },
      spec: { replicas: 3, replicaRequirements: { resourceRequest: { cpu: "1500m" } }, propagateDeps: true },
    });
  });

  it("takes the value of the priority class, and refuses one that does not exist", () => {
    const schedulePriority = { priorityClassSource: "KubePriorityClass" as const, priorityClassName: "high" };

    expect(build({ schedulePriority }, { priorityOf: () => 100 }).spec.schedulePriority).toEqual({ priority: 100 });
    expect(() => build({ schedulePriority })).toThrow("there is no PriorityClass high");
  });

  it("asks for no priority class while the gate PriorityBasedScheduling is off", () => {
    const schedulePriority = { priorityClassSource: "KubePriorityClass" as const, priorityClassName: "high" };
    const gates = featureGates({ PriorityBasedScheduling: false });

    expect(build({ schedulePriority }, { gates }).spec).not.toHaveProperty("schedulePriority");
  });

  it("says what to do about a source of priorities that does not exist", () => {
    // The definition's schema refuses it; an object from before may have it.
    const schedulePriority = {
      priorityClassSource: "PodPriorityClass" as "KubePriorityClass",
      priorityClassName: "high",
    };

    expect(() => build({ schedulePriority })).toThrow("PodPriorityClass is not supported yet: write KubePriorityClass");
  });

  it("counts components instead of replicas where the gate is open and the kind has them", () => {
    const components = [{ name: "driver", replicas: 1 }];
    const custom = createInterpreter({
      native: nativeLevel(),
      customization: {
        hookEnabled: (_, operation) => operation === "InterpretComponent",
        getComponents: () => components,
      },
    });
    const gates = featureGates({ MultiplePodTemplatesScheduling: true });

    const spec = build({}, { interpreter: custom, gates }).spec;

    expect(spec.components).toEqual(components);
    expect(spec).not.toHaveProperty("replicas");
    expect(build({}, { interpreter: custom }).spec).toMatchObject({ replicas: 3 });
    expect(build({}, { gates }).spec).toMatchObject({ replicas: 3 });
  });

  it("names the namespace of replicas where quotas are estimated", () => {
    const gates = featureGates({ ResourceQuotaEstimate: true });

    expect(build({}, { gates }).spec.replicaRequirements?.namespace).toBe("shop");
    expect(build().spec.replicaRequirements).not.toHaveProperty("namespace");
  });

  it("fails with the object's name when the interpreter cannot read it", () => {
    const odd = { ...web, spec: { replicas: "three" } };

    expect(() => build({}, { template: odd })).toThrow(
      expect.objectContaining({
        code: "binding-replicas-unknown",
        message: expect.stringMatching(/^cannot read the replicas of apps\/v1 Deployment shop\/web: /),
      }),
    );
  });

  it("groups workloads by their labels when the gate is open", () => {
    const placement = {
      workloadAffinity: { affinity: { groupByLabelKey: "team" }, antiAffinity: { groupByLabelKey: "none" } },
    };

    expect(build({ placement }).spec.workloadAffinityGroups).toBeUndefined();
    expect(
      build({ placement }, { gates: featureGates({ WorkloadAffinity: true }) }).spec.workloadAffinityGroups,
    ).toEqual({
      affinityGroup: "team=a",
    });
  });
});

describe("mergeBinding", () => {
  const existing: AnyBinding = {
    ...build({ suspension: { dispatching: true }, propagateDeps: true }, { id: "bid" }),
    status: { conditions: [] },
  } as AnyBinding;
  existing.spec.clusters = [{ name: "a", replicas: 3 }];
  existing.spec.suspension = { dispatching: true, scheduling: true };
  existing.metadata.labels = {
    ...existing.metadata.labels,
    mine: "x",
    "clusterpropagationpolicy.karmada.io/permanent-id": "old",
  };

  it("takes over what was decided and keeps what others wrote", () => {
    const merged = mergeBinding(existing, build({}, { id: "another" }), policy());

    expect(merged.spec.clusters).toEqual([{ name: "a", replicas: 3 }]);
    expect(merged.spec).not.toHaveProperty("propagateDeps");
    expect(merged.spec.suspension).toEqual({ scheduling: true });
    expect(merged.metadata.labels).toEqual({
      mine: "x",
      "resourcebinding.karmada.io/permanent-id": "bid",
      "propagationpolicy.karmada.io/permanent-id": "pid",
    });
    expect(merged.status).toEqual({ conditions: [] });
  });

  it("changes nothing the second time", () => {
    const once = mergeBinding(existing, build(), policy());

    expect(mergeBinding(once, build(), policy())).toEqual(once);
  });

  it("waits while the binding belongs to an earlier object of the same name", () => {
    const recreated = { ...web, metadata: { ...web.metadata, uid: "u2" } };

    expect(() => mergeBinding(existing, build({}, { template: recreated }), policy())).toThrow("earlier object");
  });

  it("refuses to share a binding with an object of another group", () => {
    const other = { ...web, apiVersion: "apps.example.org/v1", metadata: { ...web.metadata, uid: "u3" } };

    expect(() => mergeBinding(existing, build({}, { template: other }), policy())).toThrow(
      "binding web-deployment belongs to apps/v1 Deployment shop/web, and apps.example.org/v1 Deployment shop/web would have one of the same name: rename",
    );
    expect(isOfEarlierObject(existing, other)).toBe(false);
  });

  it("knows the binding of an earlier object of the same name", () => {
    const recreated = { ...web, metadata: { ...web.metadata, uid: "u2" } };

    expect(isOfEarlierObject(existing, recreated)).toBe(true);
    expect(isOfEarlierObject(existing, { ...recreated, apiVersion: "apps/v2" })).toBe(true);
    expect(isOfEarlierObject(existing, web)).toBe(false);
  });

  it("never brings schedulePriority of a ClusterResourceBinding up to date, nor gives it one", () => {
    const role: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "r", uid: "r" } };
    const urgent = policy({
      schedulePriority: { priorityClassSource: "KubePriorityClass", priorityClassName: "high" },
    });
    const before = buildBinding({ template: role, policy: policy(), interpreter });

    const desired = buildBinding({ template: role, policy: urgent, interpreter, priorityOf: () => 7 });

    expect(desired.spec).not.toHaveProperty("schedulePriority");
    const written = { ...before, spec: { ...before.spec, schedulePriority: { priority: 5 } } } as AnyBinding;
    expect(mergeBinding(written, desired, urgent).spec.schedulePriority).toEqual({ priority: 5 });
  });

  it("never brings propagateDeps of a ClusterResourceBinding up to date", () => {
    const role: KubeObject = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "r", uid: "r" },
    };
    const before = buildBinding({ template: role, policy: policy(), interpreter });
    const desired = buildBinding({ template: role, policy: policy({ propagateDeps: true }), interpreter });

    expect(mergeBinding(before, desired, policy()).spec).not.toHaveProperty("propagateDeps");
  });
});
