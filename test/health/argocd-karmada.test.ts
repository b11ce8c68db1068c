import { describe, expect, it } from "vitest";
import { type BindingHealth, bindingHealth } from "./argocd-karmada.ts";

function healthOf(clusters: readonly string[] | undefined, ...reports: readonly object[]): BindingHealth {
  return bindingHealth({
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name: "web-deployment", namespace: "shop" },
    spec: clusters === undefined ? {} : { clusters: clusters.map((name) => ({ name })) },
    status: reports.length === 0 ? {} : { aggregatedStatus: reports },
  });
}

const healthy = { clusterName: "a", applied: true, health: "Healthy" };

describe("bindingHealth", () => {
  it("is Progressing until all clusters have reported", () => {
    expect(healthOf(undefined).status).toBe("Progressing");
    expect(healthOf([], healthy).status).toBe("Progressing");
    expect(healthOf(["a", "b"], healthy).status).toBe("Progressing");
    expect(healthOf(["a"], healthy).status).toBe("Healthy");
  });

  it("is Degraded where a copy is unhealthy, or was not applied", () => {
    expect(healthOf(["a", "b"], healthy, { applied: true, health: "Unhealthy" }).status).toBe("Degraded");
    expect(healthOf(["a"], { applied: false, health: "Unknown" }).status).toBe("Degraded");
    expect(healthOf(["a"], { applied: true, health: "Unknown" }).status).toBe("Healthy");
  });

  it("asks of a dependency's binding only who reported", () => {
    expect(healthOf(undefined, healthy, healthy).status).toBe("Healthy");
  });
});
