import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { aggregatedStatus, customResource, reported, rulesOf } from "../testing/custom-resources.ts";
import { WORKLOAD_RULES } from "../workloads.ts";

const KIND = "argoproj.io/v1alpha1/Workflow";
const AS_KARMADA = rulesOf(WORKLOAD_RULES.karmada, KIND);
const BETTER = rulesOf(WORKLOAD_RULES.more, KIND);

const SPEC = {
  executor: { serviceAccountName: "exec" },
  volumeClaimTemplates: [{ metadata: { name: "work" } }],
  volumes: [{ secret: { name: "by-name", secretName: "by-secret-name" } }, { configMap: { name: "conf" } }],
  imagePullSecrets: [{ name: "pull" }],
  serviceAccountName: "runner",
};

function namesOf(rules: typeof BETTER, spec: Fields): readonly string[] {
  return rules.getDependencies(customResource(KIND, { spec })).map(({ kind, name }) => `${kind} ${name}`);
}

describe.each([
  ["as Karmada", AS_KARMADA],
  ["better", BETTER],
])("Workflow, %s", (_name, rules) => {
  it("asks for as many pods as may run at once, on the nodes it names", () => {
    const spec = { parallelism: 3, nodeSelector: { disk: "ssd" } };

    expect(rules.getReplicas(customResource(KIND, { spec }))).toEqual({
      replicas: 3,
      requirements: { nodeClaim: { nodeSelector: { disk: "ssd" } } },
    });
    expect(rules.getReplicas(customResource(KIND))).toEqual({ replicas: 1 });
    expect(rules.reviseReplica(customResource(KIND), 2)["spec"]).toEqual({ parallelism: 2 });
  });

  it("keeps whether it is suspended, and its progress", () => {
    const observed = customResource(KIND, { spec: { suspend: false }, status: { phase: "Running" } });

    expect(rules.retain(customResource(KIND, { spec: { suspend: true } }), observed)).toMatchObject({
      spec: { suspend: false },
      status: { phase: "Running" },
    });
    expect(rules.retain(customResource(KIND, { spec: { suspend: true } }), customResource(KIND))).toMatchObject({
      spec: { suspend: true },
    });
  });

  it("is healthy when it has begun and has not failed", () => {
    const healthy = (status?: Fields): boolean => rules.interpretHealth(customResource(KIND, { status }));

    expect(["Pending", "Running", "Succeeded"].map((phase) => healthy({ phase }))).toEqual([true, true, true]);
    expect(["Failed", "Error", "", null].map((phase) => healthy({ phase }))).toEqual([false, false, false, false]);
    expect(healthy()).toBe(false);
  });
});

describe("what a Workflow refers to", () => {
  it("as Karmada are volumes' Secrets by their field `name`, and claims that it makes itself", () => {
    expect(namesOf(AS_KARMADA, SPEC)).toEqual([
      "ConfigMap conf",
      "PersistentVolumeClaim work",
      "Secret by-name",
      "Secret pull",
      "ServiceAccount exec",
      "ServiceAccount runner",
    ]);
  });

  it("are Secrets as pods name them, and no claims of its own", () => {
    expect(namesOf(BETTER, SPEC)).toEqual([
      "ConfigMap conf",
      "Secret by-secret-name",
      "Secret pull",
      "ServiceAccount exec",
      "ServiceAccount runner",
    ]);
  });

  it("are also those of its steps, their artifacts and parameters, and of other templates", () => {
    const templates = [
      { container: { env: [{ valueFrom: { secretKeyRef: { name: "db" } } }] } },
      { script: { envFrom: [{ configMapRef: { name: "env" } }] }, serviceAccountName: "step" },
      { inputs: { artifacts: [{ s3: { accessKeySecret: { name: "bucket", key: "k" } } }] } },
      { inputs: { parameters: [{ valueFrom: { configMapKeyRef: { name: "values", key: "k" } } }] } },
      { steps: [[{ templateRef: { name: "shared", template: "t" } }]] },
      { dag: { tasks: [{ templateRef: { name: "global", clusterScope: true } }] } },
    ];

    expect(namesOf(BETTER, { templates, workflowTemplateRef: { name: "base" } })).toEqual([
      "WorkflowTemplate base",
      "WorkflowTemplate shared",
      "ConfigMap env",
      "ConfigMap values",
      "Secret bucket",
      "Secret db",
      "ServiceAccount step",
    ]);
    expect(namesOf(BETTER, {})).toEqual([]);
  });
});

describe("status of a Workflow", () => {
  const aggregate = (...statuses: readonly (Fields | undefined)[]): unknown =>
    aggregatedStatus(BETTER, customResource(KIND), ...statuses.map((status, at) => reported(`m${at}`, status)));
  const ended = (phase: string, finishedAt: string): Fields => ({
    phase,
    progress: "2/2",
    startedAt: "2025-01-01T00:00:00Z",
    finishedAt,
  });

  it("is not Karmada's to tell", () => {
    expect(WORKLOAD_RULES.karmada[KIND]).not.toHaveProperty("aggregateStatus");
  });

  it("has ended when the last run has", () => {
    const [first, last] = [ended("Succeeded", "2025-01-02T00:00:00Z"), ended("Succeeded", "2025-01-03T00:00:00Z")];

    expect(aggregate(first, last)).toEqual({ ...last, progress: "4/4" });
    expect(aggregate(first, { phase: "Running", progress: "1/2" })).toEqual({
      phase: "Running",
      message: "m1",
      progress: "3/4",
      startedAt: "2025-01-01T00:00:00Z",
    });
  });

  it("has failed when one run has, and says where", () => {
    const failed = { ...ended("Failed", "2025-01-02T00:00:00Z"), message: "exit code 1" };

    expect(aggregate(failed, ended("Succeeded", "2025-01-02T00:00:00Z"))).toMatchObject({
      phase: "Failed",
      message: "m0: exit code 1",
    });
  });

  it("waits for clusters that say nothing", () => {
    expect(aggregate(ended("Succeeded", "2025-01-02T00:00:00Z"), undefined)).toMatchObject({
      phase: "Pending",
      message: "m1: nothing reported yet",
    });
  });

  it("tells neither the nodes nor what came out of them", () => {
    const status = { phase: "Running", nodes: { a: {} }, outputs: {}, storedTemplates: {} };

    expect(BETTER.reflectStatus(customResource(KIND, { status }))).toEqual({ phase: "Running" });
  });
});

describe("CronWorkflow", () => {
  const kind = "argoproj.io/v1alpha1/CronWorkflow";
  const rules = rulesOf(WORKLOAD_RULES.more, kind);

  it("is healthy unless it cannot start its runs", () => {
    const conditions = [{ type: "SubmissionError", status: "True" }];

    expect(rules.interpretHealth(customResource(kind))).toBe(true);
    expect(rules.interpretHealth(customResource(kind, { status: { conditions } }))).toBe(false);
  });

  it("adds up the runs of all clusters", () => {
    const status = aggregatedStatus(
      rules,
      customResource(kind),
      reported("a", { succeeded: 2, active: [{ name: "x" }], lastScheduledTime: "2025-01-02T00:00:00Z" }),
      reported("b", { succeeded: 1, failed: 1, lastScheduledTime: "2025-01-01T00:00:00Z" }),
    );

    expect(status).toMatchObject({
      succeeded: 3,
      failed: 1,
      active: [{ name: "x" }],
      lastScheduledTime: "2025-01-02T00:00:00Z",
    });
  });

  it("refers to what its runs do", () => {
    const spec = { workflowSpec: { serviceAccountName: "runner" } };

    expect(rules.getDependencies(customResource(kind, { spec }))).toMatchObject([{ name: "runner" }]);
  });
});
