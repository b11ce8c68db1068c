// Policies that take objects from others, with the gate on and off; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { Informer } from "../../kube/client/informer.ts";
import type { KubeObject } from "../../kube/object.ts";
import { readClaim } from "../../reconciler/policies/claim.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { eventReasons, targetsOf } from "./support/reading.ts";

const SETTINGS = { apiVersion: "v1", kind: "ConfigMap", name: "settings" };

interface Wish {
  readonly priority?: number;
  readonly preemption?: "Always" | "Never";
  readonly selector?: Record<string, unknown>;
  readonly clusters?: readonly string[];
}

function own(
  namespace: string,
  name: string,
  { priority, preemption, selector = SETTINGS, clusters }: Wish,
): KubeObject {
  return policy({
    namespace,
    name,
    selectors: [selector],
    ...(clusters === undefined ? {} : { clusters }),
    spec: {
      ...(priority === undefined ? {} : { priority }),
      ...(preemption === undefined ? {} : { preemption }),
    },
  });
}

function clusterWide(namespace: string, name: string, wish: Wish): KubeObject {
  const made = own(namespace, name, { ...wish, selector: { ...SETTINGS, namespace, ...wish.selector } });
  return { ...made, kind: "ClusterPropagationPolicy", metadata: { name } };
}

describe.each(engines())("preemption, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { featureGates: featureGates({ PropagationPolicyPreemption: true }) },
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function ownerOf(namespace: string): Promise<string | undefined> {
    return readClaim((await plane.client.get(ref("v1 ConfigMap", namespace, "settings"))).metadata)?.name;
  }

  async function begin(namespace: string, ...policies: readonly KubeObject[]): Promise<void> {
    await applyAll(plane.client, namespaceObject(namespace), ...policies, configMap(namespace, "settings"));
  }

  it("takes an object from a policy of lower priority, and moves it", async () => {
    await begin("higher", own("higher", "low", { priority: 1, clusters: ["tokyo-1"] }));
    await eventually(async () => expect(await ownerOf("higher")).toBe("low"));

    await applyAll(plane.client, own("higher", "high", { priority: 2, preemption: "Always", clusters: ["paris-1"] }));

    await eventually(async () => {
      expect(await ownerOf("higher")).toBe("high");
      const binding = await plane.client.get<ResourceBinding>(
        ref("work.karmada.io/v1alpha2 ResourceBinding", "higher", "settings-configmap"),
      );
      expect(Object.keys(targetsOf(binding))).toEqual(["paris-1"]);
      expect(readClaim(binding.metadata)?.name).toBe("high");
      expect(await eventReasons(plane, "higher", "ConfigMap", "settings")).toContain("PreemptPolicySucceed");
    });
  });

  it("leaves an object with a policy of the same priority, however much closer it selects", async () => {
    const { name: _name, ...everyConfigMap } = SETTINGS;
    await begin("same", own("same", "first", { priority: 3, selector: everyConfigMap }));
    await eventually(async () => expect(await ownerOf("same")).toBe("first"));

    await applyAll(plane.client, own("same", "second", { priority: 3, preemption: "Always" }));

    await consistently(async () => expect(await ownerOf("same")).toBe("first"), { forMs: 500 });
  });

  it("takes from every cluster-wide policy, whatever the priorities", async () => {
    await begin("scoped", clusterWide("scoped", "scoped-wide", { priority: 100 }));
    await eventually(async () => expect(await ownerOf("scoped")).toBe("scoped-wide"));

    await applyAll(plane.client, own("scoped", "own", { preemption: "Always" }));

    await eventually(async () => {
      expect(await ownerOf("scoped")).toBe("own");
      const { labels, annotations } = (await plane.client.get(ref("v1 ConfigMap", "scoped", "settings"))).metadata;
      expect(labels).not.toHaveProperty(["clusterpropagationpolicy.karmada.io/permanent-id"]);
      expect(annotations).not.toHaveProperty(["clusterpropagationpolicy.karmada.io/name"]);
    });
  });

  it("takes for a cluster-wide policy from another one, but never from one of the namespace", async () => {
    await begin("wide", clusterWide("wide", "wide-low", { priority: 1 }));
    await begin("held", own("held", "own", {}));
    await eventually(async () => {
      expect(await ownerOf("wide")).toBe("wide-low");
      expect(await ownerOf("held")).toBe("own");
    });

    await applyAll(
      plane.client,
      clusterWide("wide", "wide-high", { priority: 2, preemption: "Always" }),
      clusterWide("held", "held-high", { priority: 99, preemption: "Always" }),
    );

    await eventually(async () => expect(await ownerOf("wide")).toBe("wide-high"));
    await consistently(async () => expect(await ownerOf("held")).toBe("own"), { forMs: 300 });
  });

  it("lets those in between contend when a priority goes down, the highest once and for all", async () => {
    await begin("lowered", own("lowered", "owner", { priority: 5 }));
    await eventually(async () => expect(await ownerOf("lowered")).toBe("owner"));
    await applyAll(
      plane.client,
      own("lowered", "p2", { priority: 2, preemption: "Always" }),
      own("lowered", "p4", { priority: 4, preemption: "Always" }),
      own("lowered", "p3", { priority: 3, preemption: "Always" }),
      own("lowered", "p4-never", { priority: 4, preemption: "Never" }),
    );
    await consistently(async () => expect(await ownerOf("lowered")).toBe("owner"), { forMs: 300 });
    const owners: (string | undefined)[] = [];
    const informer = new Informer({
      client: plane.client,
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: "lowered",
      clock: systemClock,
      logger: silentLogger,
    });
    informer.subscribe(({ object }) => {
      if (object.metadata.name === "settings") owners.push(readClaim(object.metadata)?.name);
    });
    informer.start();
    await informer.synced();

    await applyAll(plane.client, own("lowered", "owner", { priority: 1 }));

    await eventually(() => expect(owners.at(-1)).toBe("p4"));
    await consistently(() => expect(new Set(owners)).toEqual(new Set(["owner", "p4"])), { forMs: 400 });
    await informer.stop();
  });
});

describe.each(engines())("gates that are off, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    const gates = featureGates({ PropagateDeps: false, PriorityBasedScheduling: false });
    plane = await startPlane({ engine, members: { "tokyo-1": {} }, profile: { featureGates: gates } });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("PropagateDeps: nothing goes along with a workload", async () => {
    const namespace = "alone";
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      configMap(namespace, "settings"),
      policy({ namespace, spec: { propagateDeps: true } }),
      deployment({ namespace, pod: { volumes: [{ name: "settings", configMap: { name: "settings" } }] } }),
    );

    await eventually(async () => {
      const copy = await plane.member("tokyo-1").client.find(ref("apps/v1 Deployment", namespace, "web"));
      expect(copy).toBeDefined();
    });
    await consistently(
      async () => {
        const binding = ref("work.karmada.io/v1alpha2 ResourceBinding", namespace, "settings-configmap");
        expect(await plane.client.find(binding)).toBeUndefined();
      },
      { forMs: 300 },
    );
  });

  it("PriorityBasedScheduling: a priority is not looked at, and the policy's author is told", async () => {
    const schedulePriority = { priorityClassSource: "KubePriorityClass", priorityClassName: "nowhere" };
    await applyAll(
      plane.client,
      namespaceObject("even"),
      policy({ namespace: "even", name: "urgent", selectors: [SETTINGS], spec: { schedulePriority } }),
      configMap("even", "settings"),
    );

    await eventually(async () => {
      const binding = ref("work.karmada.io/v1alpha2 ResourceBinding", "even", "settings-configmap");
      expect((await plane.client.get<ResourceBinding>(binding)).spec).not.toHaveProperty("schedulePriority");
      expect(await eventReasons(plane, "even", "PropagationPolicy", "urgent")).toContain("PriorityDisabled");
    });
  });

  it("PropagationPolicyPreemption: objects stay where they are, and the policy's author is told", async () => {
    await applyAll(
      plane.client,
      namespaceObject("off"),
      own("off", "low", { priority: 1 }),
      configMap("off", "settings"),
    );
    const settings = ref("v1 ConfigMap", "off", "settings");
    await eventually(async () => expect(readClaim((await plane.client.get(settings)).metadata)?.name).toBe("low"));

    await applyAll(plane.client, own("off", "high", { priority: 2, preemption: "Always" }));

    await eventually(async () => {
      expect(await eventReasons(plane, "off", "PropagationPolicy", "high")).toContain("PreemptionDisabled");
    });
    expect(readClaim((await plane.client.get(settings)).metadata)?.name).toBe("low");
  });
});
