import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { rulesLevel } from "./kind-rules.ts";
import { NATIVE_RULES } from "./native.ts";

const level = rulesLevel(NATIVE_RULES);

function made(apiVersion: string, kind: string, content: object): KubeObject {
  return { apiVersion, kind, metadata: { name: "web", namespace: "shop", generation: 1 }, ...content };
}

/** What is reported, odd as it may be. */
function items(...statuses: readonly unknown[]): AggregatedStatusItem[] {
  return statuses.map((status, index) => ({ clusterName: `m${index}`, status }) as AggregatedStatusItem);
}

describe("rulesLevel", () => {
  it.each<[string, () => unknown]>([
    [
      "field status.replicas is not an integer",
      () => level.reflectStatus(made("apps/v1", "Deployment", { status: { replicas: "3" } })),
    ],
    [
      "field status.conditions[1].type is not a text",
      () =>
        level.interpretHealth(
          made("v1", "Pod", { status: { phase: "Running", conditions: [{ type: "Initialized" }, { type: 7 }] } }),
        ),
    ],
    [
      "field status.loadBalancer.ingress[0] is not an object",
      () =>
        level.interpretHealth(made("networking.k8s.io/v1", "Ingress", { status: { loadBalancer: { ingress: [1] } } })),
    ],
    [
      "field aggregatedStatus[1].status.readyReplicas is not an integer",
      () =>
        level.aggregateStatus(
          made("apps/v1", "Deployment", {}),
          items({ readyReplicas: 1 }, { readyReplicas: [] }),
          "2026-01-01T00:00:00Z",
        ),
    ],
    [
      "field aggregatedStatus[0].status is not an object",
      () => level.aggregateStatus(made("batch/v1", "CronJob", {}), items("well"), "2026-01-01T00:00:00Z"),
    ],
    [
      "field aggregatedStatus[0].status.lastScheduleTime is not a time",
      () =>
        level.aggregateStatus(
          made("batch/v1", "CronJob", {}),
          items({ lastScheduleTime: "noon" }),
          "2026-01-01T00:00:00Z",
        ),
    ],
    [
      "field (in the member).spec is not an object",
      () => level.retain(made("v1", "Service", { spec: {} }), made("v1", "Service", { spec: "x" })),
    ],
  ])("says where a field of a wrong type stands: %s", (message, ask) => {
    expect(ask).toThrow(expect.objectContaining({ code: "interpreter-field-malformed", message }));
  });

  it("tells of kinds that it does not know", () => {
    expect(() => level.interpretHealth(made("example.org/v1", "Gadget", {}))).toThrow(
      expect.objectContaining({ code: "interpreter-not-found" }),
    );
  });
});
