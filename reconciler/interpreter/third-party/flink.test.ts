import { describe, expect, it } from "vitest";
import type { Fields } from "../field-access.ts";
import { NOTHING_REPORTED } from "../interpreter.ts";
import { FLINK_RULES } from "./flink.ts";
import { aggregatedStatus, customResource, NOW, reported, rulesOf } from "./testing/custom-resources.ts";

const DEPLOYMENT = "flink.apache.org/v1beta1/FlinkDeployment";
const rules = rulesOf(FLINK_RULES, DEPLOYMENT);

function deployment(spec: Fields = {}, status?: Fields) {
  return customResource(DEPLOYMENT, { spec, ...(status === undefined ? {} : { status }) });
}

describe("FlinkDeployment", () => {
  it("is one job manager and one task manager unless more is written", () => {
    expect(rules.getComponents(deployment())).toEqual([
      { name: "jobmanager", replicas: 1, replicaRequirements: {} },
      { name: "taskmanager", replicas: 1, replicaRequirements: {} },
    ]);
    expect(rules.getReplicas(deployment()).replicas).toBe(2);
  });

  it("has the task managers that its parallelism takes", () => {
    const flinkConfiguration = { "taskmanager.numberOfTaskSlots": "4" };
    const parallel = deployment({ flinkConfiguration, job: { parallelism: 7 } });
    const written = deployment({ flinkConfiguration, job: { parallelism: 7 }, taskManager: { replicas: 5 } });

    expect(rules.getReplicas(parallel).replicas).toBe(3);
    expect(rules.getReplicas(written).replicas).toBe(6);
  });

  it("asks for what each manager needs, with memory in bytes", () => {
    const resources = (cpu: unknown, memory: unknown) => ({ resource: { cpu, memory } });
    const object = deployment({ jobManager: resources(0.5, "1Gi"), taskManager: resources("2", "2048m") });

    expect(rules.getComponents(object).map(({ replicaRequirements }) => replicaRequirements)).toEqual([
      { resourceRequest: { cpu: "500m", memory: "1073741824" } },
      { resourceRequest: { cpu: "2", memory: "2.048" } },
    ]);
  });

  it("asks for the greater of both managers' needs when it is divided as a whole", () => {
    const object = deployment({
      jobManager: { resource: { cpu: 1, memory: "4Gi" } },
      taskManager: { resource: { cpu: 2, memory: "2Gi" } },
      podTemplate: { spec: { nodeSelector: { disk: "ssd" }, priorityClassName: "high" } },
    });

    expect(rules.getReplicas(object).requirements).toEqual({
      resourceRequest: { cpu: "2", memory: "4Gi" },
      nodeClaim: { nodeSelector: { disk: "ssd" } },
      priorityClassName: "high",
      namespace: "shop",
    });
  });

  it("compares cores however they are written", () => {
    const cores = (ofJob: unknown, ofTasks: unknown) =>
      rules.getReplicas(
        deployment({ jobManager: { resource: { cpu: ofJob } }, taskManager: { resource: { cpu: ofTasks } } }),
      ).requirements?.resourceRequest?.["cpu"];

    expect(cores("0.5", "1e3")).toBe("1k");
    expect(cores(1, "500m")).toBe("1");
    expect(cores("500m", 0.25)).toBe("500m");
  });

  it("names the quantity that is none", () => {
    const broken = deployment({ jobManager: { resource: { memory: "much" } } });

    expect(() => rules.getComponents(broken)).toThrow("field spec.jobManager.resource.memory is not a quantity");
    expect(() => rules.getReplicas(broken)).toThrow("field spec.jobManager.resource.memory is not a quantity");
  });

  it.each(["RUNNING", "FINISHED", "FAILED", "SUSPENDED", "CANCELLING", "RESTARTING"])(
    "is healthy when its job is %s",
    (state) => {
      expect(rules.interpretHealth(deployment({}, { jobStatus: { state } }))).toBe(true);
    },
  );

  it("is unhealthy while its job starts, unless the author is to blame", () => {
    const starting = (error?: string) => deployment({}, { jobStatus: { state: "RECONCILING" }, error });

    expect(rules.interpretHealth(starting())).toBe(false);
    expect(rules.interpretHealth(starting("no route to host"))).toBe(false);
    expect(rules.interpretHealth(starting('{"message":"back-off: ImagePullBackOff"}'))).toBe(true);
  });

  it("without a job is healthy when its manager is ready and stable", () => {
    const status = { jobManagerDeploymentStatus: "READY", lifecycleState: "STABLE" };

    expect(rules.interpretHealth(deployment({}, status))).toBe(true);
    expect(rules.interpretHealth(deployment({}, { ...status, lifecycleState: "DEPLOYED" }))).toBe(false);
    expect(rules.interpretHealth(deployment())).toBe(false);
  });

  it("has the report of the last cluster, whole", () => {
    const status = aggregatedStatus(
      rules,
      deployment({}, { error: "old", kept: 1 }),
      reported("a", { error: "boom", lifecycleState: "FAILED" }),
      reported("b", { lifecycleState: "STABLE" }),
      reported("c"),
    );

    expect(status).toEqual({ kept: 1, lifecycleState: "STABLE" });
  });

  it("leaves the status alone while the binding has none, and empties it once no cluster reports", () => {
    const template = deployment({}, { error: "old" });

    expect(rules.aggregateStatus(template, NOTHING_REPORTED, NOW)).toBe(template);
    expect(aggregatedStatus(rules, template, reported("a"))).toEqual({
      error: "",
      jobManagerDeploymentStatus: "",
      lifecycleState: "",
      observedGeneration: 0,
    });
  });
});
