// Whom a policy has, what its change and its end bring about, and what is said of policies that miss something; on both
// engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { readClaim } from "../../reconciler/policies/claim.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import {
  at,
  conditionOf,
  eventReasons,
  orderedReplicas,
  readBinding,
  readDeployment,
  targetsOf,
} from "./support/reading.ts";

const CONFIG_MAPS = { apiVersion: "v1", kind: "ConfigMap" };
const POLICY = "policy.karmada.io/v1alpha1 PropagationPolicy";
const BINDING = "work.karmada.io/v1alpha2 ResourceBinding";

describe.each(engines())("policies, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function ownerOf(kind: string, namespace: string, name: string): Promise<string | undefined> {
    return readClaim((await plane.client.get(ref(kind, namespace, name))).metadata)?.name;
  }

  /** Messages of an object's events of one reason. */
  async function messages(namespace: string, kind: string, name: string, reason: string): Promise<string[]> {
    const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},reason=${reason}`;
    const { items } = await plane.client.list("v1", "Event", { namespace, fieldSelector });
    return items.map((event) => String(event["message"]));
  }

  async function untilServing(namespace: string, name: string, replicas = 6): Promise<void> {
    await eventually(async () => {
      expect(at(await readDeployment(plane.client, namespace, name), "status")).toMatchObject({
        readyReplicas: replicas,
      });
      expect(conditionOf(await readBinding(plane, namespace, `${name}-deployment`), "FullyApplied")?.status).toBe(
        "True",
      );
    });
  }

  describe("changes of policies", () => {
    const names = ["a", "b", "c", "d"];
    const selects = (name: string) => [{ apiVersion: "apps/v1", kind: "Deployment", name }];
    const policyOf = (
      name: string,
      spec: Record<string, unknown> = {},
      weights: Record<string, number> = EVEN_WEIGHTS,
    ) => policy({ namespace: "many", name, selectors: selects(name), weights, spec });

    async function bindings(): Promise<Map<string, ResourceBinding>> {
      const { items } = await plane.client.list<ResourceBinding>("work.karmada.io/v1alpha2", "ResourceBinding", {
        namespace: "many",
      });
      return new Map(items.map((binding) => [binding.spec.resource.name, binding]));
    }

    beforeAll(async () => {
      await applyAll(plane.client, namespaceObject("many"), ...names.map((name) => policyOf(name)));
      await applyAll(plane.client, ...names.map((name) => deployment({ namespace: "many", name })));
      for (const name of names) await untilServing("many", name);
    }, 60_000);

    /** Waits until nothing writes to the bindings any more, and answers with them. */
    async function settled(): Promise<Map<string, ResourceBinding>> {
      const versions = (of: Map<string, ResourceBinding>): (string | undefined)[] =>
        [...of.values()].map((binding) => binding.metadata.resourceVersion);
      let before = await bindings();
      await eventually(async () => {
        before = await bindings();
        await consistently(async () => expect(versions(await bindings())).toEqual(versions(before)), { forMs: 250 });
      });
      return before;
    }

    it("leave the bindings of other policies untouched", async () => {
      const before = await settled();

      await applyAll(plane.client, policyOf("b", {}, { "tokyo-1": 2, "paris-1": 1 }));

      await eventually(async () => {
        expect(await orderedReplicas(plane, "many", "b")).toEqual({ "tokyo-1": 4, "paris-1": 2 });
      });
      await untilServing("many", "b");
      const after = await settled();
      for (const name of ["a", "c", "d"])
        expect(after.get(name)?.metadata.resourceVersion).toBe(before.get(name)?.metadata.resourceVersion);
    });

    it.each([
      ["conflictResolution", { conflictResolution: "Overwrite" }, "conflictResolution", "Overwrite"],
      ["suspension", { suspension: { dispatching: true } }, "suspension", { dispatching: true }],
      ["preserveResourcesOnDeletion", { preserveResourcesOnDeletion: true }, "preserveResourcesOnDeletion", true],
    ])("move no replicas when only %s changes", async (_what, spec, field, value) => {
      const before = (await settled()).get("c");

      await applyAll(plane.client, policyOf("c", spec));

      await eventually(async () => {
        expect(at(await readBinding(plane, "many", "c-deployment"), "spec", field)).toEqual(value);
      });
      const after = (await settled()).get("c");
      expect(after?.spec.clusters).toEqual(before?.spec.clusters);
      expect(after?.status?.lastScheduledTime).toBe(before?.status?.lastScheduledTime);
      expect(await orderedReplicas(plane, "many", "c")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    });

    it("touch not even a binding when only the priority changes", async () => {
      const before = (await settled()).get("d");

      await applyAll(plane.client, policyOf("d", { priority: 7 }));

      await eventually(async () => {
        expect(at(await plane.client.get(ref(POLICY, "many", "d")), "spec", "priority")).toBe(7);
      });
      const after = (await settled()).get("d");
      expect(after?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    });

    it("leave workloads when a policy goes, and a new one starts from where they are", async () => {
      const before = (await settled()).get("a");
      await plane.client.delete(ref(POLICY, "many", "a"));
      await eventually(async () => {
        const binding = await readBinding(plane, "many", "a-deployment");
        expect(readClaim(binding.metadata)).toBeUndefined();
        expect(binding.spec.clusters).toEqual(before?.spec.clusters);
        expect(await ownerOf("apps/v1 Deployment", "many", "a")).toBeUndefined();
      });

      await applyAll(
        plane.client,
        policy({
          namespace: "many",
          name: "heir",
          selectors: selects("a"),
          placement: {
            replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Aggregated" },
          },
        }),
      );

      await eventually(async () => {
        const binding = await readBinding(plane, "many", "a-deployment");
        expect(readClaim(binding.metadata)?.name).toBe("heir");
        expect(conditionOf(binding, "Scheduled")?.status).toBe("True");
        expect(binding.status?.schedulerObservedGeneration).toBe(binding.metadata.generation);
        // From scratch all six would go to one cluster: what runs is kept where it is.
        expect(targetsOf(binding)).toEqual(targetsOf(before as ResourceBinding));
        expect(binding.metadata.uid).toBe(before?.metadata.uid);
      });
    });
  });

  describe("claims", () => {
    it("are kept although a better policy comes, until the policy lets go", async () => {
      const { client } = plane;
      await applyAll(
        client,
        namespaceObject("kept"),
        policy({
          namespace: "kept",
          name: "first",
          selectors: [{ ...CONFIG_MAPS, labelSelector: { matchLabels: { app: "a" } } }],
        }),
        { ...configMap("kept", "settings"), metadata: { name: "settings", namespace: "kept", labels: { app: "a" } } },
      );
      await eventually(async () => expect(await ownerOf("v1 ConfigMap", "kept", "settings")).toBe("first"));

      await applyAll(
        client,
        policy({ namespace: "kept", name: "better", selectors: [CONFIG_MAPS], spec: { priority: 9 } }),
      );

      await consistently(async () => expect(await ownerOf("v1 ConfigMap", "kept", "settings")).toBe("first"), {
        forMs: 300,
      });
    });

    it("rest when labels stop to match: edits stay at home until the policy changes", async () => {
      const copy = async (): Promise<unknown> =>
        at(await plane.member("tokyo-1").client.find(ref("v1 ConfigMap", "kept", "settings")), "data", "key");
      await eventually(async () => expect(await copy()).toBe("value"));

      await applyAll(plane.client, {
        ...configMap("kept", "settings", { key: "edited" }),
        metadata: { name: "settings", namespace: "kept", labels: { app: "b" } },
      });

      await consistently(
        async () => {
          expect(await copy()).toBe("value");
          expect(await ownerOf("v1 ConfigMap", "kept", "settings")).toBe("first");
        },
        { forMs: 400 },
      );
      await applyAll(
        plane.client,
        policy({
          namespace: "kept",
          name: "first",
          selectors: [{ ...CONFIG_MAPS, labelSelector: { matchLabels: { app: "a" } } }],
          spec: { conflictResolution: "Overwrite" },
        }),
      );
      await eventually(async () => {
        expect(await ownerOf("v1 ConfigMap", "kept", "settings")).toBe("better");
        expect(await copy()).toBe("edited");
      });
    });

    it("are told of when only a name decided", async () => {
      await applyAll(
        plane.client,
        namespaceObject("tie"),
        policy({ namespace: "tie", name: "b", selectors: [CONFIG_MAPS] }),
        policy({ namespace: "tie", name: "a", selectors: [CONFIG_MAPS] }),
      );
      await applyAll(plane.client, configMap("tie", "settings"));

      await eventually(async () => {
        expect(await ownerOf("v1 ConfigMap", "tie", "settings")).toBe("a");
        expect(await messages("tie", "ConfigMap", "settings", "PoliciesOfEqualRank")).toEqual([
          expect.stringContaining("tie/b has the same priority 0"),
        ]);
      });
    });

    it("are not made on what another controller has, nor in reserved namespaces", async () => {
      const everywhere: KubeObject = {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterPropagationPolicy",
        metadata: { name: "every-service" },
        spec: { resourceSelectors: [{ apiVersion: "v1", kind: "Service" }], placement: {} },
      };
      const service = (namespace: string, name: string, labels?: Record<string, string>): KubeObject => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) },
        spec: { ports: [{ port: 80 }] },
      });
      await applyAll(
        plane.client,
        namespaceObject("services"),
        namespaceObject("kube-tools"),
        service("kube-tools", "inner"),
        service("services", "taken", { "resourcetemplate.karmada.io/claimed-by": "multiclusterservice" }),
        service("services", "free"),
        everywhere,
      );

      await eventually(async () => {
        expect(await ownerOf("v1 Service", "services", "free")).toBe("every-service");
        expect(await plane.client.find(ref(BINDING, "services", "free-service"))).toBeDefined();
        expect(await messages("default", "ClusterPropagationPolicy", "every-service", "SelectsReserved")).toEqual([
          expect.stringMatching(/^spec.resourceSelectors\[0\] also selects .* not propagated/),
        ]);
      });
      expect(await plane.client.find(ref(BINDING, "services", "taken-service"))).toBeUndefined();
      expect(await plane.client.find(ref(BINDING, "kube-tools", "inner-service"))).toBeUndefined();
      await plane.client.delete(ref("policy.karmada.io/v1alpha1 ClusterPropagationPolicy", "", "every-service"));
    });

    it("pass over to a lazy policy with effect at once when their policy goes", async () => {
      await applyAll(
        plane.client,
        namespaceObject("heirs"),
        policy({
          namespace: "heirs",
          name: "first",
          selectors: [CONFIG_MAPS],
          clusters: ["tokyo-1"],
          spec: { priority: 1 },
        }),
      );
      await applyAll(plane.client, configMap("heirs", "settings"));
      await eventually(async () => expect(await ownerOf("v1 ConfigMap", "heirs", "settings")).toBe("first"));
      await applyAll(
        plane.client,
        policy({
          namespace: "heirs",
          name: "lazy",
          selectors: [CONFIG_MAPS],
          clusters: ["paris-1"],
          spec: { activationPreference: "Lazy" },
        }),
      );

      await plane.client.delete(ref(POLICY, "heirs", "first"));

      await eventually(async () => {
        expect(await ownerOf("v1 ConfigMap", "heirs", "settings")).toBe("lazy");
        expect(Object.keys(targetsOf(await readBinding(plane, "heirs", "settings-configmap")))).toEqual(["paris-1"]);
      });
    });
  });

  describe("what a policy needs", () => {
    it("is named on the template and the policy when a PriorityClass is missing, and noticed when it comes", async () => {
      const schedulePriority = { priorityClassSource: "KubePriorityClass", priorityClassName: "gold" };
      await applyAll(
        plane.client,
        namespaceObject("urgent"),
        policy({ namespace: "urgent", name: "urgent", selectors: [CONFIG_MAPS], spec: { schedulePriority } }),
      );
      await applyAll(plane.client, configMap("urgent", "settings"));
      await eventually(async () => {
        expect(await messages("urgent", "ConfigMap", "settings", "ApplyPolicyFailed")).toEqual([
          expect.stringContaining("there is no PriorityClass gold in the control plane: create it"),
        ]);
        expect(await eventReasons(plane, "urgent", "PropagationPolicy", "urgent")).toContain("PriorityClassMissing");
      });
      expect(await plane.client.find(ref(BINDING, "urgent", "settings-configmap"))).toBeUndefined();

      await applyAll(plane.client, {
        apiVersion: "scheduling.k8s.io/v1",
        kind: "PriorityClass",
        metadata: { name: "gold" },
        value: 1000,
        globalDefault: false,
        description: "",
      });

      await eventually(async () => {
        const binding = await readBinding(plane, "urgent", "settings-configmap");
        expect(binding.spec.schedulePriority).toEqual({ priority: 1000 });
      });
    });

    it("is named when override policies are missing, and noticed when they come", async () => {
      await applyAll(
        plane.client,
        namespaceObject("overridden"),
        policy({
          namespace: "overridden",
          name: "waits",
          selectors: [CONFIG_MAPS],
          spec: { dependentOverrides: ["greeting"] },
        }),
      );
      await applyAll(plane.client, configMap("overridden", "settings"));
      await eventually(async () => {
        expect(await messages("overridden", "ConfigMap", "settings", "ApplyPolicyFailed")).toEqual([
          expect.stringContaining("there is no OverridePolicy overridden/greeting: create it"),
        ]);
        const reasons = await eventReasons(plane, "overridden", "PropagationPolicy", "waits");
        expect(reasons).toContain("DependentOverridesMissing");
      });
      expect(await ownerOf("v1 ConfigMap", "overridden", "settings")).toBeUndefined();

      await applyAll(plane.client, {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "OverridePolicy",
        metadata: { name: "greeting", namespace: "overridden" },
        spec: {
          overrideRules: [
            { overriders: { plaintext: [{ path: "/data/key", operator: "replace", value: "overridden" }] } },
          ],
        },
      });

      await eventually(async () => {
        const copy = await plane.member("tokyo-1").client.get(ref("v1 ConfigMap", "overridden", "settings"));
        expect(at(copy, "data", "key")).toBe("overridden");
      });
    });

    it("is a kind that is served: another version is named", async () => {
      await applyAll(
        plane.client,
        namespaceObject("dangling"),
        policy({
          namespace: "dangling",
          name: "old",
          selectors: [
            { apiVersion: "apps/v1beta1", kind: "Deployment" },
            { apiVersion: "example.org/v1", kind: "Widget" },
            { apiVersion: "v1", kind: "ConfigMap", name: "nobody" },
          ],
        }),
      );

      await eventually(async () => {
        expect((await messages("dangling", "PropagationPolicy", "old", "SelectsNothing")).sort()).toEqual([
          expect.stringContaining("write apiVersion apps/v1"),
          expect.stringContaining("no example.org/v1 Widget"),
          expect.stringContaining("there is no ConfigMap nobody in namespace dangling"),
        ]);
      });
    });
  });

  it("keeps a lazy policy's change until a restart, as one of the template", async () => {
    const lazy = (clusters: readonly string[]) =>
      policy({ namespace: "resting", selectors: [CONFIG_MAPS], clusters, spec: { activationPreference: "Lazy" } });
    const targets = async (): Promise<string[]> =>
      Object.keys(targetsOf(await readBinding(plane, "resting", "settings-configmap")));
    await applyAll(plane.client, namespaceObject("resting"), lazy(["tokyo-1"]));
    await eventually(async () => {
      expect((await plane.client.get(ref(POLICY, "resting", "everywhere"))).metadata.labels).toBeDefined();
    });
    await applyAll(plane.client, configMap("resting", "settings"));
    await eventually(async () => expect(await targets()).toEqual(["tokyo-1"]));

    await applyAll(plane.client, lazy(["paris-1"]));
    await consistently(async () => expect(await targets()).toEqual(["tokyo-1"]), { forMs: 400 });
    await plane.restart();

    await eventually(async () => expect(await targets()).toEqual(["paris-1"]));
  });

  it("gives a template that was deleted and made anew a binding of its own", async () => {
    await applyAll(plane.client, namespaceObject("anew"), policy({ namespace: "anew", selectors: [CONFIG_MAPS] }));
    await applyAll(plane.client, configMap("anew", "settings"));
    const first = await eventually(() => readBinding(plane, "anew", "settings-configmap"));

    await plane.client.delete(ref("v1 ConfigMap", "anew", "settings"));
    const made = await plane.client.create(configMap("anew", "settings", { key: "new" }));

    await eventually(async () => {
      const binding = await readBinding(plane, "anew", "settings-configmap");
      expect(binding.metadata.uid).not.toBe(first.metadata.uid);
      expect(binding.spec.resource.uid).toBe(made.metadata.uid);
      const copy = await plane.member("paris-2").client.get(ref("v1 ConfigMap", "anew", "settings"));
      expect(at(copy, "data", "key")).toBe("new");
    });
  });
});
