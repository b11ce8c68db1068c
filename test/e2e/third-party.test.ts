// Custom resources of well-known products: sent to members, divided, and told from what members say; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { KubeObject } from "../../kube/object.ts";
import { bindingHealth } from "../health/argocd-karmada.ts";
import { customResourceHealth } from "../health/argocd-third-party.ts";
import { kstatus } from "../health/kstatus.ts";
import { writeMemberStatus } from "./support/custom-resources.ts";
import { defineEverywhere, definitionOf } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readBinding, targetsOf } from "./support/reading.ts";

const VOLCANO_JOB = "batch.volcano.sh/v1alpha1 Job";
const FLINK = "flink.apache.org/v1beta1 FlinkDeployment";
const RAY_JOB = "ray.io/v1 RayJob";
const KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1 Kustomization";
const CLONE_SET = "apps.kruise.io/v1alpha1 CloneSet";
const LEADER_WORKERS = "leaderworkerset.x-k8s.io/v1 LeaderWorkerSet";
const KINDS = [VOLCANO_JOB, FLINK, RAY_JOB, KUSTOMIZATION, CLONE_SET, LEADER_WORKERS];

type Fields = Readonly<Record<string, unknown>>;

function custom(kind: string, namespace: string, spec: Fields): KubeObject {
  const { apiVersion, kind: name } = ref(kind, namespace, "sample");
  return { apiVersion, kind: name, metadata: { name: "sample", namespace }, spec };
}

function pods(cpu: string): Fields {
  return { spec: { containers: [{ name: "main", image: "app", resources: { requests: { cpu } } }] } };
}

describe.each(engines())("custom resources of products, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { featureGates: featureGates({ MultiplePodTemplatesScheduling: true }) },
    });
    await defineEverywhere(plane, KINDS);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** Applies a template and a policy for its kind. */
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
      custom(kind, namespace, spec),
    );
  }

  function template(kind: string, namespace: string): Promise<KubeObject> {
    return plane.client.get(ref(kind, namespace, "sample"));
  }

  it("a Volcano Job reaches its cluster as components, and comes back with its status", async () => {
    const tasks = [
      { name: "ps", minAvailable: 1, replicas: 2, template: pods("100m") },
      { name: "worker", minAvailable: 3, replicas: 3, template: pods("1") },
    ];
    await deploy(VOLCANO_JOB, "volcano", { tasks }, { clusters: ["paris-1"] });

    await eventually(async () => {
      const binding = await readBinding(plane, "volcano", "sample-job");
      expect(binding.spec.components).toEqual([
        { name: "ps", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "100m" } } },
        { name: "worker", replicas: 3, replicaRequirements: { resourceRequest: { cpu: "1" } } },
      ]);
      expect(Object.keys(targetsOf(binding))).toEqual(["paris-1"]);
    });
    const status = { state: { phase: "Running" }, running: 4, minAvailable: 4 };
    await writeMemberStatus(plane, "paris-1", ref(VOLCANO_JOB, "volcano", "sample"), () => status);

    await eventually(async () => expect((await template(VOLCANO_JOB, "volcano"))["status"]).toEqual(status));
    const binding = await readBinding(plane, "volcano", "sample-job");
    expect(binding.status?.aggregatedStatus).toMatchObject([{ clusterName: "paris-1", health: "Healthy" }]);
    expect(bindingHealth(binding).status).toBe("Healthy");
  });

  it("a FlinkDeployment is healthy to Argo CD once its operator has deployed it", async () => {
    const resource = { cpu: 1, memory: "1Gi" };
    const spec = { jobManager: { resource }, taskManager: { replicas: 2, resource }, flinkVersion: "v1_20" };
    await deploy(FLINK, "flink", spec, { clusters: ["tokyo-1"] });
    await eventually(async () => {
      const { components } = (await readBinding(plane, "flink", "sample-flinkdeployment")).spec;
      expect(components?.map(({ name, replicas }) => `${name} ${replicas}`)).toEqual(["jobmanager 1", "taskmanager 2"]);
    });
    expect(customResourceHealth(await template(FLINK, "flink"))).toBe("Progressing");

    await writeMemberStatus(plane, "tokyo-1", ref(FLINK, "flink", "sample"), (observedGeneration) => ({
      observedGeneration,
      jobManagerDeploymentStatus: "READY",
      jobStatus: { state: "RUNNING" },
      lifecycleState: "STABLE",
      reconciliationStatus: { state: "DEPLOYED" },
    }));

    await eventually(async () => expect(customResourceHealth(await template(FLINK, "flink"))).toBe("Healthy"));
    expect((await template(FLINK, "flink"))["status"]).toMatchObject({ jobStatus: { state: "RUNNING" } });
  });

  it("a RayJob that fails in one cluster has failed, and its template keeps its spec", async () => {
    const spec = { entrypoint: "python run.py", rayClusterSpec: { headGroupSpec: { template: pods("1") } } };
    await deploy(RAY_JOB, "ray", spec, { clusters: ["paris-1", "paris-2"] });
    const job = ref(RAY_JOB, "ray", "sample");
    await writeMemberStatus(plane, "paris-1", job, () => ({ jobDeploymentStatus: "Complete", jobStatus: "SUCCEEDED" }));
    await writeMemberStatus(plane, "paris-2", job, () => ({
      jobDeploymentStatus: "Failed",
      jobStatus: "FAILED",
      reason: "AppFailed",
    }));

    await eventually(async () => {
      const object = await template(RAY_JOB, "ray");
      expect(object["status"]).toEqual({ jobDeploymentStatus: "Failed", jobStatus: "FAILED", reason: "AppFailed" });
      expect(object["spec"]).toEqual(spec);
      const binding = await readBinding(plane, "ray", "sample-rayjob");
      expect(bindingHealth(binding).status).toBe("Degraded");
      const { status } = binding;
      expect(status?.aggregatedStatus?.map(({ clusterName, health }) => `${clusterName} ${health}`)).toEqual([
        "paris-1 Healthy",
        "paris-2 Unhealthy",
      ]);
    });
  });

  it("a Kustomization that somebody suspended in a member stays so, and is ready when all members are", async () => {
    await deploy(KUSTOMIZATION, "flux", { interval: "10m", path: "./shop" }, { clusters: ["paris-1", "tokyo-1"] });
    const copy = ref(KUSTOMIZATION, "flux", "sample");
    const paris = plane.member("paris-1").client;
    await eventually(() => paris.get(copy));
    await paris.patch(copy, { spec: { suspend: true } }, "merge");

    await applyAll(plane.client, custom(KUSTOMIZATION, "flux", { interval: "5m", path: "./shop" }));

    await eventually(async () => {
      expect((await paris.get(copy))["spec"]).toMatchObject({ interval: "5m", suspend: true });
      const tokyo = await plane.member("tokyo-1").client.get(copy);
      expect(tokyo["spec"]).toEqual({ interval: "5m", path: "./shop" });
    });
    for (const member of ["paris-1", "tokyo-1"]) {
      await writeMemberStatus(plane, member, copy, (observedGeneration) => ({
        observedGeneration,
        lastAppliedRevision: "main@sha1:1234",
        conditions: [{ type: "Ready", status: "True", reason: "ReconciliationSucceeded", message: "applied" }],
      }));
    }
    await eventually(async () => {
      const object = await template(KUSTOMIZATION, "flux");
      expect(customResourceHealth(object)).toBe("Healthy");
      expect(kstatus(object)).toBe("Current");
      expect(object["status"]).toMatchObject({
        observedGeneration: object.metadata.generation,
        lastAppliedRevision: "main@sha1:1234",
        conditions: [{ type: "Ready", status: "True", message: expect.stringContaining("applied") }],
      });
    });
  });

  it("a CloneSet is divided, its counters add up, and it is healthy to Argo CD when its pods are", async () => {
    const spec = { replicas: 6, updateStrategy: { partition: 0 }, template: pods("100m") };
    await deploy(CLONE_SET, "kruise", spec, { weights: EVEN_WEIGHTS });
    const copy = ref(CLONE_SET, "kruise", "sample");
    for (const { name, client } of plane.members) {
      await eventually(async () => expect(at(await client.get(copy), "spec", "replicas")).toBe(2));
      await writeMemberStatus(plane, name, copy, (observedGeneration) => ({
        observedGeneration,
        replicas: 2,
        readyReplicas: 2,
        updatedReplicas: 2,
        updatedReadyReplicas: 2,
        availableReplicas: 2,
        updatedAvailableReplicas: 2,
        expectedUpdatedReplicas: 2,
      }));
    }

    await eventually(async () => {
      const object = await template(CLONE_SET, "kruise");
      expect(object["status"]).toMatchObject({
        observedGeneration: object.metadata.generation,
        replicas: 6,
        availableReplicas: 6,
        updatedReplicas: 6,
        updatedAvailableReplicas: 6,
      });
      expect(customResourceHealth(object)).toBe("Healthy");
    });
  });

  it("a LeaderWorkerSet, which Karmada knows nothing of, is divided by groups and available when all of them are", async () => {
    const leaderWorkerTemplate = { size: 2, workerTemplate: pods("100m") };
    await deploy(LEADER_WORKERS, "groups", { replicas: 3, leaderWorkerTemplate }, { weights: EVEN_WEIGHTS });
    const copy = ref(LEADER_WORKERS, "groups", "sample");
    for (const { name, client } of plane.members) {
      await eventually(async () => expect(at(await client.get(copy), "spec", "replicas")).toBe(1));
      await writeMemberStatus(plane, name, copy, () => ({
        replicas: 1,
        readyReplicas: 1,
        updatedReplicas: 1,
        conditions: [{ type: "Available", status: "True", reason: "AllGroupsReady", message: "all groups are ready" }],
      }));
    }

    await eventually(async () => {
      expect((await template(LEADER_WORKERS, "groups"))["status"]).toMatchObject({
        replicas: 3,
        readyReplicas: 3,
        conditions: [{ type: "Available", status: "True", message: "all groups are ready" }],
      });
      const binding = await readBinding(plane, "groups", "sample-leaderworkerset");
      expect(binding.spec.replicaRequirements).toEqual({ resourceRequest: { cpu: "200m" } });
      expect(bindingHealth(binding).status).toBe("Healthy");
    });
  });

  it("what came before its definition reaches members as soon as they serve it", async () => {
    const late = "batch.example.com/v1 LateJob";
    await applyAll(plane.client, definitionOf(late));
    await eventually(() => deploy(late, "late", { size: 1 }, { clusters: ["paris-1", "paris-2"] }));
    await eventually(async () => {
      const binding = await readBinding(plane, "late", "sample-latejob");
      expect(conditionOf(binding, "Scheduled")?.reason).toBe("NoClusterFit");
    });

    for (const member of ["paris-1", "paris-2"]) {
      const { client } = plane.member(member);
      await applyAll(client, definitionOf(late));
      await eventually(async () => {
        expect((await client.get(ref(late, "late", "sample")))["spec"]).toEqual({ size: 1 });
      });
    }
  });
});
