import { describe, expect, it } from "vitest";
import type { Fields } from "../field-access.ts";
import { SPARK_RULES } from "./spark.ts";
import { aggregatedStatus, customResource, reported, rulesOf } from "./testing/custom-resources.ts";

const APPLICATION = "sparkoperator.k8s.io/v1beta2/SparkApplication";
const rules = rulesOf(SPARK_RULES, APPLICATION);

function application(spec: Fields = {}, status?: Fields) {
  return customResource(APPLICATION, { spec: { type: "Scala", ...spec }, ...(status === undefined ? {} : { status }) });
}

function memoryOf(driver: Fields, spec: Fields = {}): unknown {
  return rules.getComponents(application({ ...spec, driver }))[0]?.replicaRequirements?.resourceRequest?.["memory"];
}

describe("SparkApplication", () => {
  it("is one driver and its executors, each with a core and a gigabyte unless more is written", () => {
    expect(rules.getComponents(application({ executor: { instances: 3 } }))).toEqual([
      { name: "driver", replicas: 1, replicaRequirements: { resourceRequest: { cpu: "1", memory: "1408Mi" } } },
      { name: "executor", replicas: 3, replicaRequirements: { resourceRequest: { cpu: "1", memory: "1408Mi" } } },
    ]);
  });

  it("starts with the executors that dynamic allocation begins with", () => {
    const executors = (spec: Fields) => rules.getComponents(application(spec))[1]?.replicas;
    const dynamicAllocation = { enabled: true, initialExecutors: 4, minExecutors: 2 };

    expect(executors({ dynamicAllocation })).toBe(4);
    expect(executors({ dynamicAllocation, executor: { instances: 6 } })).toBe(6);
    expect(executors({ dynamicAllocation: { ...dynamicAllocation, enabled: false } })).toBe(1);
  });

  it("needs memory beside the heap: what is written, or a share of it but 384 MiB at least", () => {
    expect(memoryOf({ memory: "10g" })).toBe("11Gi");
    expect(memoryOf({ memory: "10g" }, { type: "Python" })).toBe("14Gi");
    expect(memoryOf({ memory: "8g" }, { memoryOverheadFactor: "0.5" })).toBe("12Gi");
    expect(memoryOf({ memory: "512m" })).toBe("896Mi");
    expect(memoryOf({ memory: "1g", memoryOverhead: "512m" })).toBe("1536Mi");
  });

  it("takes a bare number for mebibytes as Spark does, and bytes for what they are", () => {
    expect(memoryOf({ memory: "1024", memoryOverhead: "1024" })).toBe("2Gi");
    expect(memoryOf({ memory: "1048576b", memoryOverhead: "0b" })).toBe("1048576");
    expect(() => memoryOf({ memory: "1 gig" })).toThrow(
      "field spec.driver.memory is not an amount of memory such as 512m or 2g",
    );
  });

  it("needs the nodes and accelerators that are written", () => {
    const driver = { gpu: { name: "nvidia.com/gpu", quantity: 2 }, nodeSelector: { pool: "gpu" }, tolerations: [] };

    expect(rules.getComponents(application({ driver }))[0]?.replicaRequirements).toEqual({
      resourceRequest: { cpu: "1", memory: "1408Mi", "nvidia.com/gpu": "2" },
      nodeClaim: { nodeSelector: { pool: "gpu" } },
    });
  });

  it("is healthy in any state but FAILED", () => {
    const inState = (state?: string) => application({}, { applicationState: { state } });

    expect(rules.interpretHealth(inState("SUBMISSION_FAILED"))).toBe(true);
    expect(rules.interpretHealth(inState("FAILED"))).toBe(false);
    expect(rules.interpretHealth(inState())).toBe(false);
    expect(rules.interpretHealth(application())).toBe(false);
  });

  it("tells the worst state, all attempts and the latest times", () => {
    const a = {
      applicationState: { state: "COMPLETED" },
      executionAttempts: 1,
      terminationTime: "2025-01-02T00:00:00Z",
    };
    const b = { applicationState: { state: "FAILING", errorMessage: "x" }, executorState: { e1: "RUNNING" } };

    expect(aggregatedStatus(rules, application(), reported("a", a), reported("b", b))).toEqual({
      applicationState: { state: "FAILING", errorMessage: "x" },
      executionAttempts: 1,
      submissionAttempts: 0,
      executorState: { e1: "RUNNING" },
      lastSubmissionAttemptTime: "",
      terminationTime: "2025-01-02T00:00:00Z",
    });
  });

  it("tells a state it does not know when nothing worse is known", () => {
    const of = (state: string) => ({ applicationState: { state } });
    const status = aggregatedStatus(rules, application(), reported("a", of("DREAMING")), reported("b", of("UNKNOWN")));

    expect(status).toMatchObject({ applicationState: { state: "DREAMING" } });
  });
});
