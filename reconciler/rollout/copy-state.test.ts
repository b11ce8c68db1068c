import { describe, expect, it } from "vitest";
import type { Work } from "../../api/work.ts";
import { cluster } from "../../test/builders.ts";
import { copyState, unavailableSince } from "./copy-state.ts";
import { REVISION_ANNOTATION } from "./rollout-state.ts";

interface WorkWords {
  readonly generation?: number;
  readonly observed?: number;
  readonly applied?: "True" | "False";
  readonly health?: "Healthy" | "Unhealthy" | "Unknown";
  readonly kind?: string;
  readonly status?: Record<string, unknown>;
}

function work({
  generation = 2,
  observed = 2,
  applied = "True",
  health,
  kind = "Deployment",
  status,
}: WorkWords): Work {
  const group = kind === "Job" ? "batch" : "apps";
  const identifier = { ordinal: 0, group, version: "v1", kind, resource: "", namespace: "shop", name: "web" };
  return {
    apiVersion: "work.karmada.io/v1alpha1",
    kind: "Work",
    metadata: { name: "web", namespace: "karmada-es-a", generation, annotations: { [REVISION_ANNOTATION]: "r1" } },
    spec: {},
    status: {
      conditions: [
        {
          type: "Applied",
          status: applied,
          reason: "Test",
          message: "refused",
          lastTransitionTime: "2026-01-01T00:00:00Z",
          observedGeneration: observed,
        },
      ],
      manifestStatuses: [
        { identifier, ...(health === undefined ? {} : { health }), ...(status === undefined ? {} : { status }) },
      ],
    },
  };
}

const job = (type: string, message = "") => ({ conditions: [{ type, status: "True", message }] });

describe("a copy", () => {
  it.each<[string, Work | undefined, ReturnType<typeof copyState>]>([
    ["that is not there", undefined, { copy: "pending" }],
    ["that is healthy", work({ health: "Healthy" }), { copy: "healthy" }],
    [
      "whose report is of an earlier manifest",
      work({ observed: 1, health: "Healthy" }),
      { copy: "pending", message: "it was not applied yet" },
    ],
    ["that the cluster refuses", work({ applied: "False" }), { copy: "unhealthy", message: "refused" }],
    [
      "that has not come up",
      work({ health: "Unhealthy", status: { replicas: 2, updatedReplicas: 1 } }),
      { copy: "unhealthy", message: "of 2 replicas 1 updated, 0 available" },
    ],
    [
      "whose health nobody can tell",
      work({ health: "Unknown" }),
      { copy: "unhealthy", message: "nobody can tell whether it is healthy" },
    ],
    [
      "that is a Job on its way, whatever its health is called",
      work({ kind: "Job", health: "Healthy", status: { active: 1 } }),
      { copy: "unhealthy", message: "the Job is not complete" },
    ],
    ["that is a complete Job", work({ kind: "Job", status: job("Complete") }), { copy: "healthy" }],
    [
      "that is a failed Job",
      work({ kind: "Job", status: job("Failed", "too often") }),
      { copy: "failed", message: "too often" },
    ],
  ])("%s", (_name, found, shows) => {
    expect(copyState(found, "r1")).toEqual(shows);
  });

  it("of another revision shows nothing of this one", () => {
    expect(copyState(work({ health: "Healthy" }), "r2")).toEqual({ copy: "pending" });
  });
});

describe("unavailableSince", () => {
  it("is the time since which a cluster is not ready", () => {
    expect(unavailableSince(cluster({ name: "a" }))).toBeUndefined();
    expect(unavailableSince(cluster({ name: "a", ready: false }))).toBe(Date.parse("2026-01-01T00:00:00Z"));
    expect(unavailableSince(undefined)).toBe(0);
  });
});
