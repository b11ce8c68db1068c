import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { standardInterpreter } from "./standard-interpreter.ts";

const interpreter = standardInterpreter("flaghoist");

function deployment(replicas: number): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", generation: 1 }, spec: { replicas } };
}

/** What a cluster reports of a copy that is to have `desired` replicas. */
function item(clusterName: string, desired: number, counts: Record<string, number> | undefined): AggregatedStatusItem {
  const copy = { ...deployment(desired), status: { observedGeneration: 1, ...counts } };
  const metadata = { ...copy.metadata, annotations: { "resourcetemplate.karmada.io/generation": "1" } };
  const status = counts === undefined ? undefined : interpreter.reflectStatus({ ...copy, metadata });
  return { clusterName, ...(status === undefined ? {} : { status: { ...status } }) };
}

function statusOf(replicas: number, ...items: readonly AggregatedStatusItem[]): unknown {
  return interpreter.aggregateStatus(deployment(replicas), items, "2026-01-01T00:00:00Z")["status"];
}

const two = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

describe("the status of a Deployment", () => {
  it("adds up what was divided", () => {
    expect(statusOf(4, item("a", 2, two), item("b", 2, two))).toMatchObject({
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
    });
  });

  it("is that of one copy where every cluster has a whole one", () => {
    expect(statusOf(2, item("a", 2, two), item("b", 2, two))).toMatchObject({ ...two, observedGeneration: 1 });
  });

  it("is that of the copy that lags most", () => {
    const late = { replicas: 2, updatedReplicas: 1, unavailableReplicas: 2 };
    const status = statusOf(2, item("a", 2, two), item("b", 2, late));

    expect(status).toMatchObject({ replicas: 2, updatedReplicas: 1, unavailableReplicas: 2 });
    expect(status).not.toHaveProperty("availableReplicas", 2);
  });

  it("has no replica while a cluster has reported none", () => {
    expect(statusOf(2, item("a", 2, two), item("b", 2, undefined))).not.toHaveProperty("readyReplicas", 2);
  });

  it("tells of pods that are still to go", () => {
    expect(statusOf(2, item("a", 2, two), item("b", 2, { ...two, replicas: 3 }))).toMatchObject({ replicas: 3 });
  });
});
