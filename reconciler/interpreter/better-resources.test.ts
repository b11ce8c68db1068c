import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { standardInterpreter } from "./standard-interpreter.ts";

const interpreter = standardInterpreter("flaghoist");
const NOW = "2026-01-01T00:00:00Z";

function made(apiVersion: string, kind: string, status?: object): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", generation: 3 }, ...(status === undefined ? {} : { status }) };
}

function aggregate(template: KubeObject, ...statuses: readonly (object | undefined)[]): Record<string, unknown> {
  const items = statuses.map((status, index): AggregatedStatusItem => {
    const metadata = { ...template.metadata, annotations: { "resourcetemplate.karmada.io/generation": "3" } };
    const reflected = status === undefined ? undefined : interpreter.reflectStatus({ ...template, metadata, status });
    return { clusterName: `m${index}`, ...(reflected === undefined ? {} : { status: { ...reflected } }) };
  });
  // Every rule here writes a status.
  return interpreter.aggregateStatus(template, items, NOW)["status"] as Record<string, unknown>;
}

const condition = (type: string, status: string, reason: string): object => ({ type, status, reason, message: "m" });

describe("a PersistentVolumeClaim", () => {
  const claim = made("v1", "PersistentVolumeClaim");
  const bound = { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] };

  it.each([
    ["Bound", [bound, bound]],
    ["Pending", [bound, { phase: "Pending" }]],
    ["Pending", [bound, undefined]],
    ["Pending", []],
    ["Lost", [{ phase: "Pending" }, { phase: "Lost" }, bound]],
  ])("is %s for %j", (phase, statuses) => {
    expect(aggregate(claim, ...statuses)).toMatchObject({ phase });
  });

  it("has the capacity that all copies have", () => {
    expect(aggregate(claim, bound, bound)).toEqual(bound);
    expect(aggregate(claim, bound, { ...bound, capacity: { storage: "2Gi" } })).toEqual({
      phase: "Bound",
      accessModes: ["ReadWriteOnce"],
    });
  });
});

describe("a PodDisruptionBudget", () => {
  const budget = made("policy/v1", "PodDisruptionBudget");
  const fine = {
    currentHealthy: 2,
    observedGeneration: 3,
    conditions: [condition("DisruptionAllowed", "True", "SufficientPods")],
  };

  it("is observed, and allows disruptions, once it is so everywhere", () => {
    expect(aggregate(budget, fine, fine)).toMatchObject({
      currentHealthy: 4,
      observedGeneration: 3,
      conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods", lastTransitionTime: NOW }],
    });
  });

  it("says so when it cannot be kept somewhere", () => {
    const failing = { ...fine, conditions: [condition("DisruptionAllowed", "False", "SyncFailed")] };

    expect(aggregate(budget, fine, failing)["conditions"]).toMatchObject([{ status: "False", reason: "SyncFailed" }]);
  });
});

describe("a HorizontalPodAutoscaler", () => {
  const scaler = made("autoscaling/v2", "HorizontalPodAutoscaler");
  const active = (status: string, reason: string): object => ({
    currentReplicas: 1,
    desiredReplicas: 1,
    conditions: [
      condition("ScalingActive", status, reason),
      condition("ScalingLimited", "False", "DesiredWithinRange"),
    ],
  });

  it("has the conditions of its copies, the worst of each", () => {
    const { conditions } = aggregate(
      scaler,
      active("True", "ValidMetricFound"),
      active("False", "FailedGetResourceMetric"),
    );

    expect(conditions).toMatchObject([
      { type: "AbleToScale", status: "Unknown" },
      { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" },
      { type: "ScalingLimited", status: "False", reason: "DesiredWithinRange" },
    ]);
  });
});

describe("a CronJob", () => {
  it("has the times of the cluster whose last run failed", () => {
    const times = aggregate(
      made("batch/v1", "CronJob"),
      { lastScheduleTime: "2026-01-01T02:00:00Z", lastSuccessfulTime: "2026-01-01T02:01:00Z" },
      { lastScheduleTime: "2026-01-01T01:00:00Z", lastSuccessfulTime: "2026-01-01T00:01:00Z" },
    );

    expect(times).toEqual({ lastScheduleTime: "2026-01-01T01:00:00Z", lastSuccessfulTime: "2026-01-01T00:01:00Z" });
  });
});

describe("a StatefulSet", () => {
  it("has one revision once every cluster has", () => {
    const set = made("apps/v1", "StatefulSet");
    const rolling = { currentRevision: "a", updateRevision: "b" };
    const done = { currentRevision: "b", updateRevision: "b" };

    expect(aggregate(set, done, rolling)).toMatchObject(rolling);
    expect(aggregate(set, done, done)).toMatchObject(done);
  });
});

describe("a ReplicationController", () => {
  it("is aggregated as a ReplicaSet is", () => {
    const status = {
      observedGeneration: 3,
      replicas: 1,
      fullyLabeledReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    };

    expect(aggregate(made("v1", "ReplicationController"), status)).toEqual(status);
  });
});
