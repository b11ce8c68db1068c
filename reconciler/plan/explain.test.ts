import { describe, expect, it } from "vitest";
import { refOf } from "../../kube/object.ts";
import {
  binding,
  claimed,
  cluster,
  clusterPolicy,
  configMap,
  deployment,
  overridePolicy,
  policy,
  weighted,
  world,
} from "../../test/builders.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { explain } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import type { World } from "./world.ts";

const options = { interpreter: createInterpreter({ native: nativeLevel() }), now: Date.parse("2026-01-01T00:00:00Z") };
const web = deployment({ replicas: 6 });
const tokyo = cluster({ name: "tokyo-1", region: "ap-northeast" });
const paris = cluster({ name: "paris-1", region: "eu-west" });

function explainWeb(parts: Partial<World>): Explanation {
  return explain(world({ clusters: [tokyo, paris], templates: [web], ...parts }), refOf(web), options);
}

function inCluster(explanation: Explanation, name: string) {
  return explanation.clusters.find((entry) => entry.cluster === name);
}

describe("explain: policies", () => {
  it("names the policy that has the object, and how it selects it", () => {
    const explanation = explainWeb({ policies: [policy({ name: "two-regions" })] });

    expect(explanation.state).toBe("placed");
    expect(explanation.policy).toMatchObject({
      namespace: "shop",
      name: "two-regions",
      why: "selects the object by kind",
    });
  });

  it("says why another policy that selects the object does not get it", () => {
    const policies = [
      policy({ name: "strong", priority: 10 }),
      policy({ name: "weak" }),
      clusterPolicy({ name: "everywhere", priority: 99 }),
    ];

    const explanation = explainWeb({ policies });

    expect(explanation.policy?.name).toBe("strong");
    expect(explanation.otherPolicies).toEqual([
      {
        policy: { kind: "PropagationPolicy", namespace: "shop", name: "weak" },
        reason: "priority 0 < 10 of shop/strong",
      },
      {
        policy: { kind: "ClusterPropagationPolicy", name: "everywhere" },
        reason: "policies of the object's own namespace come first",
      },
    ]);
  });

  it("says that a better policy does not take over what another one claimed", () => {
    const old = policy({ name: "old" });
    const template = claimed(web, old);
    const explanation = explain(
      world({ clusters: [tokyo], templates: [template], policies: [old, policy({ name: "new", priority: 5 })] }),
      refOf(template),
      options,
    );

    expect(explanation.policy?.name).toBe("old");
    expect(explanation.otherPolicies[0]?.reason).toContain("priority 5 > 0");
    expect(explanation.otherPolicies[0]?.reason).toContain("spec.preemption: Always");
  });

  it("says that an equal policy comes first by name only, and that preemption would not help it", () => {
    const old = policy({ name: "old" });
    const template = claimed(web, old);
    const explanation = explain(
      world({ clusters: [tokyo], templates: [template], policies: [old, policy({ name: "earlier" })] }),
      refOf(template),
      options,
    );

    expect(explanation.policy?.name).toBe("old");
    expect(explanation.otherPolicies[0]?.reason).toBe(
      "would be preferred (it comes first by name), but the object was claimed before, and could not be taken over: priority 0 is not above 0 of shop/old",
    );
  });

  it("says that a reserved namespace stays at home whatever policies select", () => {
    const template = { ...web, metadata: { ...web.metadata, namespace: "kube-system" } };
    const policies = [clusterPolicy({ name: "everything" })];

    const explanation = explain(
      world({ clusters: [tokyo], templates: [template], policies }),
      refOf(template),
      options,
    );

    expect(explanation).toMatchObject({
      state: "kept",
      reason: "namespace kube-system is not propagated, whatever policies select (--skipped-propagating-namespaces)",
    });
  });

  it.each([
    {
      miss: "a label",
      selector: { apiVersion: "apps/v1", kind: "Deployment", labelSelector: { matchLabels: { app: "api" } } },
      expected: {
        field: "spec.resourceSelectors[0].labelSelector",
        miss: "wants label app api; the object has app=web",
      },
    },
    {
      miss: "a name",
      selector: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
      expected: { field: "spec.resourceSelectors[0].name", miss: "names api; the object is called web" },
    },
    {
      miss: "the API version",
      selector: { apiVersion: "apps/v1beta1", kind: "Deployment" },
      expected: {
        field: "spec.resourceSelectors[0].apiVersion",
        miss: "names apps/v1beta1; the object is of apps/v1",
      },
    },
  ])("tells that the nearest policy misses the object by $miss", ({ selector, expected }) => {
    const explanation = explainWeb({ policies: [policy({ name: "near", selects: [selector] })] });

    expect(explanation.state).toBe("unclaimed");
    expect(explanation.nearPolicies).toEqual([
      { policy: { kind: "PropagationPolicy", namespace: "shop", name: "near" }, ...expected },
    ]);
  });

  it("tells that a policy of another namespace would select it there", () => {
    const explanation = explainWeb({ policies: [policy({ name: "near", namespace: "other" })] });

    expect(explanation.nearPolicies[0]).toMatchObject({
      field: "metadata.namespace",
      miss: "is in namespace other, and selects objects of that namespace alone",
    });
  });

  it("does not call policies about other kinds near", () => {
    const explanation = explainWeb({
      policies: [policy({ name: "far", selects: [{ apiVersion: "v1", kind: "Service" }] })],
    });

    expect(explanation.nearPolicies).toEqual([]);
  });
});

describe("explain: clusters", () => {
  it.each([
    {
      by: "a taint",
      refused: cluster({ name: "paris-1", taints: [{ key: "maintenance", value: "true", effect: "NoSchedule" }] }),
      placement: {},
      words: "taint maintenance=true:NoSchedule is not tolerated",
      field: "spec.placement.clusterTolerations",
    },
    {
      by: "its name",
      refused: paris,
      placement: { clusterAffinity: { exclude: ["paris-1"] } },
      words: "is excluded by name",
      field: "spec.placement.clusterAffinity.exclude",
    },
    {
      by: "a label",
      refused: cluster({ name: "paris-1", labels: { tier: "edge" } }),
      placement: {
        clusterAffinity: {
          labelSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["edge"] }] },
        },
      },
      words: "label tier is edge, which is not wanted",
      field: "spec.placement.clusterAffinity.labelSelector",
    },
    {
      by: "its region",
      refused: paris,
      placement: {
        clusterAffinity: {
          fieldSelector: {
            matchExpressions: [{ key: "region" as const, operator: "In" as const, values: ["ap-northeast"] }],
          },
        },
      },
      words: "region is eu-west, wanted ap-northeast",
      field: "spec.placement.clusterAffinity.fieldSelector",
    },
  ])("says that a cluster is refused by $by, and which field to change", ({ refused, placement, words, field }) => {
    const explanation = explainWeb({ clusters: [tokyo, refused], policies: [policy({ name: "p", placement })] });

    expect(inCluster(explanation, "tokyo-1")?.verdict).toBe("placed");
    expect(inCluster(explanation, "paris-1")).toMatchObject({ verdict: "refused", refusals: [{ words, field }] });
  });

  it("says what API a cluster lacks", () => {
    const explanation = explainWeb({
      clusters: [tokyo, cluster({ name: "paris-1", kinds: ["v1 ConfigMap"] })],
      policies: [policy({ name: "p" })],
    });

    expect(inCluster(explanation, "paris-1")?.refusals[0]).toMatchObject({ filter: "APIEnablement" });
    expect(inCluster(explanation, "paris-1")?.refusals[0]?.words).toContain("apps/v1 Deployment");
  });

  it("calls a cluster that keeps the object despite a new taint placed, and says what would refuse it", () => {
    const owner = policy({ name: "p" });
    const template = claimed(web, owner);
    const tainted = cluster({ name: "paris-1", taints: [{ key: "maintenance", effect: "NoSchedule" }] });
    const explanation = explain(
      world({
        clusters: [tainted],
        templates: [template],
        policies: [owner],
        bindings: [binding({ template, policy: owner, clusters: [{ name: "paris-1", replicas: 6 }], replicas: 6 })],
      }),
      refOf(template),
      options,
    );

    expect(inCluster(explanation, "paris-1")).toMatchObject({
      verdict: "placed",
      replicas: 6,
      waived: [{ words: "taint maintenance:NoSchedule is not tolerated" }],
    });
  });

  it("names every overridden field with its policy and its rule, counted from one", () => {
    const rules = [
      { targetCluster: { clusterNames: ["tokyo-1"] }, overriders: {} },
      {
        targetCluster: { clusterNames: ["paris-1"] },
        overriders: {
          imageOverrider: [{ component: "Registry" as const, operator: "add" as const, value: "eu.example" }],
        },
      },
    ];
    const explanation = explainWeb({
      policies: [policy({ name: "p" })],
      overridePolicies: [overridePolicy({ name: "registry", rules })],
    });

    expect(inCluster(explanation, "tokyo-1")?.overrides).toEqual([]);
    expect(inCluster(explanation, "paris-1")?.overrides).toEqual([
      {
        path: "spec.template.spec.containers[web].image",
        old: "shop/web:1",
        value: "eu.example/shop/web:1",
        policy: { kind: "OverridePolicy", namespace: "shop", name: "registry" },
        rule: 2,
        field: "spec.overrideRules[1].overriders.imageOverrider[0]",
        origin: undefined,
      },
    ]);
  });

  it("hides what an override writes into a Secret", () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", namespace: "shop", uid: "u" },
      data: { token: "b2xk" },
    };
    const selects = [{ apiVersion: "v1", kind: "Secret" }];
    const plaintext = [{ path: "/data/token", operator: "replace" as const, value: "c2VjcmV0" }];
    const explanation = explain(
      world({
        clusters: [cluster({ name: "a", kinds: ["v1 Secret"] })],
        templates: [secret],
        policies: [policy({ name: "p", selects })],
        overridePolicies: [overridePolicy({ name: "o", selects, rules: [{ overriders: { plaintext } }] })],
      }),
      refOf(secret),
      options,
    );

    expect(inCluster(explanation, "a")?.overrides[0]).toMatchObject({
      path: "data.token",
      old: "(hidden)",
      value: "(hidden)",
    });
    expect(JSON.stringify(explanation)).not.toContain("c2VjcmV0");
  });

  it("tells how the copy fares, from the binding's status", () => {
    const owner = policy({ name: "p" });
    const template = claimed(web, owner);
    const status = {
      aggregatedStatus: [
        { clusterName: "paris-1", applied: false, appliedMessage: "quota exceeded", health: "Unknown" as const },
      ],
      conditions: [
        {
          type: "FullyApplied",
          status: "False" as const,
          reason: "FullyAppliedFailed",
          message: "Failed to apply all works",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        },
      ],
    };
    const clusters = [{ name: "paris-1", replicas: 6 }];
    const explanation = explain(
      world({
        clusters: [paris],
        templates: [template],
        policies: [owner],
        bindings: [binding({ template, policy: owner, clusters, replicas: 6, status })],
      }),
      refOf(template),
      options,
    );

    expect(inCluster(explanation, "paris-1")?.state).toMatchObject({ applied: false, message: "quota exceeded" });
    expect(explanation.blocking).toEqual([
      { type: "FullyApplied", reason: "FullyAppliedFailed", message: "Failed to apply all works" },
    ]);
  });
});

describe("explain: division", () => {
  it("shows weights, the rule behind each, and the seats", () => {
    const placement = weighted({ nowhere: 9, "tokyo-1": 1, "paris-1": 2 });
    const explanation = explainWeb({ policies: [policy({ name: "p", placement })] });

    const [division] = explanation.divisions;
    expect(inCluster(explanation, "paris-1")?.replicas).toBe(4);
    expect(inCluster(explanation, "tokyo-1")?.replicas).toBe(2);
    expect(division?.ruleOf).toEqual({ "tokyo-1": 2, "paris-1": 3 });
    expect(division?.idleRules).toEqual([1]);
    expect(division?.seats).toHaveLength(6);
    expect(division?.seats[0]).toEqual({
      seat: 1,
      name: "paris-1",
      quotient: 2,
      over: { name: "tokyo-1", quotient: 1 },
    });
  });

  it("says that the present division is kept though a fresh one would differ", () => {
    const owner = policy({ name: "p", placement: weighted({ "tokyo-1": 1, "paris-1": 1 }) });
    const template = claimed(web, owner);
    const clusters = [
      { name: "tokyo-1", replicas: 5 },
      { name: "paris-1", replicas: 1 },
    ];
    const explanation = explain(
      world({
        clusters: [tokyo, paris],
        templates: [template],
        policies: [owner],
        bindings: [binding({ template, policy: owner, clusters, replicas: 6 })],
      }),
      refOf(template),
      options,
    );

    expect(inCluster(explanation, "tokyo-1")?.replicas).toBe(5);
    expect(explanation.differs?.fresh).toEqual([
      { name: "paris-1", replicas: 3 },
      { name: "tokyo-1", replicas: 3 },
    ]);
    expect(explanation.differs?.reason).toContain("stays where it is");
  });
});

describe("explain: objects without a policy of their own", () => {
  it("names the object that one of its dependencies follows", () => {
    const settings = configMap("settings");
    const owner = policy({ name: "p", propagateDeps: true });
    const webBinding = binding({ template: web, policy: owner, clusters: [{ name: "paris-1", replicas: 6 }] });
    const attached = {
      apiVersion: "work.karmada.io/v1alpha2",
      kind: "ResourceBinding" as const,
      metadata: { name: "settings-configmap", namespace: "shop" },
      spec: {
        resource: { apiVersion: "v1", kind: "ConfigMap", name: "settings", namespace: "shop" },
        requiredBy: [{ name: "web-deployment", namespace: "shop", clusters: [{ name: "paris-1", replicas: 6 }] }],
      },
    };
    const explanation = explain(
      world({
        clusters: [tokyo, paris],
        templates: [settings],
        policies: [owner],
        bindings: [webBinding, attached],
        partial: true,
      }),
      refOf(settings),
      options,
    );

    expect(explanation.state).toBe("attached");
    expect(explanation.follows).toEqual([
      { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
    ]);
    expect(inCluster(explanation, "paris-1")).toMatchObject({ verdict: "follows", replicas: undefined });
    expect(inCluster(explanation, "tokyo-1")?.verdict).toBe("spare");
  });

  it("knows that namespaces go everywhere, and what stays at home", () => {
    const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
    const home = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };
    const both = world({ clusters: [tokyo, paris], templates: [shop, home] });

    expect(explain(both, refOf(shop), options).clusters.map((entry) => entry.verdict)).toEqual(["placed", "placed"]);
    expect(explain(both, refOf(home), options)).toMatchObject({ state: "kept" });
  });

  it("says why a claimed object is nowhere", () => {
    const explanation = explainWeb({ policies: [policy({ name: "p", clusters: ["oslo-1"] })] });

    expect(explanation.state).toBe("unplaced");
    expect(explanation.reason).toContain("0/2 clusters are available");
  });
});
