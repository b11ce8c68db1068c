// What goes along with a workload, and what stays when policies, templates and clusters go; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executionNamespace, workName } from "../../reconciler/works/naming.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import {
  at,
  conditionOf,
  orderedReplicas,
  readBinding,
  readDeployment,
  targetsOf,
  worksOf,
} from "./support/reading.ts";

const CONFIG_MAPS = { apiVersion: "v1", kind: "ConfigMap" };

describe.each(engines())("lifecycle, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** Names of the members that have an object. */
  async function whereIs(kind: string, namespace: string, name: string): Promise<string[]> {
    const found: string[] = [];
    for (const member of plane.members)
      if ((await member.client.find(ref(kind, namespace, name))) !== undefined) found.push(member.name);
    return found;
  }

  const everywhere = ["tokyo-1", "paris-1", "paris-2"];

  describe("a lazy policy", () => {
    it("claims a template that was there before, and places it once a person changes it", async () => {
      const namespace = "lazy";
      await applyAll(plane.client, namespaceObject(namespace), deployment({ namespace }));
      await applyAll(
        plane.client,
        policy({ namespace, weights: EVEN_WEIGHTS, spec: { activationPreference: "Lazy" } }),
      );
      await eventually(async () => {
        const { labels } = (await readDeployment(plane.client, namespace)).metadata;
        expect(labels).toHaveProperty(["propagationpolicy.karmada.io/permanent-id"]);
      });
      const binding = ref("work.karmada.io/v1alpha2 ResourceBinding", namespace, "web-deployment");
      await consistently(async () => expect(await plane.client.find(binding)).toBeUndefined(), { forMs: 400 });

      await applyAll(plane.client, deployment({ namespace, image: "registry.example/web:2" }));

      await eventually(async () => expect(await whereIs("apps/v1 Deployment", namespace, "web")).toEqual(everywhere));
    });
  });

  describe("dependencies", () => {
    const referring = {
      pod: { volumes: [{ name: "settings", configMap: { name: "settings" } }] },
      container: { envFrom: [{ secretRef: { name: "login" } }] },
    };

    it("sends ConfigMaps and Secrets along with what uses them, to the same clusters", async () => {
      const namespace = "deps";
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        configMap(namespace, "settings", { greeting: "hello" }),
        configMap(namespace, "unrelated"),
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "login", namespace },
          data: { password: "aHVudGVyMg==" },
        },
        policy({ namespace, weights: { "tokyo-1": 1, "paris-1": 1 }, spec: { propagateDeps: true } }),
        deployment({ namespace, ...referring }),
      );

      await eventually(async () => {
        expect(await whereIs("v1 ConfigMap", namespace, "settings")).toEqual(["tokyo-1", "paris-1"]);
        expect(await whereIs("v1 Secret", namespace, "login")).toEqual(["tokyo-1", "paris-1"]);
      });
      expect(await whereIs("v1 ConfigMap", namespace, "unrelated")).toEqual([]);
      const secret = await plane.member("tokyo-1").client.get(ref("v1 Secret", namespace, "login"));
      expect(at(secret, "data", "password")).toBe("aHVudGVyMg==");
    });

    it("sends a change of a dependency along", async () => {
      await applyAll(plane.client, configMap("deps", "settings", { greeting: "good morning" }));

      await eventually(async () => {
        const copy = await plane.member("paris-1").client.get(ref("v1 ConfigMap", "deps", "settings"));
        expect(at(copy, "data", "greeting")).toBe("good morning");
      });
    });

    it("follows when the workload moves", async () => {
      await applyAll(
        plane.client,
        policy({ namespace: "deps", weights: { "paris-1": 1, "paris-2": 1 }, spec: { propagateDeps: true } }),
      );

      await eventually(async () => {
        expect(await whereIs("v1 Secret", "deps", "login")).toEqual(["paris-1", "paris-2"]);
        expect(await whereIs("v1 ConfigMap", "deps", "settings")).toEqual(["paris-1", "paris-2"]);
        expect(await whereIs("apps/v1 Deployment", "deps", "web")).toEqual(["paris-1", "paris-2"]);
      });
    });

    it("leaves them where they are when the control plane starts anew", async () => {
      const copy = ref("v1 ConfigMap", "deps", "settings");
      const before = (await plane.member("paris-1").client.get(copy)).metadata.uid;

      await plane.restart();

      await consistently(
        async () => {
          expect((await plane.member("paris-1").client.get(copy)).metadata.uid).toBe(before);
          const binding = await readBinding(plane, "deps", "settings-configmap");
          expect(binding.spec.requiredBy?.map(({ name }) => name)).toEqual(["web-deployment"]);
        },
        { forMs: 800 },
      );
      await applyAll(plane.client, configMap("deps", "settings", { greeting: "good evening" }));
      await eventually(async () => {
        expect(at(await plane.member("paris-1").client.get(copy), "data", "greeting")).toBe("good evening");
      });
    });

    it("attaches them again when somebody deletes their binding, or makes them anew", async () => {
      const referrers = async (): Promise<string[] | undefined> =>
        (await readBinding(plane, "deps", "settings-configmap")).spec.requiredBy?.map(({ name }) => name);
      const { uid } = (await readBinding(plane, "deps", "settings-configmap")).metadata;

      await plane.client.delete(ref("work.karmada.io/v1alpha2 ResourceBinding", "deps", "settings-configmap"));

      const second = await eventually(async () => {
        expect(await referrers()).toEqual(["web-deployment"]);
        const binding = await readBinding(plane, "deps", "settings-configmap");
        expect(binding.metadata.uid).not.toBe(uid);
        return binding;
      });
      await plane.client.delete(ref("v1 ConfigMap", "deps", "settings"));
      const made = await plane.client.create(configMap("deps", "settings", { greeting: "anew" }));
      await eventually(async () => {
        const binding = await readBinding(plane, "deps", "settings-configmap");
        expect(binding.metadata.uid).not.toBe(second.metadata.uid);
        expect(binding.spec.resource.uid).toBe(made.metadata.uid);
        expect(await referrers()).toEqual(["web-deployment"]);
        const copy = await plane.member("paris-1").client.get(ref("v1 ConfigMap", "deps", "settings"));
        expect(at(copy, "data", "greeting")).toBe("anew");
      });
    });

    it("takes away what is no longer referred to, and keeps the original", async () => {
      await applyAll(plane.client, deployment({ namespace: "deps", pod: referring.pod }));

      await eventually(async () => expect(await whereIs("v1 Secret", "deps", "login")).toEqual([]));
      expect(await whereIs("v1 ConfigMap", "deps", "settings")).toEqual(["paris-1", "paris-2"]);
      expect(await plane.client.find(ref("v1 Secret", "deps", "login"))).toBeDefined();
    });

    it("takes all of them away with the workload", async () => {
      await plane.client.delete(ref("apps/v1 Deployment", "deps", "web"));

      await eventually(async () => {
        expect(await whereIs("apps/v1 Deployment", "deps", "web")).toEqual([]);
        expect(await whereIs("v1 ConfigMap", "deps", "settings")).toEqual([]);
        expect(await worksOf(plane, "deps")).toEqual([]);
      });
    });
  });

  describe("namespaces", () => {
    it("go to every cluster, with their labels", async () => {
      await applyAll(plane.client, namespaceObject("labelled", { team: "shop" }));

      await eventually(async () => {
        for (const member of plane.members) {
          const copy = await member.client.get(ref("v1 Namespace", "", "labelled"));
          expect(copy.metadata.labels).toMatchObject({ team: "shop" });
        }
      });
    });

    it("stay at home when they say so, and when they belong to the control plane", async () => {
      await applyAll(
        plane.client,
        namespaceObject("private", { "namespace.karmada.io/skip-auto-propagation": "true" }),
        namespaceObject("kube-special"),
        namespaceObject("public"),
      );

      await eventually(async () => expect(await whereIs("v1 Namespace", "", "public")).toEqual(everywhere));
      for (const name of [
        "private",
        "kube-special",
        "karmada-system",
        "karmada-cluster",
        executionNamespace("tokyo-1"),
      ])
        expect(await whereIs("v1 Namespace", "", name)).toEqual([]);
    });
  });

  describe("namespaces later on", () => {
    it("keep their copies, and all that is in them, when they opt out", async () => {
      await applyAll(plane.client, namespaceObject("leaving"));
      await eventually(async () => expect(await whereIs("v1 Namespace", "", "leaving")).toEqual(everywhere));

      await applyAll(
        plane.client,
        namespaceObject("leaving", { "namespace.karmada.io/skip-auto-propagation": "True" }),
      );

      await consistently(async () => expect(await whereIs("v1 Namespace", "", "leaving")).toEqual(everywhere), {
        forMs: 500,
      });
      const copy = await plane.member("tokyo-1").client.get(ref("v1 Namespace", "", "leaving"));
      expect(copy.metadata.deletionTimestamp).toBeUndefined();
    });

    it("are customised by cluster-wide override policies that select them", async () => {
      await applyAll(plane.client, namespaceObject("customised"), {
        apiVersion: "policy.karmada.io/v1alpha1",
        kind: "ClusterOverridePolicy",
        metadata: { name: "place-of-namespaces" },
        spec: {
          resourceSelectors: [{ apiVersion: "v1", kind: "Namespace", name: "customised" }],
          overrideRules: [
            {
              targetCluster: { clusterNames: ["tokyo-1"] },
              overriders: { labelsOverrider: [{ operator: "add", value: { place: "tokyo" } }] },
            },
          ],
        },
      });

      await eventually(async () => {
        for (const member of plane.members) {
          const copy = await member.client.get(ref("v1 Namespace", "", "customised"));
          expect(copy.metadata.labels?.["place"]).toBe(member.name === "tokyo-1" ? "tokyo" : undefined);
        }
      });
    });

    it("come back in the members when somebody deletes their Work", async () => {
      await applyAll(plane.client, namespaceObject("wanted"));
      await eventually(async () => expect(await whereIs("v1 Namespace", "", "wanted")).toEqual(everywhere));
      const work = ref(
        "work.karmada.io/v1alpha1 Work",
        executionNamespace("tokyo-1"),
        workName("Namespace", "wanted", ""),
      );
      const { uid } = (await plane.client.get(work)).metadata;

      await plane.client.delete(work);

      await eventually(async () => {
        expect((await plane.client.get(work)).metadata.uid).not.toBe(uid);
        const copy = await plane.member("tokyo-1").client.get(ref("v1 Namespace", "", "wanted"));
        expect(copy.metadata.deletionTimestamp).toBeUndefined();
      });
    });

    // A bare kube-apiserver ends no namespace: that is its controller manager's work.
    it.skipIf(engine === "kubernetes")("go from the members when they are deleted", async () => {
      await plane.client.delete(ref("v1 Namespace", "", "wanted"));

      await eventually(async () => expect(await whereIs("v1 Namespace", "", "wanted")).toEqual([]));
    });
  });

  describe("policies and templates that go", () => {
    async function deploy(namespace: string, spec: Record<string, unknown> = {}): Promise<void> {
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, weights: EVEN_WEIGHTS, spec }),
        deployment({ namespace }),
      );
      await eventually(async () => {
        expect(at(await readDeployment(plane.client, namespace), "status")).toMatchObject({ readyReplicas: 6 });
      });
    }

    it("leaves what runs when its policy is deleted", async () => {
      await deploy("unpoliced");

      await plane.client.delete(ref("policy.karmada.io/v1alpha1 PropagationPolicy", "unpoliced", "everywhere"));

      await eventually(async () => {
        const template = await readDeployment(plane.client, "unpoliced");
        expect(template.metadata.labels).toEqual({ app: "web" });
        const gone = await plane.client.find(
          ref("policy.karmada.io/v1alpha1 PropagationPolicy", "unpoliced", "everywhere"),
        );
        expect(gone).toBeUndefined();
      });
      await consistently(
        async () =>
          expect(await orderedReplicas(plane, "unpoliced")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 }),
        { forMs: 400 },
      );
    });

    it("lets another policy take over where the old one left off", async () => {
      await applyAll(
        plane.client,
        policy({ namespace: "unpoliced", name: "second", weights: { "tokyo-1": 2, "paris-1": 1 } }),
      );

      await eventually(async () =>
        expect(await orderedReplicas(plane, "unpoliced")).toEqual({ "tokyo-1": 4, "paris-1": 2 }),
      );
    });

    it("removes the copies of a template that is deleted", async () => {
      await deploy("undeployed");

      await plane.client.delete(ref("apps/v1 Deployment", "undeployed", "web"));

      await eventually(async () => {
        expect(await orderedReplicas(plane, "undeployed")).toEqual({});
        expect(await worksOf(plane, "undeployed")).toEqual([]);
        const binding = ref("work.karmada.io/v1alpha2 ResourceBinding", "undeployed", "web-deployment");
        expect(await plane.client.find(binding)).toBeUndefined();
      });
    });

    it("removes the copies of a template that was deleted while no control plane ran", async () => {
      await deploy("orphaned");

      await plane.restart(async (store) => {
        await store.delete(ref("apps/v1 Deployment", "orphaned", "web"));
      });

      await eventually(async () => {
        expect(await orderedReplicas(plane, "orphaned")).toEqual({});
        expect(await worksOf(plane, "orphaned")).toEqual([]);
      });
    });

    it("keeps the copies, freed of its marks, when the policy asks for it", async () => {
      await deploy("preserved", { preserveResourcesOnDeletion: true });

      await plane.client.delete(ref("apps/v1 Deployment", "preserved", "web"));

      await eventually(async () => expect(await worksOf(plane, "preserved")).toEqual([]));
      expect(await orderedReplicas(plane, "preserved")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
      const copy = await readDeployment(plane.member("tokyo-1").client, "preserved");
      expect(copy.metadata.labels).toEqual({ app: "web" });
      // The member's own controller wrote the first. As Karmada: the other one stays.
      const annotations = Object.keys(copy.metadata.annotations ?? {}).sort();
      expect(annotations).toEqual(["deployment.kubernetes.io/revision", "work.karmada.io/conflict-resolution"]);
      expect(copy.metadata.managedFields?.map((entry) => entry.manager)).not.toContain("flaghoist");
    });

    it("sends nothing while dispatching is suspended, and catches up when it is lifted", async () => {
      await deploy("paused");
      const suspended = { suspension: { dispatching: true } };
      await applyAll(plane.client, policy({ namespace: "paused", weights: EVEN_WEIGHTS, spec: suspended }));
      await eventually(async () => {
        const works = await worksOf(plane, "paused");
        expect(works.map((work) => conditionOf(work, "Dispatching"))).toEqual(
          works.map(() => expect.objectContaining({ status: "False", reason: "SuspendDispatching" })),
        );
      });

      await applyAll(plane.client, deployment({ namespace: "paused", replicas: 9 }));
      await eventually(async () => {
        expect(targetsOf(await readBinding(plane, "paused", "web-deployment"))).toEqual({
          "tokyo-1": 3,
          "paris-1": 3,
          "paris-2": 3,
        });
      });
      await consistently(
        async () =>
          expect(await orderedReplicas(plane, "paused")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 }),
        { forMs: 400 },
      );

      await plane.client.apply(policy({ namespace: "paused", weights: EVEN_WEIGHTS }), {
        fieldManager: "e2e-user",
        force: true,
      });
      await eventually(async () => {
        expect(await orderedReplicas(plane, "paused")).toEqual({ "tokyo-1": 3, "paris-1": 3, "paris-2": 3 });
        for (const work of await worksOf(plane, "paused"))
          expect(conditionOf(work, "Dispatching")).toMatchObject({ status: "True", reason: "Dispatching" });
      });
    });
  });

  describe("objects that were there before", () => {
    const theirs = (): Promise<unknown> =>
      applyAll(
        plane.member("paris-1").client,
        namespaceObject("taken"),
        configMap("taken", "settings", { owner: "them" }),
      );

    it("are left alone, and the Work says so", async () => {
      await theirs();
      await applyAll(
        plane.client,
        namespaceObject("taken"),
        policy({ namespace: "taken", selectors: [CONFIG_MAPS] }),
        configMap("taken", "settings", { owner: "us" }),
      );

      await eventually(async () => {
        const works = await worksOf(plane, "taken");
        const refused = works.find((work) => work.metadata.namespace === executionNamespace("paris-1"));
        expect(refused === undefined ? undefined : conditionOf(refused, "Applied")).toMatchObject({
          status: "False",
          reason: "AppliedFailed",
          message:
            "Failed to apply all manifests (0/1): resource(kind=ConfigMap, taken/settings) already exists in the cluster paris-1 and the " +
            "work.karmada.io/conflict-resolution strategy value is empty, Karmada will not manage this resource",
        });
        expect(conditionOf(await readBinding(plane, "taken", "settings-configmap"), "FullyApplied")?.status).toBe(
          "False",
        );
      });
      const copy = (name: string) => plane.member(name).client.get(ref("v1 ConfigMap", "taken", "settings"));
      await eventually(async () => expect(at(await copy("tokyo-1"), "data", "owner")).toBe("us"));
      expect(at(await copy("paris-1"), "data", "owner")).toBe("them");
    });

    it("are not deleted with the template", async () => {
      await plane.client.delete(ref("v1 ConfigMap", "taken", "settings"));

      await eventually(async () => expect(await worksOf(plane, "taken")).toEqual([]));
      expect(await whereIs("v1 ConfigMap", "taken", "settings")).toEqual(["paris-1"]);
    });

    it("are taken over where the policy says Overwrite", async () => {
      await applyAll(
        plane.client,
        policy({ namespace: "taken", selectors: [CONFIG_MAPS], spec: { conflictResolution: "Overwrite" } }),
        configMap("taken", "settings", { owner: "us" }),
      );

      await eventually(async () => {
        const copy = await plane.member("paris-1").client.get(ref("v1 ConfigMap", "taken", "settings"));
        expect(at(copy, "data", "owner")).toBe("us");
        expect(copy.metadata.labels?.["karmada.io/managed"]).toBe("true");
      });
    });
  });

  describe("clusters that come and go", () => {
    it("gives up a cluster that is unregistered: its copies go, the others take over", async () => {
      const namespace = "leaving";
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({
          namespace,
          placement: { replicaScheduling: { replicaSchedulingType: "Divided", replicaDivisionPreference: "Weighted" } },
        }),
        deployment({ namespace }),
      );
      await eventually(async () => {
        expect(await orderedReplicas(plane, namespace)).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
      });

      await plane.client.delete(ref("cluster.karmada.io/v1alpha1 Cluster", "", "paris-2"));

      await eventually(async () => {
        expect(await orderedReplicas(plane, namespace)).toEqual({ "tokyo-1": 3, "paris-1": 3 });
        expect(await plane.client.find(ref("cluster.karmada.io/v1alpha1 Cluster", "", "paris-2"))).toBeUndefined();
      });
    });
  });
});
