import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import type { Fields } from "../field-access.ts";
import { BATCH_RULES } from "./batch.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "./testing/custom-resources.ts";

const OLD = "2025-01-01T00:00:00Z";

function rulesFor(kind: string) {
  return { rules: rulesOf(BATCH_RULES.more, kind), object: (fields: Fields) => customResource(kind, fields) };
}

/** `Secret a, ConfigMap b`: what an object needs. */
function needs(kind: string, fields: Fields): string {
  const { rules, object } = rulesFor(kind);
  return rules
    .getDependencies(object(fields))
    .map((dependency) => `${dependency.kind} ${dependency.name}`)
    .join(", ");
}

function mounting(name: string): Fields {
  return podTemplate({}, { volumes: [{ secret: { secretName: name } }] });
}

function ended(type: string): Fields {
  return { type, status: "True", reason: "Done", message: "m", lastTransitionTime: OLD };
}

describe("what goes along with batch workloads, which Karmada does not know", () => {
  it.each<[kind: string, spec: Fields, needs: string]>([
    [
      "batch.volcano.sh/v1alpha1/Job",
      { tasks: [{ template: mounting("a") }, { template: mounting("a") }] },
      "Secret a",
    ],
    [
      "flink.apache.org/v1beta1/FlinkDeployment",
      { serviceAccount: "flink", podTemplate: mounting("a"), jobManager: { podTemplate: mounting("b") } },
      "Secret a, Secret b, ServiceAccount flink",
    ],
    ["flink.apache.org/v1beta1/FlinkSessionJob", { deploymentName: "session" }, "FlinkDeployment session"],
    ["kubeflow.org/v1/Notebook", { template: mounting("a") }, "Secret a"],
    ["kubeflow.org/v2beta1/MPIJob", { mpiReplicaSpecs: { Worker: { template: mounting("a") } } }, "Secret a"],
    ["kubeflow.org/v1/JAXJob", { jaxReplicaSpecs: { Worker: { template: mounting("a") } } }, "Secret a"],
    [
      "trainer.kubeflow.org/v1alpha1/TrainJob",
      {
        runtimeRef: { kind: "TrainingRuntime", name: "torch" },
        initializer: { model: { secretRef: { name: "hub" } } },
        trainer: { env: [{ valueFrom: { configMapKeyRef: { name: "conf", key: "k" } } }] },
      },
      "TrainingRuntime torch, ConfigMap conf, Secret hub",
    ],
    ["ray.io/v1/RayCluster", { headGroupSpec: { template: mounting("a") } }, "Secret a"],
    [
      "sparkoperator.k8s.io/v1beta2/SparkApplication",
      {
        sparkConfigMap: "spark",
        imagePullSecrets: ["pull"],
        volumes: [{ persistentVolumeClaim: { claimName: "data" } }],
        driver: { serviceAccount: "driver", secrets: [{ name: "s3", path: "/s3" }] },
        executor: { serviceAccount: "default", envFrom: [{ configMapRef: { name: "env" } }] },
      },
      "ConfigMap env, ConfigMap spark, PersistentVolumeClaim data, Secret pull, Secret s3, ServiceAccount driver",
    ],
    [
      "sparkoperator.k8s.io/v1beta2/ScheduledSparkApplication",
      { template: { hadoopConfigMap: "hadoop" } },
      "ConfigMap hadoop",
    ],
    [
      "jobset.x-k8s.io/v1alpha2/JobSet",
      { replicatedJobs: [{ template: { spec: { template: mounting("a") } } }] },
      "Secret a",
    ],
    [
      "leaderworkerset.x-k8s.io/v1/LeaderWorkerSet",
      { leaderWorkerTemplate: { leaderTemplate: mounting("b"), workerTemplate: mounting("a") } },
      "Secret a, Secret b",
    ],
    [
      "keda.sh/v1alpha1/ScaledObject",
      {
        triggers: [
          { authenticationRef: { name: "queue" } },
          { authenticationRef: { name: "all", kind: "ClusterTriggerAuthentication" } },
          {},
        ],
      },
      "TriggerAuthentication queue",
    ],
    ["keda.sh/v1alpha1/ScaledJob", { jobTargetRef: { template: mounting("a") } }, "Secret a"],
    [
      "keda.sh/v1alpha1/TriggerAuthentication",
      { secretTargetRef: [{ name: "s" }], configMapTargetRef: [{ name: "c" }] },
      "ConfigMap c, Secret s",
    ],
  ])("%s", (kind, spec, wanted) => {
    expect(needs(kind, { spec })).toBe(wanted);
    expect(needs(kind, {})).toBe("");
  });
});

describe("RayService beyond Karmada", () => {
  const { rules, object } = rulesFor("ray.io/v1/RayService");
  const service = (workers: readonly number[]) =>
    object({ spec: { rayClusterConfig: { workerGroupSpecs: workers.map((replicas) => ({ replicas })) } } });
  const workersOf = (revised: KubeObject): unknown =>
    (
      revised["spec"] as { rayClusterConfig: { workerGroupSpecs: { replicas: number }[] } }
    ).rayClusterConfig.workerGroupSpecs.map(({ replicas }) => replicas);

  it("gives no group less than none, and shares out exactly", () => {
    // Karmada gives the last of these groups minus one.
    expect(workersOf(rules.reviseReplica(service([1, 1, 0]), 2))).toEqual([1, 0, 0]);
    expect(workersOf(rules.reviseReplica(service([1, 2, 3]), 8))).toEqual([1, 2, 4]);
    expect(workersOf(rules.reviseReplica(service([0, 0]), 4))).toEqual([2, 1]);
    expect(workersOf(rules.reviseReplica(service([3, 3]), 0))).toEqual([0, 0]);
  });
});

describe("JobSet", () => {
  const { rules, object } = rulesFor("jobset.x-k8s.io/v1alpha2/JobSet");

  it("is a component for each group of Jobs, with the pods that run at the same time", () => {
    const job = (spec: Fields) => ({ spec: { template: podTemplate({ cpu: "1" }), ...spec } });
    const replicatedJobs = [
      { name: "driver", template: job({}) },
      { name: "workers", replicas: 2, template: job({ parallelism: 4, completions: 3 }) },
    ];

    expect(rules.getComponents(object({ spec: { replicatedJobs } }))).toMatchObject([
      { name: "driver", replicas: 1 },
      { name: "workers", replicas: 6, replicaRequirements: { resourceRequest: { cpu: "1" } } },
    ]);
  });

  it("is complete once it is so everywhere, and failed as soon as it is so anywhere", () => {
    const done = { conditions: [ended("Completed")], replicatedJobsStatus: [{ name: "w", succeeded: 2 }], restarts: 1 };
    const template = object({});

    expect(aggregatedStatus(rules, template, reported("a", done), reported("b", done))).toMatchObject({
      terminalState: "Completed",
      restarts: 2,
      replicatedJobsStatus: [{ name: "w", succeeded: 4 }],
      conditions: [{ type: "Completed", status: "True", reason: "Done", lastTransitionTime: NOW }],
    });
    expect(aggregatedStatus(rules, template, reported("a", done), reported("b", {}))).not.toHaveProperty("conditions");
    const failed = { conditions: [ended("Failed")] };
    expect(aggregatedStatus(rules, template, reported("a", done), reported("b", failed))).toMatchObject({
      terminalState: "Failed",
      conditions: [{ type: "Failed", message: "the jobs failed in b" }],
    });
    expect(rules.interpretHealth(object({ status: failed }))).toBe(false);
    expect(rules.interpretHealth(template)).toBe(true);
  });

  it("keeps the time at which it ended", () => {
    const failed = { conditions: [ended("Failed")] };
    const before = object({ status: { conditions: [ended("Failed")] } });

    expect(aggregatedStatus(rules, before, reported("a", failed))).toMatchObject({
      conditions: [{ lastTransitionTime: OLD }],
    });
  });
});

describe("LeaderWorkerSet", () => {
  const { rules, object } = rulesFor("leaderworkerset.x-k8s.io/v1/LeaderWorkerSet");

  it("has groups as replicas, each with what its leader and its workers need together", () => {
    const leaderWorkerTemplate = {
      size: 4,
      leaderTemplate: podTemplate({ cpu: "500m" }),
      workerTemplate: podTemplate({ cpu: "2", memory: "1Gi" }, { nodeSelector: { gpu: "yes" } }),
    };

    expect(rules.getReplicas(object({ spec: { replicas: 3, leaderWorkerTemplate } }))).toEqual({
      replicas: 3,
      requirements: {
        nodeClaim: { nodeSelector: { gpu: "yes" } },
        resourceRequest: { cpu: "6500m", memory: "3Gi" },
      },
    });
    expect(rules.getReplicas(object({}))).toEqual({ replicas: 1 });
    const revised = rules.reviseReplica(object({ spec: { leaderWorkerTemplate } }), 2);
    expect(revised["spec"]).toEqual({ replicas: 2, leaderWorkerTemplate });
  });

  it("is available when it is so everywhere, and updates while it does so anywhere", () => {
    const of = (available: string, updating: string) => ({
      replicas: 2,
      readyReplicas: 1,
      conditions: [
        { type: "Available", status: available },
        { type: "UpdateInProgress", status: updating },
      ],
    });
    const status = aggregatedStatus(
      rules,
      object({}),
      reported("a", of("True", "True")),
      reported("b", of("False", "False")),
    );

    expect(status).toMatchObject({ replicas: 4, readyReplicas: 2 });
    expect((status as { conditions: Fields[] }).conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "Available False",
      "UpdateInProgress True",
    ]);
  });
});

describe("further training jobs", () => {
  it.each([
    ["XGBoostJob", "xgbReplicaSpecs", "master"],
    ["PaddleJob", "paddleReplicaSpecs", "master"],
    ["MPIJob", "mpiReplicaSpecs", "launcher"],
  ])("%s is a component for each role, like a PyTorchJob", (kind, specs, first) => {
    const { rules, object } = rulesFor(`kubeflow.org/v1/${kind}`);
    const roles = { Worker: { replicas: 2 }, Master: {}, Launcher: {} };

    const components = rules.getComponents(object({ spec: { [specs]: roles } }));

    expect(components).toEqual([
      { name: first, replicas: 1 },
      { name: "worker", replicas: 2 },
    ]);
  });

  it("TrainJob has its nodes, and fails with any cluster", () => {
    const { rules, object } = rulesFor("trainer.kubeflow.org/v1alpha1/TrainJob");
    const trainer = { numNodes: 3, resourcesPerNode: { requests: { "nvidia.com/gpu": 1 } } };

    expect(rules.getComponents(object({ spec: { trainer } }))).toEqual([
      { name: "trainer", replicas: 3, replicaRequirements: { resourceRequest: { "nvidia.com/gpu": "1" } } },
    ]);
    const failed = { conditions: [ended("Failed")], jobsStatus: [{ name: "node", failed: 1 }] };
    expect(aggregatedStatus(rules, object({}), reported("a", failed), reported("b", {}))).toMatchObject({
      conditions: [{ type: "Failed", message: "the training failed in a" }],
      jobsStatus: [{ name: "node", failed: 1 }],
    });
  });
});

describe("schedules and scalers", () => {
  it("a ScheduledSparkApplication runs next when the first cluster does", () => {
    const { rules, object } = rulesFor("sparkoperator.k8s.io/v1beta2/ScheduledSparkApplication");
    const a = { scheduleState: "Scheduled", nextRun: "2025-01-02T00:00:00Z" };
    const b = { scheduleState: "FailedValidation", nextRun: "2025-01-03T00:00:00Z" };

    expect(aggregatedStatus(rules, object({}), reported("a", a), reported("b", b))).toEqual({
      scheduleState: "FailedValidation",
      nextRun: "2025-01-02T00:00:00Z",
    });
    expect([a, b, {}].map((status) => rules.interpretHealth(object({ status })))).toEqual([true, false, false]);
  });

  it("a ScaledObject is ready when it is so everywhere, and active when it is so anywhere", () => {
    const { rules, object } = rulesFor("keda.sh/v1alpha1/ScaledObject");
    const of = (ready: string, active: string) => ({
      conditions: [
        { type: "Ready", status: ready },
        { type: "Active", status: active },
      ],
    });
    const status = aggregatedStatus(
      rules,
      object({}),
      reported("a", of("True", "True")),
      reported("b", of("False", "False")),
    );

    expect((status as { conditions: Fields[] }).conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "Ready False",
      "Active True",
    ]);
    expect(rules.interpretHealth(object({ status: of("True", "False") }))).toBe(true);
  });
});
