// What happens when others change what was deployed, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { consistently, eventually } from "./support/eventually.ts";
import { configMap, deployment, EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, orderedReplicas, readBinding, readDeployment, worksOf } from "./support/reading.ts";

describe.each(engines())("drift, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** Two replicas of `web` in each cluster, all reported back. */
  async function deploy(namespace: string, annotations: Record<string, string> = {}): Promise<void> {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, weights: EVEN_WEIGHTS }),
      deployment({ namespace, annotations }),
    );
    await eventually(async () => {
      const status = at(await readDeployment(plane.client, namespace), "status");
      expect(status).toMatchObject({ readyReplicas: 6 });
    });
  }

  function findingsOf(
    namespace: string,
  ): { path: string; wanted: unknown; found: unknown; manager?: string | undefined }[] {
    return plane.control.manager.journal
      .all()
      .filter((finding) => finding.object.namespace === namespace)
      .flatMap((finding) =>
        finding.fields.map(({ path, wanted, found, manager }) => ({ path, wanted, found, manager })),
      );
  }

  it("undoes a change in a member, and names field, values and who made it", async () => {
    await deploy("scaled");

    await plane
      .member("paris-2")
      .client.patch(ref("apps/v1 Deployment", "scaled", "web"), { spec: { replicas: 5 } }, "merge", {
        fieldManager: "kubectl-scale",
      });

    await eventually(() => {
      expect(findingsOf("scaled")).toContainEqual({
        path: "spec.replicas",
        wanted: 2,
        found: 5,
        manager: "kubectl-scale",
      });
    });
    await eventually(async () => {
      expect(await orderedReplicas(plane, "scaled")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    });
  });

  it("undoes changes deep in an object, of labels, and removed fields", async () => {
    await deploy("deep");
    const { client } = plane.member("tokyo-1");
    const web = ref("apps/v1 Deployment", "deep", "web");

    const image = [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/web:evil" },
    ];
    await client.patch(web, image, "json", { fieldManager: "kubectl-edit" });
    await eventually(async () => {
      const containers = at(await client.get(web), "spec", "template", "spec", "containers");
      expect(at(containers, 0, "image")).toBe("registry.example/web:1");
    });
    await client.patch(web, { metadata: { labels: { app: null } } }, "merge", { fieldManager: "kubectl-label" });

    await eventually(async () => expect((await client.get(web)).metadata.labels?.["app"]).toBe("web"));
    expect(findingsOf("deep").map((finding) => finding.path)).toEqual([
      "spec.template.spec.containers[name=web].image",
      "metadata.labels.app",
    ]);
  });

  it("leaves alone what it never set", async () => {
    await deploy("theirs");
    const { client } = plane.member("tokyo-1");
    const web = ref("apps/v1 Deployment", "theirs", "web");

    await client.patch(web, { metadata: { annotations: { "team.example/note": "ours" } } }, "merge");

    await consistently(
      async () => expect((await client.get(web)).metadata.annotations?.["team.example/note"]).toBe("ours"),
      { forMs: 400 },
    );
    expect(findingsOf("theirs")).toEqual([]);
  });

  it("makes anew what was deleted in a member", async () => {
    await deploy("deleted");
    const { client } = plane.member("paris-1");
    const web = ref("apps/v1 Deployment", "deleted", "web");
    const before = await client.get(web);

    await client.delete(web);

    await eventually(async () => {
      const after = await client.find(web);
      expect(after?.metadata.uid).toBeDefined();
      expect(after?.metadata.uid).not.toBe(before.metadata.uid);
      expect(at(after, "status")).toMatchObject({ readyReplicas: 2 });
    });
    expect(findingsOf("deleted")).toContainEqual({
      path: "(whole object)",
      wanted: "present",
      found: undefined,
      manager: undefined,
    });
  });

  it("makes anew what was deleted in every member at once", async () => {
    await deploy("purged");

    for (const member of plane.members) await member.client.delete(ref("apps/v1 Deployment", "purged", "web"));

    await eventually(async () => {
      expect(await orderedReplicas(plane, "purged")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
    });
  });

  it("only tells of a change where the drift mode is report, until the template changes", async () => {
    await deploy("reported", { "gitops.flaghoist.io/drift": "report" });
    const { client } = plane.member("paris-2");
    const web = ref("apps/v1 Deployment", "reported", "web");

    await client.patch(web, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(() => {
      expect(findingsOf("reported")).toContainEqual({
        path: "spec.replicas",
        wanted: 2,
        found: 5,
        manager: "kubectl-scale",
      });
    });
    await consistently(async () => expect(at(await client.get(web), "spec", "replicas")).toBe(5), { forMs: 500 });

    await applyAll(
      plane.client,
      deployment({
        namespace: "reported",
        image: "registry.example/web:2",
        annotations: { "gitops.flaghoist.io/drift": "report" },
      }),
    );
    await eventually(async () => {
      expect(at(await client.get(web), "spec", "template", "spec", "containers", 0, "image")).toBe(
        "registry.example/web:2",
      );
    });
  });

  it("neither undoes nor tells of a change where the drift mode is pause", async () => {
    await deploy("paused", { "gitops.flaghoist.io/drift": "pause" });
    const { client } = plane.member("paris-2");
    const web = ref("apps/v1 Deployment", "paused", "web");

    await client.patch(web, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });

    await consistently(
      async () => {
        expect(at(await client.get(web), "spec", "replicas")).toBe(5);
        expect(findingsOf("paused")).toEqual([]);
      },
      { forMs: 500 },
    );
  });

  it("undoes changes that were made while no control plane ran", async () => {
    await deploy("meanwhile");
    await applyAll(
      plane.client,
      configMap("meanwhile", "settings", { a: "1" }),
      policy({
        namespace: "meanwhile",
        name: "settings",
        selectors: [{ apiVersion: "v1", kind: "ConfigMap" }],
      }),
    );
    const { client } = plane.member("paris-1");
    const settings = ref("v1 ConfigMap", "meanwhile", "settings");
    await eventually(async () => expect(await client.find(settings)).toBeDefined());

    await plane.restart(async () => {
      await client.patch(ref("apps/v1 Deployment", "meanwhile", "web"), { spec: { replicas: 9 } }, "merge", {
        fieldManager: "kubectl-scale",
      });
      await client.delete(settings);
    });

    await eventually(async () => {
      expect(await orderedReplicas(plane, "meanwhile")).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });
      expect(await client.find(settings)).toBeDefined();
    });
    expect(findingsOf("meanwhile")).toEqual([{ path: "spec.replicas", wanted: 2, found: 9, manager: "kubectl-scale" }]);
  });

  it("goes on only telling after a restart, and still brings what is new", async () => {
    const annotations = { "gitops.flaghoist.io/drift": "report" };
    await deploy("lasting", annotations);
    const { client } = plane.member("paris-1");
    const web = ref("apps/v1 Deployment", "lasting", "web");
    /** What stands, as the Work of the copy in paris-1 keeps it. */
    const kept = async (): Promise<unknown> => {
      const works = await worksOf(plane, "lasting");
      const texts = works.map((work) => work.metadata.annotations?.["gitops.flaghoist.io/drift-findings"]);
      expect(works.map((work) => conditionOf(work, "Drifted")?.status).sort()).toEqual(
        texts.map((text) => (text === undefined ? undefined : "True")).sort(),
      );
      return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text)]));
    };
    await client.patch(web, { spec: { replicas: 8 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(async () => {
      expect(await kept()).toMatchObject([{ fields: [{ path: "spec.replicas", wanted: "2", found: "8" }] }]);
    });
    const before = await kept();
    const since = at(before, 0, "fields", 0, "since");

    await plane.restart(async () => {
      await client.patch(web, { spec: { replicas: 9 } }, "merge", { fieldManager: "kubectl-scale" });
    });
    await eventually(async () => {
      expect(await kept()).toMatchObject([{ fields: [{ path: "spec.replicas", wanted: "2", found: "9", since }] }]);
    });
    await eventually(() => {
      expect(findingsOf("lasting")).toEqual([{ path: "spec.replicas", wanted: 2, found: 9, manager: "kubectl-scale" }]);
    });
    await consistently(async () => expect(at(await client.get(web), "spec", "replicas")).toBe(9), { forMs: 500 });

    await applyAll(plane.client, deployment({ namespace: "lasting", image: "registry.example/web:2", annotations }));
    await eventually(async () => {
      const containers = at(await client.get(web), "spec", "template", "spec", "containers");
      expect(at(containers, 0, "image")).toBe("registry.example/web:2");
    });
    expect(at(await client.get(web), "spec", "replicas")).toBe(9);

    await client.patch(web, { spec: { replicas: 2 } }, "merge", { fieldManager: "kubectl-scale" });
    await eventually(async () => expect(await kept()).toEqual([]));
  });

  it("keeps what others may decide: replicas under a scaler in the member", async () => {
    await deploy("autoscaled", {});
    const template = await readDeployment(plane.client, "autoscaled");
    await applyAll(plane.client, {
      ...deployment({ namespace: "autoscaled", labels: { "resourcetemplate.karmada.io/retain-replicas": "true" } }),
    });
    const { client } = plane.member("tokyo-1");
    const web = ref("apps/v1 Deployment", "autoscaled", "web");
    await eventually(async () => {
      expect((await client.get(web)).metadata.labels?.["resourcetemplate.karmada.io/retain-replicas"]).toBe("true");
    });

    await client.patch(web, { spec: { replicas: 4 } }, "merge", { fieldManager: "horizontal-pod-autoscaler" });

    await consistently(async () => expect(at(await client.get(web), "spec", "replicas")).toBe(4), { forMs: 400 });
    expect(at(await readDeployment(plane.client, "autoscaled"), "spec", "replicas")).toBe(
      at(template, "spec", "replicas"),
    );
  });

  it("gives up the replicas that an autoscaler in the member decides, without a jump, and takes them back after it", async () => {
    await deploy("scalers");
    const { client } = plane.member("tokyo-1");
    const web = ref("apps/v1 Deployment", "scalers", "web");
    const scaler: KubeObject = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "web", namespace: "scalers" },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 4,
        maxReplicas: 6,
      },
    };

    await client.create(scaler);
    await eventually(async () => {
      const target = { group: "apps", kind: "Deployment", namespace: "scalers", name: "web" };
      expect(await plane.control.fleet.get("tokyo-1")?.member.scalers.scalerOf(target)).toBeDefined();
    });
    await client.patch(web, { spec: { replicas: 4 } }, "merge", {
      fieldManager: "kube-controller-manager",
      subresource: "scale",
    });
    await applyAll(plane.client, deployment({ namespace: "scalers", image: "registry.example/web:2" }));
    await eventually(async () => {
      const containers = at(await client.get(web), "spec", "template", "spec", "containers");
      expect(at(containers, 0, "image")).toBe("registry.example/web:2");
    });

    expect(at(await client.get(web), "spec", "replicas")).toBe(4);
    expect(findingsOf("scalers")).toEqual([]);
    await client.delete(ref("autoscaling/v2 HorizontalPodAutoscaler", "scalers", "web"));
    await eventually(async () => expect(at(await client.get(web), "spec", "replicas")).toBe(2));
  });

  it("neither tells of nor undoes what the template's annotation leaves to others", async () => {
    const annotations = { "gitops.flaghoist.io/ignore-differences": "- jsonPointers: [/spec/replicas]" };
    await deploy("ignored", annotations);
    const { client } = plane.member("tokyo-1");
    const web = ref("apps/v1 Deployment", "ignored", "web");

    await client.patch(web, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });
    await applyAll(plane.client, deployment({ namespace: "ignored", image: "registry.example/web:2", annotations }));
    await eventually(async () => {
      const containers = at(await client.get(web), "spec", "template", "spec", "containers");
      expect(at(containers, 0, "image")).toBe("registry.example/web:2");
    });

    expect(at(await client.get(web), "spec", "replicas")).toBe(5);
    expect(findingsOf("ignored")).toEqual([]);
  });

  it("keeps the conditions of Works and bindings true all the while", async () => {
    for (const namespace of ["scaled", "deep", "deleted"]) {
      await eventually(async () => {
        expect(conditionOf(await readBinding(plane, namespace, "web-deployment"), "FullyApplied")?.status).toBe("True");
        for (const work of await worksOf(plane, namespace)) expect(conditionOf(work, "Applied")?.status).toBe("True");
      });
    }
  });
});
