import { describe, expect, it } from "vitest";
import type { PropagationPolicy } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { changeMetadata, claimMarks, claimTemplate, readClaim, releaseMarks } from "./claim.ts";
import { readSkipList, whyNotTemplate, whyNotTemplateKind } from "./considered.ts";
import { decideTemplate } from "./decide-template.ts";
import { isChangedByUs, isRelevantUpdate } from "./lazy.ts";
import { consequenceOfPolicy } from "./policy-change.ts";
import { type Policy, PolicyIndex } from "./policy-index.ts";
import { contendersAfterLowering, decidePreemption } from "./preemption.ts";
import { mergeSuspension } from "./suspension.ts";

const KIND = { apiVersion: "apps/v1", kind: "Deployment" };

function template(metadata: KubeObject["metadata"] = {}, rest: Record<string, unknown> = {}): KubeObject {
  return { ...KIND, ...rest, metadata: { name: "web", namespace: "shop", ...metadata } };
}

function namespaced(name: string, spec: Partial<PropagationPolicy["spec"]> = {}): Policy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name, namespace: "shop", labels: { "propagationpolicy.karmada.io/permanent-id": `id-${name}` } },
    spec: { resourceSelectors: [KIND], ...spec },
  };
}

function clusterScoped(name: string, spec: Partial<PropagationPolicy["spec"]> = {}): Policy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name, labels: { "clusterpropagationpolicy.karmada.io/permanent-id": `id-${name}` } },
    spec: { resourceSelectors: [KIND], ...spec },
  };
}

function claimed(policy: Policy, metadata: KubeObject["metadata"] = {}): KubeObject {
  const object = template(metadata);
  return { ...object, metadata: changeMetadata(object.metadata, claimMarks(policy)) };
}

describe("claims", () => {
  it("are written once", () => {
    const policy = namespaced("own");
    const object = claimed(policy);

    expect(object.metadata.labels).toEqual({ "propagationpolicy.karmada.io/permanent-id": "id-own" });
    expect(object.metadata.annotations).toEqual({
      "propagationpolicy.karmada.io/namespace": "shop",
      "propagationpolicy.karmada.io/name": "own",
    });
    expect(readClaim(object.metadata)).toMatchObject({ kind: "PropagationPolicy", namespace: "shop", name: "own" });
    expect(claimTemplate(object.metadata, policy)).toBeUndefined();
  });

  it("of a namespaced policy displace those of a cluster-scoped one", () => {
    const before = claimed(clusterScoped("all"), { labels: { app: "web" } });

    const after = changeMetadata(
      before.metadata,
      claimTemplate(before.metadata, namespaced("own")) ?? claimMarks(namespaced("x")),
    );

    expect(after.labels).toEqual({ app: "web", "propagationpolicy.karmada.io/permanent-id": "id-own" });
    expect(readClaim(after)?.name).toBe("own");
  });

  it("are taken off without a trace", () => {
    const object = claimed(namespaced("own"));

    const released = changeMetadata(object.metadata, releaseMarks("PropagationPolicy"));

    expect(released).toEqual({ name: "web", namespace: "shop" });
  });

  it("that are half are none", () => {
    expect(readClaim({ annotations: { "clusterpropagationpolicy.karmada.io/name": "all" } })).toBeUndefined();
  });
});

describe("decideTemplate", () => {
  const always = { overrideExists: () => true, changedByUs: false };

  it("applies the best policy to an object nobody claimed", () => {
    const policies = new PolicyIndex([namespaced("b"), namespaced("a", { priority: 5 })]);

    const decision = decideTemplate(template(), { policies, ...always });

    expect(decision).toMatchObject({ action: "apply", policy: { metadata: { name: "a" } }, holdBinding: false });
  });

  it("stays with the policy that claimed the object", () => {
    const policies = new PolicyIndex([namespaced("better", { priority: 100 }), namespaced("own")]);

    const decision = decideTemplate(claimed(namespaced("own")), { policies, ...always });

    expect(decision).toMatchObject({ action: "apply", policy: { metadata: { name: "own" } }, claim: undefined });
  });

  it("rests when the claiming policy no longer selects the object", () => {
    const policies = new PolicyIndex([namespaced("own", { resourceSelectors: [{ ...KIND, name: "cart" }] })]);

    expect(decideTemplate(claimed(namespaced("own")), { policies, ...always }).action).toBe("stop");
  });

  it("leaves alone the same object under another group, which its marks show too", () => {
    const ingress = { apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
    const policies = new PolicyIndex([namespaced("own", { resourceSelectors: [ingress] })]);
    const { metadata } = claimed(namespaced("own"));

    expect(decideTemplate({ ...ingress, metadata }, { policies, ...always }).action).toBe("apply");
    expect(
      decideTemplate({ ...ingress, apiVersion: "extensions/v1beta1", metadata }, { policies, ...always }).action,
    ).toBe("stop");
  });

  it("finds the claiming policy by its name, and brings the id up to date", () => {
    const restored = namespaced("own");
    restored.metadata.labels = { "propagationpolicy.karmada.io/permanent-id": "id-of-restored" };

    const decision = decideTemplate(claimed(namespaced("own")), { policies: new PolicyIndex([restored]), ...always });

    expect(decision).toMatchObject({
      action: "apply",
      claim: { labels: { "propagationpolicy.karmada.io/permanent-id": "id-of-restored" } },
    });
  });

  it("goes by the claim of the namespace where there are two", () => {
    const both = claimed(namespaced("own"));
    const wide = changeMetadata(both.metadata, claimMarks(clusterScoped("all")));
    const policies = new PolicyIndex([namespaced("own"), clusterScoped("all", { priority: 9 })]);

    const decision = decideTemplate({ ...both, metadata: wide }, { policies, ...always });

    expect(decision).toMatchObject({
      policy: { metadata: { name: "own" } },
      claim: { labels: { "clusterpropagationpolicy.karmada.io/permanent-id": undefined } },
    });
  });

  it("releases the object of a policy that is gone, and waits for one that is going", () => {
    const going = namespaced("own");
    going.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";

    expect(decideTemplate(claimed(namespaced("own")), { policies: new PolicyIndex(), ...always }).action).toBe(
      "release",
    );
    expect(decideTemplate(claimed(namespaced("own")), { policies: new PolicyIndex([going]), ...always }).action).toBe(
      "retry",
    );
  });

  it("waits for a policy, and for override policies", () => {
    const policies = new PolicyIndex([namespaced("own", { dependentOverrides: ["registry"] })]);
    const missing = { policies, overrideExists: () => false, changedByUs: false };

    expect(decideTemplate(template(), { policies: new PolicyIndex(), ...always }).action).toBe("wait");
    expect(decideTemplate(template(), missing)).toMatchObject({
      action: "retry",
      reason:
        "waiting for dependent overrides: there is no OverridePolicy shop/registry: create it, or take it out of spec.dependentOverrides of policy shop/own",
      awaits: [{ namespace: "shop", name: "registry" }],
    });
  });

  it("holds the binding of a lazy policy until a person changes the object", () => {
    const policies = new PolicyIndex([namespaced("lazy", { activationPreference: "Lazy" })]);

    expect(decideTemplate(template(), { policies, ...always, changedByUs: true })).toMatchObject({ holdBinding: true });
    expect(decideTemplate(template(), { policies, ...always })).toMatchObject({ holdBinding: false });
  });
});

describe("updates of templates", () => {
  it("are irrelevant when only the server changed something", () => {
    const before = template({ resourceVersion: "1", generation: 1 }, { spec: { replicas: 1 }, status: {} });

    expect(isRelevantUpdate(before, { ...before, status: { ready: 1 } })).toBe(false);
    expect(isRelevantUpdate(before, { ...before, metadata: { ...before.metadata, resourceVersion: "2" } })).toBe(false);
    expect(isRelevantUpdate(before, { ...before, spec: { replicas: 2 } })).toBe(true);
  });

  it("are ours when only our marks changed", () => {
    const before = template({ generation: 1, labels: { app: "web" } });
    const marked = { ...claimed(namespaced("own"), { generation: 2, labels: { app: "web" } }) };
    const relabelled = template({ generation: 1, labels: { app: "shop" } });
    const optedOut = template({
      generation: 1,
      labels: { app: "web", "namespace.karmada.io/skip-auto-propagation": "true" },
    });

    expect(isChangedByUs(before, marked)).toBe(true);
    expect(isChangedByUs(before, relabelled)).toBe(false);
    expect(isChangedByUs(before, optedOut)).toBe(false);
  });
});

describe("decidePreemption", () => {
  const low = namespaced("low", { priority: 1 });
  const high = namespaced("high", { priority: 2, preemption: "Always" });
  const wide = clusterScoped("wide", { priority: 99, preemption: "Always" });
  const decide = (policy: Policy, owner: Policy, enabled = true) =>
    decidePreemption({ policy, owner, claim: readClaim(claimed(owner).metadata), enabled }).verdict;

  it("takes from a lower priority, and from every cluster-scoped policy", () => {
    expect(decide(high, low)).toBe("take");
    expect(decide(namespaced("zero", { preemption: "Always" }), wide)).toBe("take");
    expect(decide(wide, clusterScoped("other", { priority: 98 }))).toBe("take");
  });

  it("leaves what has the same priority, what a namespaced policy has, and everything when it is off", () => {
    expect(decide(high, namespaced("same", { priority: 2 }))).toBe("leave");
    expect(decide(wide, low)).toBe("leave");
    expect(decide(high, low, false)).toBe("leave");
    expect(decide(namespaced("never", { priority: 9, preemption: "Never" }), low)).toBe("leave");
  });

  it("cannot decide when the owner is unknown", () => {
    const claim = readClaim(claimed(low).metadata);

    expect(decidePreemption({ policy: high, claim, owner: undefined, enabled: true }).verdict).toBe("error");
  });

  it("lets those in between contend when a policy steps down", () => {
    const always = (name: string, priority: number): Policy => namespaced(name, { priority, preemption: "Always" });
    const all = [
      always("p2", 2),
      always("p4", 4),
      always("p5", 5),
      always("p1", 1),
      namespaced("no", { priority: 3 }),
      wide,
    ];

    const next = contendersAfterLowering(namespaced("lowered", { priority: 1 }), 5, all);

    expect(next.map((policy) => policy.metadata.name)).toEqual(["p4", "p2"]);
  });
});

describe("consequenceOfPolicy", () => {
  const policy = namespaced("own", { resourceSelectors: [{ ...KIND, name: "web" }] });

  it("refreshes what the policy has and still selects, and releases the rest", () => {
    expect(consequenceOfPolicy(policy, claimed(policy))).toBe("refresh");
    expect(consequenceOfPolicy(policy, claimed(policy, { name: "cart" }))).toBe("release");
  });

  it("leaves alone what another policy has, or none", () => {
    expect(consequenceOfPolicy(policy, claimed(namespaced("other")))).toBe("none");
    expect(consequenceOfPolicy(policy, template())).toBe("none");
  });
});

describe("whyNotTemplate", () => {
  const skipped = readSkipList({ skippedApis: "example.io; batch/v1 ;apps/v1/DaemonSet,statefulset;v1/Pod" });
  const object = (apiVersion: string, kind: string, namespace?: string, name = "x"): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  });

  it.each([
    object("work.karmada.io/v1alpha1", "Work", "shop"),
    object("v1", "Event", "shop"),
    object("coordination.k8s.io/v1", "Lease", "shop"),
    object("example.io/v1", "Widget", "shop"),
    object("batch/v1", "Job", "shop"),
    object("apps/v1", "StatefulSet", "shop"),
    object("v1", "Pod", "shop"),
    object("v1", "ConfigMap", "kube-system"),
    object("v1", "Secret", "karmada-es-paris-1"),
    { ...object("v1", "Service", "shop"), metadata: { labels: { "resourcetemplate.karmada.io/claimed-by": "x" } } },
  ])("leaves out %j", (left) => {
    expect(whyNotTemplate(left, skipped)).toBeDefined();
  });

  it.each([
    object("apps/v1", "Deployment", "default"),
    object("batch/v2", "Job", "shop"),
    object("rbac.authorization.k8s.io/v1", "ClusterRole"),
    object("v1", "ConfigMap", "my-kube-config"),
  ])("takes %j", (taken) => {
    expect(whyNotTemplate(taken, skipped)).toBeUndefined();
  });

  it("says that no policy brings an object out of a reserved namespace", () => {
    expect(whyNotTemplate(object("v1", "Secret", "karmada-system"), skipped)).toContain("whatever policies select");
    expect(whyNotTemplate(object("v1", "Secret", "kube-public"), skipped)).toContain(
      "--skipped-propagating-namespaces",
    );
  });

  it("tests objects without a namespace against the same patterns", () => {
    const all = readSkipList({ skippedNamespaces: [".*"] });

    expect(whyNotTemplate(object("rbac.authorization.k8s.io/v1", "ClusterRole"), all)).toContain("in no namespace");
    expect(whyNotTemplateKind("rbac.authorization.k8s.io/v1", "ClusterRole", all)).toBeUndefined();
  });

  it.each([
    { skippedApis: "apps/v1/Deployment/web" },
    { skippedApis: "apps/" },
    { skippedApis: "apps/v1/" },
    { skippedApis: "/v1" },
    { skippedNamespaces: ["team-["] },
    { skippedNamespaces: ["(?=kube)"] },
  ])("refuses %j", (settings) => {
    expect(() => readSkipList(settings)).toThrow(expect.objectContaining({ code: "skip-list-invalid" }));
  });

  it("always leaves out the API server's own ConfigMap", () => {
    const all = readSkipList({ skippedNamespaces: [] });

    expect(
      whyNotTemplate(object("v1", "ConfigMap", "kube-system", "extension-apiserver-authentication"), all),
    ).toBeDefined();
    expect(whyNotTemplate(object("v1", "ConfigMap", "kube-system"), all)).toBeUndefined();
  });
});

describe("mergeSuspension", () => {
  it("takes dispatching from the policy and keeps scheduling", () => {
    expect(mergeSuspension({ scheduling: true, dispatching: false }, { dispatching: true })).toEqual({
      scheduling: true,
      dispatching: true,
    });
    expect(mergeSuspension({ scheduling: true, dispatching: true }, undefined)).toEqual({ scheduling: true });
    expect(mergeSuspension({ dispatching: true }, undefined)).toBeUndefined();
  });
});
