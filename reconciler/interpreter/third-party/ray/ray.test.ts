import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../kube/object.ts";
import type { Fields } from "../../field-access.ts";
import { aggregatedStatus, customResource, podTemplate, reported, rulesOf } from "../testing/custom-resources.ts";
import { RAY_RULES } from "./ray.ts";

function isTrue(type: string): Fields {
  return { type, status: "True" };
}

describe("RayCluster", () => {
  const rules = rulesOf(RAY_RULES, "ray.io/v1/RayCluster");
  const cluster = (fields: Fields = {}) => customResource("ray.io/v1/RayCluster", fields);

  it("is one head and its groups of workers", () => {
    const spec = {
      headGroupSpec: { template: podTemplate({ cpu: "1" }) },
      workerGroupSpecs: [{ groupName: "gpu", replicas: 2, template: podTemplate({ cpu: "4" }) }, {}],
    };

    expect(rules.getComponents(cluster({ spec }))).toEqual([
      { name: "ray-head", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "1" } } },
      { name: "gpu", replicas: 2, replicaRequirements: { resourceRequest: { cpu: "4" } } },
      { name: "worker-2", replicas: 0 },
    ]);
    expect(rules.getComponents(cluster())).toEqual([]);
  });

  it("is healthy when its head is ready, it was provisioned, and nothing has failed since", () => {
    const healthy = [isTrue("HeadPodReady"), isTrue("RayClusterProvisioned")];

    expect(rules.interpretHealth(cluster({ status: { conditions: healthy } }))).toBe(true);
    expect(rules.interpretHealth(cluster({ status: { conditions: healthy.slice(1) } }))).toBe(false);
    const failure = isTrue("RayClusterReplicaFailure");
    expect(rules.interpretHealth(cluster({ status: { conditions: [...healthy, failure] } }))).toBe(false);
    expect(rules.interpretHealth(cluster())).toBe(false);
  });

  it("adds up workers and resources, and keeps the endpoints of the first cluster", () => {
    const a = { readyWorkerReplicas: 1, desiredCPU: "500m", desiredMemory: "1Gi", desiredGPU: "1", state: "ready" };
    const b = { readyWorkerReplicas: 2, desiredCPU: "2", desiredMemory: "2Gi", endpoints: { client: "1" }, state: "x" };

    expect(aggregatedStatus(rules, cluster({ spec: { a: 1 } }), reported("a", a), reported("b", b))).toEqual({
      readyWorkerReplicas: 3,
      availableWorkerReplicas: 0,
      maxWorkerReplicas: 0,
      minWorkerReplicas: 0,
      desiredWorkerReplicas: 0,
      desiredCPU: "2500m",
      desiredGPU: "1",
      desiredTPU: "0",
      desiredMemory: "3Gi",
      endpoints: { client: "1" },
      state: "ready",
    });
  });
});

describe("devices of several RayClusters", () => {
  const rules = rulesOf(RAY_RULES, "ray.io/v1/RayCluster");
  const cluster = customResource("ray.io/v1/RayCluster");
  const gpus = (...counts: unknown[]): unknown =>
    (aggregatedStatus(rules, cluster, ...counts.map((desiredGPU, i) => reported(`m${i}`, { desiredGPU }))) as Fields)[
      "desiredGPU"
    ];

  it("add up as plain numbers, and as quantities where one is written so", () => {
    expect(gpus("1", 0.5)).toBe("1.5");
    expect(gpus("1", "500m")).toBe("1500m");
    expect(gpus("", "2")).toBe("2");
    const memory = ["512Mi", "1G", "1G"].map((desiredMemory, i) => reported(`m${i}`, { desiredMemory }));
    expect(aggregatedStatus(rules, cluster, ...memory)).toMatchObject({ desiredMemory: "2536870912" });
    expect(() => gpus("1", "many")).toThrow("field status.desiredGPU is not a quantity");
  });
});

describe("RayJob", () => {
  const rules = rulesOf(RAY_RULES, "ray.io/v1/RayJob");
  const job = (fields: Fields = {}) => customResource("ray.io/v1/RayJob", fields);

  it("is the cluster it runs on", () => {
    const rayClusterSpec = { headGroupSpec: { template: podTemplate() } };

    expect(rules.getComponents(job({ spec: { rayClusterSpec } }))).toEqual([{ name: "ray-head", replicas: 1 }]);
  });

  it("depends on what its pods and the pod that submits it refer to", () => {
    const mounting = (name: string) => podTemplate({}, { volumes: [{ configMap: { name } }] });
    const spec = {
      rayClusterSpec: { headGroupSpec: { template: mounting("b") }, workerGroupSpecs: [{ template: mounting("a") }] },
      submitterPodTemplate: mounting("c"),
    };

    expect(rules.getDependencies(job({ spec })).map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(rules.getDependencies(job())).toEqual([]);
  });

  it.each<[boolean, Fields]>([
    [true, { jobDeploymentStatus: "Running" }],
    [true, { jobDeploymentStatus: "Complete", jobStatus: "SUCCEEDED" }],
    [false, { jobDeploymentStatus: "Complete", jobStatus: "STOPPED" }],
    [false, { jobDeploymentStatus: "Initializing" }],
    [false, {}],
  ])("has health %s with %j", (healthy, status) => {
    expect(rules.interpretHealth(job({ status }))).toBe(healthy);
  });

  it("tells the worst state with its reason, and keeps what it knows nothing of", () => {
    const a = { jobDeploymentStatus: "Failed", jobStatus: "FAILED", reason: "AppFailed", message: "boom" };
    const b = { jobDeploymentStatus: "Running", jobStatus: "", reason: "fine" };
    const template = job({ spec: {}, status: { startTime: "t", reason: "old" } });

    expect(aggregatedStatus(rules, template, reported("b", b), reported("a", a))).toEqual({ startTime: "t", ...a });
    expect(aggregatedStatus(rules, template, reported("b", b), reported("c"))).toEqual({
      startTime: "t",
      jobDeploymentStatus: "Running",
      reason: "fine",
    });
  });
});

describe("RayService", () => {
  const rules = rulesOf(RAY_RULES, "ray.io/v1/RayService");

  function service(workers: readonly unknown[], head: Fields = podTemplate({ cpu: "1" })): KubeObject {
    const workerGroupSpecs = workers.map((replicas) => ({
      replicas,
      template: podTemplate({ cpu: "2", memory: "1Gi" }),
    }));
    return customResource("ray.io/v1/RayService", {
      spec: { rayClusterConfig: { headGroupSpec: { template: head }, workerGroupSpecs } },
    });
  }

  function workersOf(object: KubeObject): unknown {
    const spec = object["spec"] as { rayClusterConfig: { workerGroupSpecs: { replicas: number }[] } };
    return spec.rayClusterConfig.workerGroupSpecs.map(({ replicas }) => replicas);
  }

  it("has its head and workers as replicas, with the greatest needs of any", () => {
    expect(rules.getReplicas(service([2, 3]))).toEqual({
      replicas: 6,
      requirements: { resourceRequest: { cpu: "2", memory: "1Gi" } },
    });
    expect(rules.getReplicas(service([2], podTemplate()))).toEqual({ replicas: 3 });
    expect(rules.getReplicas(customResource("ray.io/v1/RayService"))).toEqual({ replicas: 0 });
  });

  it.each<[unknown[], number, number[]]>([
    [[4], 3, [2]],
    [[1, 3], 9, [2, 6]],
    [[0, 0, 0], 6, [2, 2, 1]],
    [[5, 5], 1, [0, 0]],
    [[5, 5], 0, [0, 0]],
  ])("shares workers %j out anew among %d replicas as %j", (workers, replicas, wanted) => {
    expect(workersOf(rules.reviseReplica(service(workers), replicas))).toEqual(wanted);
  });

  it("leaves a service without groups as it is", () => {
    const headOnly = service([]);

    expect(rules.reviseReplica(headOnly, 5)).toBe(headOnly);
  });

  it("is healthy when it is ready", () => {
    const withConditions = (...conditions: Fields[]) => ({ ...service([]), status: { conditions } });

    expect(rules.interpretHealth(withConditions(isTrue("Ready")))).toBe(true);
    expect(rules.interpretHealth(withConditions({ type: "Ready", status: "False" }))).toBe(false);
    expect(rules.interpretHealth(service([]))).toBe(false);
  });

  it("tells the worst state of each application", () => {
    const active = (app: string) => ({
      activeServiceStatus: { rayClusterName: app, applicationStatuses: { shop: { status: app } } },
    });
    const a = { ...active("RUNNING"), numServeEndpoints: 2, observedGeneration: 3, serviceStatus: "Running" };
    const b = { ...active("DEPLOY_FAILED"), numServeEndpoints: 1, observedGeneration: 2, serviceStatus: "" };

    expect(aggregatedStatus(rules, service([]), reported("a", a), reported("b", b))).toEqual({
      numServeEndpoints: 3,
      observedGeneration: 3,
      serviceStatus: "",
      activeServiceStatus: { rayClusterName: "RUNNING", applicationStatuses: { shop: { status: "DEPLOY_FAILED" } } },
    });
  });
});
