// Karmada's admission on an API server that is not ours: it asks this process, by webhooks.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { type Plane, startPlane } from "./support/plane.ts";
import { findKubeAssets } from "./support/real-api-server.ts";

const CONFIGURATIONS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const API_VERSION = "admissionregistration.k8s.io/v1";

function policy(name: string, spec: object): KubeObject {
  const resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment" }];
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name, namespace: "default" },
    spec: { resourceSelectors, ...spec },
  };
}

describe.runIf(findKubeAssets() !== undefined)("admission on a real kube-apiserver", () => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine: "kubernetes", members: {} });
  }, 120_000);
  afterAll(async () => {
    await plane?.close();
  });

  it("completes what is written", async () => {
    const created = await plane.client.create(policy("web", {}));

    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(created.metadata.labels).toEqual({ "propagationpolicy.karmada.io/permanent-id": id });
    expect(created["spec"]).toMatchObject({ priority: 0, schedulerName: "default-scheduler" });
  });

  it("refuses what cannot be meant, and names the field", async () => {
    const bad = policy("bad", { placement: { spreadConstraints: [{ minGroups: 3, maxGroups: 1 }] } });

    await expect(plane.client.create(bad)).rejects.toThrow(
      /admission webhook "propagationpolicy.karmada.io" denied the request: \[?spec\.placement\.spreadConstraints/,
    );
  });

  it("refuses what has another shape in the words of the schema", async () => {
    await expect(plane.client.create(policy("bad", { resourceSelectors: "x" }))).rejects.toThrow(
      /spec\.resourceSelectors/,
    );
  });

  it("protects what is marked, of any kind", async () => {
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: "default", name: "kept" };
    const labels = { "resourcetemplate.karmada.io/deletion-protected": "Always" };
    await plane.client.create({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kept", namespace: "default", labels },
    });

    await expect(plane.client.delete(ref)).rejects.toThrow(/resourcedeletionprotection.karmada.io.* protected/);
  });

  it("asks nobody while the control plane is stopped, and the next one again", async () => {
    await plane.restart(async (store) => {
      for (const kind of CONFIGURATIONS) {
        expect((await store.list(API_VERSION, kind)).items).toEqual([]);
      }
      await store.create(policy("unasked", {}));
    });

    const bad = policy("bad", { placement: { spreadConstraints: [{ minGroups: 3, maxGroups: 1 }] } });
    await expect(plane.client.create(bad)).rejects.toThrow(/denied the request/);
  });

  it("leaves webhooks alone that somebody else registered under these names", async () => {
    const others: KubeObject = {
      apiVersion: API_VERSION,
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "validating-config" },
      webhooks: [],
    };
    await plane.restart(async (store) => {
      await store.create(others);
    });

    const ref = { apiVersion: API_VERSION, kind: "ValidatingWebhookConfiguration", name: "validating-config" };
    expect((await plane.client.get(ref))["webhooks"] ?? []).toEqual([]);
    await plane.client.delete(ref);
  });
});
