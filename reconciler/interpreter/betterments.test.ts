import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { nativeRules } from "./betterments.ts";
import { createInterpreter } from "./levels.ts";
import { nativeLevel } from "./native.ts";

const now = "2026-01-01T00:00:00Z";
const later = "2026-01-01T00:05:00Z";
const ours = createInterpreter({ native: nativeLevel(nativeRules("flaghoist")) });
const karmadas = createInterpreter({ native: nativeLevel(nativeRules("karmada")) });

function workload(kind: string, status?: Record<string, unknown>): KubeObject {
  return {
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "web", namespace: "shop", generation: 2 },
    spec: { replicas: 4 },
    ...(status === undefined ? {} : { status }),
  };
}

function member(clusterName: string, status: Record<string, unknown>): AggregatedStatusItem {
  return { clusterName, applied: true, health: "Healthy", status };
}

function counters(replicas: number, available: number): Record<string, unknown> {
  return {
    replicas,
    updatedReplicas: replicas,
    readyReplicas: available,
    availableReplicas: available,
    observedGeneration: 1,
    generation: 1,
    resourceTemplateGeneration: 2,
  };
}

function conditions(object: KubeObject): unknown[] {
  return ((object["status"] as { conditions?: Record<string, unknown>[] }).conditions ?? []).map(
    ({ type, status, reason }) => `${type} ${status} ${reason}`,
  );
}

describe("rollouts of Deployments under compatibility flaghoist", () => {
  it("are complete once every copy runs the newest template", () => {
    const object = ours.aggregateStatus(
      workload("Deployment"),
      [member("a", counters(2, 2)), member("b", counters(2, 2))],
      now,
    );

    expect(conditions(object)).toEqual([
      "Available True MinimumReplicasAvailable",
      "Progressing True NewReplicaSetAvailable",
    ]);
    expect(object).toMatchObject({ status: { observedGeneration: 2 } });
  });

  it("are under way while replicas are missing", () => {
    const object = ours.aggregateStatus(
      workload("Deployment"),
      [member("a", counters(2, 0)), member("b", counters(2, 2))],
      now,
    );

    expect(conditions(object)).toEqual([
      "Available False MinimumReplicasUnavailable",
      "Progressing True ReplicaSetUpdated",
    ]);
  });

  it("stand still when a member's deadline has passed", () => {
    const copy: KubeObject = {
      ...workload("Deployment", {
        ...counters(2, 0),
        conditions: [
          { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" },
          { type: "Available", status: "False" },
        ],
      }),
      metadata: { name: "web", annotations: { "resourcetemplate.karmada.io/generation": "2" } },
    };
    const reflected = ours.reflectStatus(copy) ?? {};

    const object = ours.aggregateStatus(workload("Deployment"), [member("a", { ...reflected })], now);

    expect(conditions(object)).toContain("Progressing False ProgressDeadlineExceeded");
  });

  it("are written once: a second look changes nothing", () => {
    const items = [member("a", counters(4, 4))];
    const first = ours.aggregateStatus(workload("Deployment"), items, now);

    expect(ours.aggregateStatus(first, items, later)).toBe(first);
  });

  it("leave conditions alone under compatibility karmada", () => {
    expect(conditions(karmadas.aggregateStatus(workload("Deployment"), [member("a", counters(4, 4))], now))).toEqual(
      [],
    );
  });
});

describe("StatefulSets under compatibility flaghoist", () => {
  it("have the template's generation observed once every copy has", () => {
    const copy: KubeObject = {
      ...workload("StatefulSet", { replicas: 4, availableReplicas: 4, observedGeneration: 1 }),
      metadata: { name: "web", generation: 1, annotations: { "resourcetemplate.karmada.io/generation": "2" } },
    };

    const items = [member("a", { ...ours.reflectStatus(copy) })];

    expect(ours.aggregateStatus(workload("StatefulSet"), items, now)).toMatchObject({
      status: { observedGeneration: 2 },
    });
    expect(karmadas.reflectStatus(copy)).not.toHaveProperty("observedGeneration");
  });
});

describe("Jobs under compatibility flaghoist", () => {
  const failed = { failed: 1, conditions: [{ type: "Failed", status: "True" }] };

  it("are only failing while pods run elsewhere, and have failed once the last is gone", () => {
    const failing = ours.aggregateStatus(workload("Job"), [member("a", failed), member("b", { active: 1 })], now);
    const done = ours.aggregateStatus(failing, [member("a", failed), member("b", { failed: 1 })], later);

    expect(conditions(failing)).toEqual(["FailureTarget True JobFailed"]);
    expect(conditions(done)).toEqual(["FailureTarget True JobFailed", "Failed True JobFailed"]);
    expect(done).toMatchObject({
      status: { conditions: [{ lastTransitionTime: now }, { lastTransitionTime: later }] },
    });
  });

  it("announce their completion and have their times", () => {
    const complete = { succeeded: 1, startTime: now, conditions: [{ type: "Complete", status: "True" }] };

    const object = ours.aggregateStatus(workload("Job"), [member("a", complete)], later);

    expect(conditions(object)).toEqual(["SuccessCriteriaMet True CompletionsReached", "Complete True Completed"]);
    expect(object).toMatchObject({ status: { startTime: now, completionTime: later } });
  });
});
