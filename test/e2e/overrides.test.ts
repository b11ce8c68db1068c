// Override policies at work: what each copy becomes, and what a bad one does to the rest of the fleet; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OverridePolicy, RuleWithCluster } from "../../api/policy.ts";
import { eventually } from "./support/eventually.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readBinding, readDeployment, worksOf } from "./support/reading.ts";

const IMAGE = ["spec", "template", "spec", "containers", 0, "image"] as const;

function overrides(namespace: string, name: string, ...overrideRules: RuleWithCluster[]): OverridePolicy {
  const resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }];
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name, namespace },
    spec: { resourceSelectors, overrideRules },
  };
}

function registry(value: string, ...clusterNames: string[]): RuleWithCluster {
  return {
    ...(clusterNames.length === 0 ? {} : { targetCluster: { clusterNames } }),
    overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value }] },
  };
}

async function messages(
  plane: Plane,
  namespace: string,
  kind: string,
  name: string,
  reason: string,
): Promise<string[]> {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
  const { items } = await plane.client.list("v1", "Event", { namespace, fieldSelector });
  return items.map((event) => String(event["message"])).sort();
}

describe.each(engines())("overrides, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function imagesOf(namespace: string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const { name, client } of plane.members) {
      const web = await client.find(ref("apps/v1 Deployment", namespace, "web"));
      if (web !== undefined) found[name] = at(web, ...IMAGE);
    }
    return found;
  }

  it("differ by cluster, and follow their policy without touching other objects", async () => {
    const namespace = "differing";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      overrides(namespace, "registry", registry("eu.example", "paris-1", "paris-2")),
      policy({ namespace }),
      deployment({ namespace }),
      deployment({ namespace, name: "other" }),
    );
    await eventually(async () =>
      expect(await imagesOf(namespace)).toEqual({
        "tokyo-1": "registry.example/web:1",
        "paris-1": "eu.example/web:1",
        "paris-2": "eu.example/web:1",
      }),
    );
    await eventually(async () =>
      expect(await messages(plane, namespace, "Deployment", "web", "ApplyOverridePolicySucceed")).toEqual([
        "Apply override policy(differing/registry) for cluster(paris-1) succeed.",
        "Apply override policy(differing/registry) for cluster(paris-2) succeed.",
      ]),
    );
    const before = await generationsOfOther();

    await applyAll(plane.client, overrides(namespace, "registry", registry("fr.example", "paris-1")));

    await eventually(async () =>
      expect(await imagesOf(namespace)).toEqual({
        "tokyo-1": "registry.example/web:1",
        "paris-1": "fr.example/web:1",
        "paris-2": "registry.example/web:1",
      }),
    );
    expect(before).toHaveLength(3);
    expect(await generationsOfOther()).toEqual(before);

    async function generationsOfOther(): Promise<unknown[]> {
      const works = await worksOf(plane, namespace);
      return works
        .filter(({ metadata }) => metadata.name?.startsWith("other-"))
        .map(({ metadata }) => `${metadata.namespace} ${metadata.generation}`)
        .sort();
    }
  });

  it("that cannot be carried out stop one copy of one object alone, and say where and why", async () => {
    const namespace = "failing";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace }),
      deployment({ namespace }),
      deployment({ namespace, name: "other" }),
    );
    await eventually(async () => expect(Object.keys(await imagesOf(namespace))).toHaveLength(3));

    await applyAll(plane.client, {
      ...overrides(namespace, "broken", registry("new.example"), {
        targetCluster: { clusterNames: ["paris-1"] },
        overriders: { plaintext: [{ path: "/spec/none/x", operator: "remove" }] },
      }),
    });

    await eventually(async () => {
      expect(await imagesOf(namespace)).toEqual({
        "tokyo-1": "new.example/web:1",
        "paris-1": "registry.example/web:1",
        "paris-2": "new.example/web:1",
      });
      const [failed = ""] = await messages(plane, namespace, "Deployment", "web", "ApplyOverridePolicyFailed");
      expect(failed).toContain("Apply override policy(failing/broken) for cluster(paris-1) failed.");
      expect(failed).toContain("spec.overrideRules[1].overriders.plaintext[0]");
      const [told = ""] = await messages(plane, namespace, "OverridePolicy", "broken", "ApplyOverridePolicyFailed");
      expect(told).toContain("Deployment failing/web: OverridePolicy failing/broken, spec.overrideRules[1]");
      const condition = conditionOf(await readBinding(plane, namespace, "web-deployment"), "OverridesApplied");
      expect(condition).toMatchObject({ status: "False", reason: "OverrideFailed" });
      expect(condition?.message).toContain("cannot be carried out for cluster paris-1");
    });
    // Others are served as ever.
    await plane.client.patch(ref("apps/v1 Deployment", namespace, "other"), { spec: { replicas: 2 } }, "merge");
    await eventually(async () => {
      const other = await readDeployment(plane.member("paris-1").client, namespace, "other");
      expect(at(other, "spec", "replicas")).toBe(2);
    });

    await applyAll(plane.client, overrides(namespace, "broken", registry("new.example")));

    await eventually(async () => {
      expect((await imagesOf(namespace))["paris-1"]).toBe("new.example/web:1");
      const binding = await readBinding(plane, namespace, "web-deployment");
      expect(conditionOf(binding, "OverridesApplied")?.status).toBe("True");
    });
  });

  it.each<[string, RuleWithCluster["overriders"], string]>([
    ["renames", { plaintext: [{ path: "/metadata/name", operator: "replace", value: "shop" }] }, "/metadata/name"],
    [
      "moves",
      { plaintext: [{ path: "/metadata/namespace", operator: "replace", value: "shop" }] },
      "/metadata/namespace",
    ],
    ["turns", { plaintext: [{ path: "/kind", operator: "replace", value: "StatefulSet" }] }, "/kind"],
  ])("that would make another object of it are refused: %s", async (namespace, overriders, path) => {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      overrides(namespace, "identity", { targetCluster: { clusterNames: ["paris-1"] }, overriders }),
      policy({ namespace }),
      deployment({ namespace }),
    );

    await eventually(async () => {
      expect(Object.keys(await imagesOf(namespace)).sort()).toEqual(["paris-2", "tokyo-1"]);
      const [failed = ""] = await messages(plane, namespace, "Deployment", "web", "ApplyOverridePolicyFailed");
      expect(failed).toContain(`would make another object of it (${path}`);
    });
    expect(await plane.member("paris-1").client.find(ref("apps/v1 Deployment", namespace, "shop"))).toBeUndefined();
  });

  it("of Secrets tell nobody what is in them", async () => {
    const namespace = "hiding";
    const resourceSelectors = [{ apiVersion: "v1", kind: "Secret", name: "token" }];
    const predicate = { path: "/data/token" };
    const overriders = { imageOverrider: [{ component: "Tag", operator: "remove", predicate }] };
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, selectors: [{ apiVersion: "v1", kind: "Secret" }] }),
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "OverridePolicy",
        metadata: { name: "odd", namespace },
        spec: {
          resourceSelectors,
          overrideRules: [{ overriders }],
        },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "token", namespace },
        data: { token: Buffer.from("hunter2 of the fleet").toString("base64") },
      },
    );

    await eventually(async () => {
      const failed = await messages(plane, namespace, "Secret", "token", "ApplyOverridePolicyFailed");
      expect(failed).toHaveLength(3);
      for (const message of failed) expect(message).toContain("failed to parse image value(hidden)");
    });
    const { items } = await plane.client.list("v1", "Event", { namespace });
    expect(JSON.stringify(items)).not.toContain(Buffer.from("hunter2").toString("base64").slice(0, 8));
    const binding = await readBinding(plane, namespace, "token-secret");
    expect(JSON.stringify(binding.status ?? {})).not.toContain(Buffer.from("hunter2").toString("base64").slice(0, 8));
  });

  it("of namespaces that fail leave other clusters alone", async () => {
    const rules = [
      {
        targetCluster: { clusterNames: ["paris-1"] },
        overriders: { plaintext: [{ path: "/spec/none/x", operator: "remove" as const }] },
      },
      { overriders: { labelsOverrider: [{ operator: "add" as const, value: { tier: "x" } }] } },
    ];
    await applyAll(
      plane.client,
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterOverridePolicy",
        metadata: { name: "namespaces" },
        spec: { resourceSelectors: [{ apiVersion: "v1", kind: "Namespace", name: "sent" }], overrideRules: rules },
      },
      namespaceObject("sent"),
    );

    await eventually(async () => {
      const sent = await plane.member("tokyo-1").client.find(ref("v1 Namespace", "", "sent"));
      expect(at(sent, "metadata", "labels", "tier")).toBe("x");
    });
    expect(await plane.member("paris-1").client.find(ref("v1 Namespace", "", "sent"))).toBeUndefined();
    await plane.client.delete(ref("policy.karmada.io/v1alpha1 ClusterOverridePolicy", "", "namespaces"));
    await eventually(async () =>
      expect(await plane.member("paris-1").client.find(ref("v1 Namespace", "", "sent"))).toBeDefined(),
    );
  });

  it("reach a ConfigMap's documents", async () => {
    const namespace = "documents";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, selectors: [{ apiVersion: "v1", kind: "ConfigMap" }] }),
      configMap(namespace, "settings", { "app.yaml": "# how we log\nlog: {level: info}\nfeature: yes\n" }),
      {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "OverridePolicy",
        metadata: { name: "levels", namespace },
        spec: {
          overrideRules: [
            {
              overriders: {
                fieldOverrider: [
                  {
                    fieldPath: "/data/app.yaml",
                    yaml: [{ subPath: "/log/level", operator: "replace", value: "debug" }],
                  },
                ],
              },
            },
          ],
        },
      },
    );

    await eventually(async () => {
      const copy = await plane.member("paris-1").client.find(ref("v1 ConfigMap", namespace, "settings"));
      expect(at(copy, "data", "app.yaml")).toBe("# how we log\nlog: {level: debug}\nfeature: yes\n");
    });
  });

  it("fill in what is known of each cluster, where the policy asks for it", async () => {
    const namespace = "variables";
    const rule: RuleWithCluster = {
      overriders: {
        plaintext: [
          { path: "/metadata/annotations", operator: "add", value: { at: "${cluster.name}/${cluster.region}" } },
        ],
        imageOverrider: [{ component: "Registry", operator: "replace", value: "${cluster.labels.mirror:-eu}.example" }],
      },
    };
    const asking = overrides(namespace, "vars", rule);
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      { ...asking, spec: { ...asking.spec, flaghoist: { variables: true } } },
      policy({ namespace }),
      deployment({ namespace }),
    );

    await eventually(async () => {
      for (const [name, region] of [
        ["tokyo-1", "ap-northeast"],
        ["paris-1", "eu-west"],
      ]) {
        const web = await plane.member(name ?? "").client.find(ref("apps/v1 Deployment", namespace, "web"));
        expect(at(web, "metadata", "annotations", "at")).toBe(`${name}/${region}`);
        expect(at(web, ...IMAGE)).toBe("eu.example/web:1");
      }
    });
    // A label of a cluster changes what its copies say.
    await plane.client.patch(
      ref("cluster.karmada.io/v1alpha1 Cluster", "", "paris-1"),
      { metadata: { labels: { mirror: "fr" } } },
      "merge",
    );
    await eventually(async () => expect((await imagesOf(namespace))["paris-1"]).toBe("fr.example/web:1"));

    const wrong = overrides(namespace, "wrong", registry("${cluster.regoin}"));
    await expect(
      applyAll(plane.client, { ...wrong, spec: { ...wrong.spec, flaghoist: { variables: true } } }),
    ).rejects.toThrow("did you mean cluster.region");
  });
});

describe.each(engines())("overrides with compatibility karmada, store: %s", (engine) => {
  it("print documents and make other objects as Karmada does", async () => {
    const plane = await startPlane({ engine, members: { "paris-1": {} }, profile: { compatibility: "karmada" } });
    try {
      const namespace = "as-karmada";
      const plaintext = [{ path: "/metadata/name", operator: "replace" as const, value: "renamed" }];
      const yaml = [{ subPath: "/log/level", operator: "replace" as const, value: "debug" }];
      const asOverride = (name: string, kind: string, overriders: RuleWithCluster["overriders"]): OverridePolicy => ({
        ...overrides(namespace, name, { overriders }),
        spec: {
          resourceSelectors: [{ apiVersion: kind === "ConfigMap" ? "v1" : "apps/v1", kind }],
          overrideRules: [{ overriders }],
        },
      });
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        asOverride("rename", "Deployment", { plaintext }),
        asOverride("levels", "ConfigMap", { fieldOverrider: [{ fieldPath: "/data/app.yaml", yaml }] }),
        policy({
          namespace,
          selectors: [
            { apiVersion: "apps/v1", kind: "Deployment" },
            { apiVersion: "v1", kind: "ConfigMap" },
          ],
        }),
        deployment({ namespace }),
        configMap(namespace, "settings", { "app.yaml": "# how we log\nlog: {level: info}\nfeature: yes\n" }),
      );

      await eventually(async () => {
        const { client } = plane.member("paris-1");
        expect(await client.find(ref("apps/v1 Deployment", namespace, "renamed"))).toBeDefined();
        const settings = await client.find(ref("v1 ConfigMap", namespace, "settings"));
        expect(at(settings, "data", "app.yaml")).toBe("feature: true\nlog:\n  level: debug\n");
      });
      expect(await plane.member("paris-1").client.find(ref("apps/v1 Deployment", namespace, "web"))).toBeUndefined();
    } finally {
      await plane.close();
    }
  }, 120_000);
});
