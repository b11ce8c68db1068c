// Random specs and statuses of batch and learning workloads, with every field that Karmada's rules for them look at.
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";

type Sample = (dice: Dice) => unknown;
type Fields = Readonly<Record<string, Sample>>;

/** One of these values. */
function oneOf(...values: readonly unknown[]): Sample {
  return (dice) => dice.pick(values);
}

/** An object with most of these fields. */
function object(fields: Fields, share = 0.75): Sample {
  return (dice) =>
    Object.fromEntries(
      Object.entries(fields).flatMap(([key, sample]) => (dice.chance(share) ? [[key, sample(dice)]] : [])),
    );
}

function list(sample: Sample, most = 3): Sample {
  return (dice) => Array.from({ length: dice.between(0, most) }, () => sample(dice));
}

const count = oneOf(0, 1, 2, 3, 5, "2");
const quantity = oneOf("500m", "1", "2", "0.5", 1, 2, 0.25, "1e3");
const memory = oneOf("1Gi", "512Mi", "2048m", "1.5Gi", "2G", "1000000", "100M", "2g");
const bool = oneOf(true, false);
const time = (dice: Dice) => `2025-03-0${dice.between(1, 9)}T0${dice.between(0, 9)}:00:00Z`;
const duration = oneOf("0s", "10s", "1m20s", "2h3m", "500ms", "1.5h", "35.68s", 12, "12");
const condition = (...types: readonly string[]): Sample =>
  object({
    type: oneOf(...types),
    status: oneOf("True", "False", "Unknown"),
    reason: oneOf("A", "B"),
    message: oneOf("m", "n"),
    lastUpdateTime: time,
    lastTransitionTime: time,
  });
const toleration = object({
  key: oneOf("gpu", "spot"),
  operator: oneOf("Exists", "Equal"),
  value: oneOf("yes"),
  effect: oneOf("NoSchedule", "NoExecute"),
  tolerationSeconds: oneOf(0, 30),
});
const placing = {
  nodeSelector: object({ disk: oneOf("ssd"), pool: oneOf("a", "b") }),
  tolerations: list(toleration, 2),
  affinity: object({
    nodeAffinity: object({
      requiredDuringSchedulingIgnoredDuringExecution: object({
        // A term without content is refused where there is one.
        nodeSelectorTerms: oneOf([{ matchExpressions: [{ key: "zone", operator: "Exists" }] }]),
      }),
    }),
  }),
  priorityClassName: oneOf("high", ""),
};
const name = oneOf("one", "two", "three", "");
const resources = object({
  requests: object({ cpu: quantity, memory, "nvidia.com/gpu": oneOf(1, "2") }),
  limits: object({ cpu: quantity, memory }),
});
const container = object({
  name: oneOf("main"),
  resources,
  env: list(
    object({
      name: oneOf("E"),
      valueFrom: object({ secretKeyRef: object({ name }), configMapKeyRef: object({ name }) }),
    }),
  ),
  envFrom: list(object({ configMapRef: object({ name }), secretRef: object({ name }) })),
});
/** A volume has one source. */
const volume: Sample = (dice) =>
  dice.pick([
    object({ configMap: object({ name }) }),
    object({ secret: object({ secretName: name }) }),
    object({ persistentVolumeClaim: object({ claimName: name }) }),
    object({
      projected: object({ sources: list(object({ configMap: object({ name }), secret: object({ name }) })) }),
    }),
    object({ azureFile: object({ secretName: name }) }),
    object({ csi: object({ nodePublishSecretRef: object({ name }) }) }),
    object({ rbd: object({ secretRef: object({ name }) }) }),
    object({ cephfs: object({ secretRef: object({ name }) }) }),
  ])(dice);
const template = object(
  {
    metadata: object({ labels: object({ app: oneOf("x") }) }),
    spec: object({
      ...placing,
      containers: list(container),
      initContainers: list(container, 2),
      ephemeralContainers: list(container, 1),
      overhead: object({ cpu: quantity }),
      volumes: list(volume),
      imagePullSecrets: list(object({ name }), 2),
      serviceAccountName: oneOf("robot", "default", ""),
    }),
  },
  0.9,
);
const role = object({ replicas: count, template });

const flinkManager = object({ replicas: count, resource: object({ cpu: quantity, memory }) });
const sparkPod = {
  cores: oneOf(1, 2, 4),
  memory: oneOf("1g", "512m", "2048M", "1.5g", "10gb", "1t", "700k", "3G"),
  memoryOverhead: oneOf("512m", "1g", "384M", "1000k"),
  gpu: object({ name: oneOf("nvidia.com/gpu", ""), quantity: oneOf(0, 1, 2, "1") }),
  ...placing,
};
const rayCluster = object({
  headGroupSpec: object({ template }),
  workerGroupSpecs: list(object({ groupName: oneOf("a", "b", ""), replicas: oneOf(0, 1, 2, 3, 5, 7), template }), 4),
});
const replicaStatuses = object({
  Master: object({ active: count, succeeded: count, failed: count }),
  Worker: object({ active: count, succeeded: count, failed: count }),
  Chief: object({ active: count, succeeded: count, failed: count }),
  Launcher: object({ active: count, succeeded: count, failed: count, selector: oneOf("a=b") }),
});
const trainingStatus = object({
  startTime: time,
  completionTime: time,
  lastReconcileTime: time,
  replicaStatuses,
  conditions: list(condition("Created", "Running", "Succeeded", "Failed"), 4),
});

/** By `apiVersion/kind`: what the spec may have in it, and what the status. */
const SAMPLES: Readonly<Record<string, { readonly spec: Sample; readonly status: Sample }>> = {
  "batch.volcano.sh/v1alpha1/Job": {
    spec: object({ tasks: list(object({ name, minAvailable: count, replicas: count, template })) }),
    status: object({
      state: object({ phase: oneOf("Pending", "Running", "Completed", "Failed", "Aborted", "") }),
      minAvailable: count,
      pending: count,
      running: count,
      succeeded: count,
      failed: count,
      terminating: count,
      unknown: count,
      version: count,
      retryCount: count,
      runningDuration: duration,
      taskStatusCount: object({ t0: object({ phase: object({ Running: count, Failed: count }) }), t1: object({}) }),
      controlledResources: object({ svc: oneOf("a", "b"), env: oneOf("c") }),
      conditions: list(
        object({ status: oneOf("Pending", "Running", "Completed", "Aborting"), lastTransitionTime: time }, 0.97),
        4,
      ),
    }),
  },
  "flink.apache.org/v1beta1/FlinkDeployment": {
    spec: object({
      jobManager: flinkManager,
      taskManager: flinkManager,
      job: object({ parallelism: oneOf(0, 1, 7, 8, "4", "x") }),
      flinkConfiguration: object({ "taskmanager.numberOfTaskSlots": oneOf("1", "2", "4", "0", 3, "") }),
      podTemplate: template,
    }),
    status: object({
      error: oneOf("", "ErrImagePull", '{"m":"CrashLoopBackOff"}', "no"),
      jobManagerDeploymentStatus: oneOf("READY", "ERROR"),
      jobStatus: object({ state: oneOf("RUNNING", "CREATED", "RECONCILING", "FAILED", "CANCELLING", "") }),
      lifecycleState: oneOf("STABLE", "DEPLOYED"),
      observedGeneration: count,
      clusterInfo: object({ v: oneOf("1") }),
      taskManager: object({ replicas: count }),
      reconciliationStatus: object({ state: oneOf("DEPLOYED") }),
    }),
  },
  "kubeflow.org/v1/Notebook": {
    spec: object({ template }),
    status: object({
      readyReplicas: count,
      containerState: object(
        {
          running: object({ startedAt: time }),
          waiting: object({ reason: oneOf("ContainerCreating", "ImagePullBackOff") }),
          terminated: object({ reason: oneOf("Error", "Completed"), exitCode: oneOf(0, 1) }),
        },
        0.4,
      ),
      conditions: list(condition("Running", "Waiting")),
    }),
  },
  "kubeflow.org/v1/PyTorchJob": {
    spec: object({ pytorchReplicaSpecs: object({ Master: role, Worker: role }) }),
    status: trainingStatus,
  },
  "kubeflow.org/v1/TFJob": {
    spec: object({ tfReplicaSpecs: object({ PS: role, Worker: role, Chief: role, Master: role, Evaluator: role }) }),
    status: trainingStatus,
  },
  "kubeflow.org/v2beta1/MPIJob": {
    spec: object({ mpiReplicaSpecs: object({ Launcher: role, Worker: role, worker: role }) }),
    status: trainingStatus,
  },
  "ray.io/v1/RayCluster": {
    spec: rayCluster,
    status: object({
      conditions: list(condition("HeadPodReady", "RayClusterProvisioned", "RayClusterReplicaFailure"), 4),
      readyWorkerReplicas: count,
      availableWorkerReplicas: count,
      desiredWorkerReplicas: count,
      minWorkerReplicas: count,
      maxWorkerReplicas: oneOf(2147483647, 3),
      desiredCPU: oneOf("500m", "2", "0", "", "1.5"),
      desiredMemory: oneOf("1Gi", "512Mi", "1G", "0", "", "1.5Gi"),
      desiredGPU: oneOf("0", "1", 2, "", "0.5"),
      desiredTPU: oneOf("0", 1),
      lastUpdateTime: time,
      endpoints: object({ client: oneOf("10001") }),
      head: object({ podIP: oneOf("10.0.0.1") }),
      state: oneOf("ready", "failed", ""),
      stateTransitionTimes: object({ ready: time }),
    }),
  },
  "ray.io/v1/RayJob": {
    spec: object({ rayClusterSpec: rayCluster, submitterPodTemplate: template }),
    status: object({
      jobDeploymentStatus: oneOf("", "Initializing", "Waiting", "Running", "Complete", "Failed", "Retrying", "New"),
      jobStatus: oneOf("", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED", "NEW"),
      reason: oneOf("AppFailed", ""),
      message: oneOf("boom"),
    }),
  },
  "ray.io/v1/RayService": {
    spec: object({ rayClusterConfig: rayCluster }),
    status: object({
      conditions: list(condition("Ready", "UpgradeInProgress")),
      numServeEndpoints: count,
      lastUpdateTime: time,
      observedGeneration: oneOf(0, 1, 2, 3),
      serviceStatus: oneOf("Running", "", "Odd"),
      activeServiceStatus: object({
        rayClusterName: oneOf("c1", "c2"),
        applicationStatuses: object({
          app: object({ status: oneOf("RUNNING", "DEPLOYING", "UNHEALTHY", "DEPLOY_FAILED", "NEW") }),
          more: object({ status: oneOf("RUNNING", "NOT_STARTED") }),
        }),
      }),
      pendingServiceStatus: object({ rayClusterName: oneOf("c3") }),
    }),
  },
  "sparkoperator.k8s.io/v1beta2/SparkApplication": {
    spec: object(
      {
        type: oneOf("Java", "Scala", "Python", "R"),
        driver: object(sparkPod),
        executor: object({ ...sparkPod, instances: count }),
        memoryOverheadFactor: oneOf("0.2", 0.5, "", "0.125"),
        dynamicAllocation: object({ enabled: bool, initialExecutors: count, minExecutors: count }),
      },
      0.95,
    ),
    status: object({
      applicationState: object({ state: oneOf("", "RUNNING", "FAILED", "COMPLETED", "SUBMITTED", "FAILING") }, 0.95),
      executionAttempts: count,
      submissionAttempts: count,
      executorState: object({ e1: oneOf("RUNNING"), e2: oneOf("FAILED") }),
      lastSubmissionAttemptTime: time,
      terminationTime: time,
      driverInfo: object({ podName: oneOf("p") }),
      sparkApplicationId: oneOf("app-1"),
      submissionID: oneOf("s"),
    }),
  },
};

/** A spec and a status for an object of the kind, such as `ray.io/v1/RayJob`; undefined for kinds that are not here. */
export function batchFields(
  dice: Dice,
  kind: string,
): { readonly spec: unknown; readonly status: unknown } | undefined {
  const samples = SAMPLES[kind];
  return samples === undefined ? undefined : { spec: samples.spec(dice), status: samples.status(dice) };
}
