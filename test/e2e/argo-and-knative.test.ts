// Products that Karmada knows nothing of: Argo Rollouts, Argo CD and Knative, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { customResourceHealth } from "../health/argocd-third-party.ts";
import { writeMemberStatus } from "./support/custom-resources.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, readBinding } from "./support/reading.ts";

const ROLLOUT = "argoproj.io/v1alpha1 Rollout";
const APPLICATION = "argoproj.io/v1alpha1 Application";
const SERVICE = "serving.knative.dev/v1 Service";

type Fields = Readonly<Record<string, unknown>>;

describe.each(engines())("Argo and Knative, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    await defineEverywhere(plane, [ROLLOUT, APPLICATION, SERVICE]);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function deploy(
    kind: string,
    namespace: string,
    spec: Fields,
    placing: { readonly clusters?: readonly string[]; readonly weights?: Readonly<Record<string, number>> },
  ): Promise<void> {
    const { apiVersion, kind: name } = ref(kind, namespace, "sample");
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, selectors: [{ apiVersion, kind: name }], ...placing }),
      { apiVersion, kind: name, metadata: { name: "sample", namespace }, spec },
    );
  }

  function template(kind: string, namespace: string): Promise<KubeObject> {
    return plane.client.get(ref(kind, namespace, "sample"));
  }

  it("a Rollout is divided, and is to Argo CD what the clusters say of it", async () => {
    const container = { name: "main", image: "app", resources: { requests: { cpu: "100m" } } };
    await deploy(
      ROLLOUT,
      "rollouts",
      { replicas: 6, strategy: { canary: {} }, template: { spec: { containers: [container] } } },
      { weights: EVEN_WEIGHTS },
    );
    const copy = ref(ROLLOUT, "rollouts", "sample");
    const report = (member: string, phase: string): Promise<void> =>
      writeMemberStatus(plane, member, copy, (generation) => ({
        observedGeneration: String(generation),
        phase,
        replicas: 2,
        updatedReplicas: 2,
        availableReplicas: 2,
      }));
    for (const { name, client } of plane.members) {
      await eventually(async () => expect(at(await client.get(copy), "spec", "replicas")).toBe(2));
      await report(name, "Healthy");
    }
    await eventually(async () => {
      const object = await template(ROLLOUT, "rollouts");
      expect(customResourceHealth(object)).toBe("Healthy");
      expect(object["status"]).toMatchObject({ replicas: 6, availableReplicas: 6 });
    });
    const binding = await readBinding(plane, "rollouts", "sample-rollout");
    expect(binding.spec.replicaRequirements).toEqual({ resourceRequest: { cpu: "100m" } });

    await report("paris-1", "Paused");
    await eventually(async () => expect(customResourceHealth(await template(ROLLOUT, "rollouts"))).toBe("Suspended"));
    await report("paris-2", "Degraded");
    await eventually(async () => expect(customResourceHealth(await template(ROLLOUT, "rollouts"))).toBe("Degraded"));
  });

  it("an Application keeps what the member's Argo CD writes in it, and comes to rest", async () => {
    const source = { repoURL: "https://git.example.com/shop", path: "web" };
    await deploy(APPLICATION, "argocd", { project: "default", source }, { clusters: ["paris-1", "paris-2"] });
    const copy = ref(APPLICATION, "argocd", "sample");
    const status = { health: { status: "Healthy" }, sync: { status: "Synced", revision: "abc" } };
    for (const member of ["paris-1", "paris-2"]) {
      await writeMemberStatus(plane, member, copy, () => ({ ...status, reconciledAt: "2025-01-01T00:00:00Z" }));
    }
    await eventually(async () => {
      const object = await template(APPLICATION, "argocd");
      expect(customResourceHealth(object)).toBe("Healthy");
      expect(object["status"]).toEqual(status);
      expect(object["spec"]).toEqual({ project: "default", source });
    });

    const paris = plane.member("paris-1").client;
    await paris.patch(copy, { operation: { sync: { revision: "abc" } } }, "merge");
    const changed = { project: "default", source: { ...source, path: "api" } };
    await plane.client.patch(copy, { spec: changed }, "merge");
    await eventually(async () => {
      const object = await paris.get(copy);
      expect(object["spec"]).toEqual(changed);
      expect(object["operation"]).toEqual({ sync: { revision: "abc" } });
      expect(object["status"]).toMatchObject(status);
    });

    // Every write of a template without a status subresource makes a new generation of it, with new copies: what does
    // not matter must not be written, or it would never end.
    await eventually(async () => {
      const { generation } = (await template(APPLICATION, "argocd")).metadata;
      for (const member of ["paris-1", "paris-2"]) {
        const { annotations } = (await plane.member(member).client.get(copy)).metadata;
        expect(annotations?.["resourcetemplate.karmada.io/generation"]).toBe(String(generation));
      }
    });
    const { generation = 0 } = (await template(APPLICATION, "argocd")).metadata;
    await writeMemberStatus(plane, "paris-1", copy, () => ({ ...status, reconciledAt: "2025-01-02T00:00:00Z" }));
    const degraded = { ...status, health: { status: "Degraded" } };
    await writeMemberStatus(plane, "paris-2", copy, () => degraded);
    await eventually(async () => expect(customResourceHealth(await template(APPLICATION, "argocd"))).toBe("Degraded"));
    expect((await template(APPLICATION, "argocd")).metadata.generation).toBe(generation + 1);
  });

  it("a Knative Service is healthy to Argo CD when it is ready in every cluster", async () => {
    await deploy(SERVICE, "knative", { template: { spec: {} } }, { clusters: ["paris-1", "tokyo-1"] });
    const copy = ref(SERVICE, "knative", "sample");
    const conditions = (status: string): readonly Fields[] =>
      ["Ready", "ConfigurationsReady", "RoutesReady"].map((type) => ({ type, status, reason: "Said" }));
    await writeMemberStatus(plane, "paris-1", copy, (observedGeneration) => ({
      observedGeneration,
      conditions: conditions("True"),
    }));
    await eventually(async () => {
      const object = await template(SERVICE, "knative");
      expect(at(object, "status", "conditions")).toContainEqual(
        expect.objectContaining({ type: "Ready", status: "Unknown", message: "tokyo-1: nothing reported yet" }),
      );
      expect(customResourceHealth(object)).toBe("Progressing");
    });

    await writeMemberStatus(plane, "tokyo-1", copy, (observedGeneration) => ({
      observedGeneration,
      conditions: conditions("True"),
    }));
    await eventually(async () => {
      const object = await template(SERVICE, "knative");
      expect(customResourceHealth(object)).toBe("Healthy");
      expect(at(object, "status", "observedGeneration")).toBe(object.metadata.generation);
    });
  });
});
