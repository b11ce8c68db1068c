// What every write of a binding goes through, and what keeps any object from being deleted; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { KubeObject } from "../../kube/object.ts";
import { configMap, namespaceObject } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const NAMESPACE = "bindings";
const DEPENDENCIES = "resourcebinding.karmada.io/dependencies";
const PROTECTED = "resourcetemplate.karmada.io/deletion-protected";
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

function binding(kind: "ResourceBinding" | "ClusterResourceBinding", name: string, more: object = {}): KubeObject {
  const isCluster = kind === "ClusterResourceBinding";
  return {
    apiVersion: "work.karmada.io/v1alpha2",
    kind,
    metadata: { name, ...(isCluster ? {} : { namespace: NAMESPACE }), ...more },
    spec: {
      resource: isCluster
        ? { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", name }
        : { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name },
    },
  };
}

describe.each(engines())("admission of bindings, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: {},
      profile: { featureGates: featureGates({ MultiplePodTemplatesScheduling: true }) },
    });
    await applyAll(plane.client, namespaceObject(NAMESPACE));
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  it.each(["ResourceBinding", "ClusterResourceBinding"] as const)(
    "gives a %s an id, and keeps one that it has",
    async (kind) => {
      const label = `${kind.toLowerCase()}.karmada.io/permanent-id`;

      const created = await plane.client.create(binding(kind, "fresh"));
      const restored = await plane.client.create(binding(kind, "restored", { labels: { [label]: "from-a-backup" } }));

      expect(created.metadata.labels).toEqual({ [label]: UUID });
      expect(restored.metadata.labels).toEqual({ [label]: "from-a-backup" });
    },
  );

  it("takes dependencies only as a list of references", async () => {
    const written = binding("ResourceBinding", "dependent");
    const withText = (text: string): KubeObject => ({
      ...written,
      metadata: { ...written.metadata, annotations: { [DEPENDENCIES]: text } },
    });

    await expect(plane.client.create(withText('{"kind":"Secret"}'))).rejects.toThrow(
      `metadata.annotations.${DEPENDENCIES}: Invalid value`,
    );
    const created = await plane.client.create(withText('[{"apiVersion":"v1","kind":"Secret","name":"login"}]'));
    expect(created.metadata.annotations).toHaveProperty([DEPENDENCIES]);
  });

  it("refuses components that share a name or have none", async () => {
    const written = binding("ResourceBinding", "parts");
    const components = [
      { name: "a", replicas: 1 },
      { name: "a", replicas: 1 },
      { name: "", replicas: 1 },
    ];

    const refused = plane.client.create({ ...written, spec: { ...(written["spec"] as object), components } });

    await expect(refused).rejects.toThrow(
      /spec\.components\[1\]\.name: Invalid value: "a".*spec\.components\[2\]\.name/,
    );
  });

  it("protects what is marked, of any kind, until the mark is gone", async () => {
    const label = { [PROTECTED]: "Always" };
    const kept = configMap(NAMESPACE, "kept");
    await applyAll(
      plane.client,
      { ...kept, metadata: { ...kept.metadata, labels: label } },
      namespaceObject("kept", label),
      {
        ...configMap(NAMESPACE, "free"),
        metadata: { name: "free", namespace: NAMESPACE, labels: { [PROTECTED]: "Never" } },
      },
    );

    for (const target of [
      ref("v1 ConfigMap", NAMESPACE, "kept"),
      { apiVersion: "v1", kind: "Namespace", name: "kept" },
    ]) {
      await expect(plane.client.delete(target)).rejects.toThrow(PROTECTED);
      await plane.client.patch(target, { metadata: { labels: { [PROTECTED]: null } } }, "merge");
      expect(await plane.client.delete(target)).toBe(true);
    }
    expect(await plane.client.delete(ref("v1 ConfigMap", NAMESPACE, "free"))).toBe(true);
  });
});
