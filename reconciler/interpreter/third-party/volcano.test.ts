import { describe, expect, it } from "vitest";
import type { Fields } from "../field-access.ts";
import { aggregatedStatus, customResource, NOW, podTemplate, reported, rulesOf } from "./testing/custom-resources.ts";
import { VOLCANO_RULES } from "./volcano.ts";

const JOB = "batch.volcano.sh/v1alpha1/Job";
const rules = rulesOf(VOLCANO_RULES, JOB);

function job(fields: Fields = {}) {
  return customResource(JOB, fields);
}

function inPhase(phase: unknown) {
  return job({ status: { state: { phase } } });
}

describe("Volcano Job", () => {
  it("is a component for each task, with the pods the task cannot start without", () => {
    const tasks = [
      { name: "ps", minAvailable: 2, replicas: 4, template: podTemplate({ cpu: "100m" }) },
      { replicas: 3, template: podTemplate({ memory: "1Gi" }) },
    ];

    expect(rules.getComponents(job({ spec: { tasks } }))).toEqual([
      { name: "ps", replicas: 2, replicaRequirements: { resourceRequest: { cpu: "100m" } } },
      { name: "task-1", replicas: 1, replicaRequirements: { resourceRequest: { memory: "1Gi" } } },
    ]);
    expect(rules.getComponents(job())).toEqual([]);
    expect(rules.getComponents(job({ spec: { tasks: [{}] } }))).toEqual([{ name: "task-0", replicas: 1 }]);
  });

  it("reads the number of pods from a text, and refuses a broken one", () => {
    const components = (minAvailable: unknown) => rules.getComponents(job({ spec: { tasks: [{ minAvailable }] } }));

    expect(components("3")).toEqual([{ name: "task-0", replicas: 3 }]);
    expect(components(0)).toEqual([{ name: "task-0", replicas: 0 }]);
    expect(() => components(1.5)).toThrow("field spec.tasks[0].minAvailable is not an integer of 32 bits");
  });

  it.each(["Pending", "Running", "Aborted", "Terminated", "Completed"])("is healthy when %s", (phase) => {
    expect(rules.interpretHealth(inPhase(phase))).toBe(true);
  });

  it.each(["Failed", "", undefined])("is not healthy when %s", (phase) => {
    expect(rules.interpretHealth(inPhase(phase))).toBe(false);
  });

  it("collects the counters, state and conditions that are there", () => {
    const status = { running: 0, taskStatusCount: {}, state: { phase: "Running" }, conditions: [], other: 1 };

    expect(rules.reflectStatus(job({ status }))).toEqual({ running: 0, state: { phase: "Running" } });
    expect(rules.reflectStatus(job())).toEqual({});
  });

  it("has the status of a sole cluster as it is", () => {
    expect(aggregatedStatus(rules, job(), reported("a", { running: 0, other: 1 }))).toEqual({ running: 0, other: 1 });
  });

  it("adds up counters and task phases, and keeps the longest duration", () => {
    const a = { running: 1, version: 3, runningDuration: "1m20s", taskStatusCount: { t: { phase: { Running: 1 } } } };
    const b = { running: 2, version: 1, runningDuration: "95s", taskStatusCount: { t: { phase: { Running: 2 } } } };

    expect(aggregatedStatus(rules, job(), reported("a", a), reported("b", b), reported("c"))).toEqual({
      running: 3,
      version: 3,
      runningDuration: "95s",
      taskStatusCount: { t: { phase: { Running: 3 } } },
    });
  });

  it("completes once every cluster has, and fails with the first that fails", () => {
    const of = (phase: string) => ({ state: { phase } });

    expect(aggregatedStatus(rules, job(), reported("a", of("Completed")), reported("b", of("Completed")))).toEqual({
      state: {
        phase: "Completed",
        reason: "Completed",
        message: "Job completed successfully",
        lastTransitionTime: NOW,
      },
    });
    expect(aggregatedStatus(rules, job(), reported("a", of("Completed")), reported("b"))).toBeUndefined();
    expect(aggregatedStatus(rules, job(), reported("a", of("Aborted")), reported("b", of("Failed")))).toEqual({
      state: {
        phase: "Failed",
        reason: "VolcanoJobFailed",
        message: "Job failed in clusters: a,b",
        lastTransitionTime: NOW,
      },
    });
  });

  it("tells the latest condition of each status, or all of the first cluster that failed", () => {
    const early = { status: "Running", lastTransitionTime: "2025-01-01T00:00:00Z" };
    const late = { status: "Running", lastTransitionTime: "2025-01-02T00:00:00Z" };
    const timeless = { status: "Running" };
    const failed = { status: "Failed", lastTransitionTime: "2025-01-01T00:00:00Z" };
    const conditions = (...of: Fields[]) => ({ conditions: of });

    const running = [reported("a", conditions(timeless, early)), reported("b", conditions(late))];
    expect(aggregatedStatus(rules, job(), ...running)).toEqual(conditions(late));
    expect(aggregatedStatus(rules, job(), ...running, reported("c", conditions(early, failed)))).toEqual(
      conditions(early, failed),
    );
  });

  it("names the field that is of a wrong type", () => {
    expect(() => aggregatedStatus(rules, job(), reported("a", { running: [] }), reported("b"))).toThrow(
      "field status.running is not a number",
    );
  });
});
