import { describe, expect, it } from "vitest";
import type { Fields } from "../../field-access.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "../testing/custom-resources.ts";
import { KUBEFLOW_RULES } from "./kubeflow.ts";

const EARLY = "2025-01-01T00:00:00Z";
const LATE = "2025-01-02T00:00:00Z";

function isTrue(type: string): Fields {
  return { type, status: "True", lastUpdateTime: EARLY, lastTransitionTime: EARLY };
}

describe("Notebook", () => {
  const rules = rulesOf(KUBEFLOW_RULES, "kubeflow.org/v1/Notebook");
  const notebook = (fields: Fields = {}) => customResource("kubeflow.org/v1/Notebook", fields);
  const running = (startedAt: string) => ({ readyReplicas: 1, containerState: { running: { startedAt } } });

  it("is one pod, with what its template asks for", () => {
    const spec = { template: podTemplate({ cpu: "1" }) };

    expect(rules.getReplicas(notebook({ spec }))).toEqual({
      replicas: 1,
      requirements: { resourceRequest: { cpu: "1" } },
    });
    expect(rules.getReplicas(notebook())).toEqual({ replicas: 1 });
  });

  it.each<[boolean, Fields]>([
    [true, { running: {} }],
    [true, { waiting: { reason: "ContainerCreating" } }],
    [false, { waiting: { reason: "ImagePullBackOff" } }],
    [true, { terminated: { exitCode: 0 } }],
    [false, { terminated: { exitCode: 1 } }],
    [false, { terminated: { reason: "OOMKilled" } }],
    [false, {}],
  ])("has health %s with a container that is %j", (healthy, containerState) => {
    expect(rules.interpretHealth(notebook({ status: { containerState } }))).toBe(healthy);
  });

  it("is ready when it runs everywhere, since the latest start", () => {
    expect(aggregatedStatus(rules, notebook(), reported("a", running(LATE)), reported("b", running(EARLY)))).toEqual({
      readyReplicas: 2,
      containerState: { running: { startedAt: LATE } },
      conditions: [
        {
          type: "Ready",
          status: "True",
          lastProbeTime: NOW,
          lastTransitionTime: NOW,
          reason: "Ready",
          message: "All notebooks are ready",
        },
      ],
    });
  });

  it("has failed where it does not run, and waits where nobody says anything of it", () => {
    const status = aggregatedStatus(rules, notebook(), reported("a", running(EARLY)), reported("b", {}));

    expect(status).toMatchObject({
      readyReplicas: 1,
      containerState: { waiting: { reason: "Unschedulable" } },
      conditions: [{ type: "Failed", message: "Notebook executed failed in member clusters: b" }],
    });
  });
});

describe("PyTorchJob", () => {
  const rules = rulesOf(KUBEFLOW_RULES, "kubeflow.org/v1/PyTorchJob");
  const job = (fields: Fields = {}) => customResource("kubeflow.org/v1/PyTorchJob", fields);
  const withRoles = (pytorchReplicaSpecs: Fields) => job({ spec: { pytorchReplicaSpecs } });

  it("is a component for each role, the master first", () => {
    const roles = { Worker: { replicas: 3, template: podTemplate({ cpu: "2" }) }, Master: {}, Other: {} };

    expect(rules.getComponents(withRoles(roles))).toEqual([
      { name: "master", replicas: 1 },
      { name: "worker", replicas: 3, replicaRequirements: { resourceRequest: { cpu: "2" } } },
    ]);
    expect(rules.getComponents(job())).toEqual([]);
  });

  it("depends on what the pods of all roles refer to, each once", () => {
    const template = podTemplate({}, { imagePullSecrets: [{ name: "pull" }], serviceAccountName: "trainer" });

    expect(rules.getDependencies(withRoles({ Master: { template }, Worker: { template } }))).toEqual([
      { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "pull" },
      { apiVersion: "v1", kind: "ServiceAccount", namespace: "shop", name: "trainer" },
    ]);
  });

  it("is healthy from its first condition until it fails", () => {
    expect(rules.interpretHealth(job())).toBe(false);
    expect(rules.interpretHealth(job({ status: { conditions: [isTrue("Created")] } }))).toBe(true);
    expect(rules.interpretHealth(job({ status: { conditions: [isTrue("Created"), isTrue("Failed")] } }))).toBe(false);
  });

  it("succeeds once every cluster has, with the first start and the last end", () => {
    const conditions = ["Created", "Running", "Succeeded"].map(isTrue);
    const a = { conditions, startTime: LATE, completionTime: LATE, replicaStatuses: { Master: { succeeded: 1 } } };
    const b = { conditions, startTime: EARLY, completionTime: EARLY, replicaStatuses: { Master: { succeeded: 1 } } };

    expect(aggregatedStatus(rules, job(), reported("a", a), reported("b", b))).toEqual({
      startTime: EARLY,
      completionTime: LATE,
      replicaStatuses: { Master: { succeeded: 2 } },
      conditions: [
        { ...isTrue("Created"), reason: "PyTorchJobCreated", message: "PyTorchJob is created." },
        { ...isTrue("Running"), status: "False", reason: "PyTorchJobRunning", message: "PyTorchJob is running." },
        {
          ...isTrue("Succeeded"),
          lastUpdateTime: LATE,
          lastTransitionTime: LATE,
          reason: "PyTorchJobSucceeded",
          message: "PyTorchJob is successfully completed.",
        },
      ],
    });
  });

  it("is told as never started while no cluster has it", () => {
    const template = job({ status: { startTime: EARLY, lastReconcileTime: LATE } });

    expect(aggregatedStatus(rules, template)).toEqual({ lastReconcileTime: LATE });
  });

  it("fails with the first cluster that fails, whatever else that one says", () => {
    const failed = { conditions: [isTrue("Failed"), isTrue("Succeeded")] };

    expect(aggregatedStatus(rules, job(), reported("a", failed), reported("b"))).toMatchObject({
      conditions: [{ type: "Failed", message: "PyTorchJob executed failed in member clusters: a" }],
    });
  });
});

describe("TFJob", () => {
  const rules = rulesOf(KUBEFLOW_RULES, "kubeflow.org/v1/TFJob");
  const job = (fields: Fields = {}) => customResource("kubeflow.org/v1/TFJob", fields);

  it("names its roles in lower case", () => {
    const tfReplicaSpecs = { Chief: { replicas: 1 }, PS: { replicas: "2" }, Evaluator: { replicas: 0 } };

    expect(rules.getComponents(job({ spec: { tfReplicaSpecs } }))).toEqual([
      { name: "ps", replicas: 2 },
      { name: "chief", replicas: 1 },
      { name: "evaluator", replicas: 0 },
    ]);
  });

  it("has one condition, when it has ended", () => {
    const succeeded = reported("a", { conditions: [isTrue("Running"), isTrue("Succeeded")] });

    expect(aggregatedStatus(rules, job(), succeeded, reported("b"))).toBeUndefined();
    expect(aggregatedStatus(rules, job(), succeeded)).toEqual({
      conditions: [
        {
          type: "Succeeded",
          status: "True",
          lastProbeTime: NOW,
          lastTransitionTime: NOW,
          reason: "Completed",
          message: "TFJob completed successfully",
        },
      ],
    });
  });
});

describe("MPIJob", () => {
  const rules = rulesOf(KUBEFLOW_RULES, "kubeflow.org/v2beta1/MPIJob");
  const job = (fields: Fields = {}) => customResource("kubeflow.org/v2beta1/MPIJob", fields);

  it("has one launcher and no workers unless more is written", () => {
    const mpiReplicaSpecs = { Worker: { template: podTemplate() }, Launcher: { template: podTemplate() }, Idle: {} };

    expect(rules.getComponents(job({ spec: { mpiReplicaSpecs } }))).toEqual([
      { name: "Launcher", replicas: 1 },
      { name: "Worker", replicas: 0 },
    ]);
  });

  it("says nothing healthy of a job without conditions", () => {
    expect(rules.interpretHealth(job({ status: { conditions: [] } }))).toBe(false);
    expect(rules.interpretHealth(job({ status: { conditions: [isTrue("Created")] } }))).toBe(true);
  });

  it("adds up the pods of each role and keeps the latest condition of each type", () => {
    const late = { ...isTrue("Running"), lastUpdateTime: LATE };
    const a = { replicaStatuses: { Worker: { active: 1 } }, conditions: [isTrue("Running")], startTime: LATE };
    const b = { replicaStatuses: { Worker: { active: 2 } }, conditions: [late, { type: "Odd" }], startTime: EARLY };

    expect(aggregatedStatus(rules, job(), reported("a", a), reported("b", b))).toEqual({
      replicaStatuses: { Worker: { active: 3, succeeded: 0, failed: 0 } },
      conditions: [late],
      startTime: EARLY,
    });
  });

  it("leaves the status alone while no cluster has the job", () => {
    const template = job({ status: { startTime: EARLY } });

    expect(rules.aggregateStatus(template, [], NOW)).toBe(template);
  });
});
