import { expect, it } from "vitest";
import { applySchemaDefaults } from "./schema-defaults.ts";

it("fills in what the CRD does, at every depth, and leaves the given object alone", () => {
  const given = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "web" },
    spec: {
      priority: null,
      suspension: null,
      preemption: "Always",
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }],
      failover: { application: { decisionConditions: {} } },
      placement: { replicaScheduling: {} },
    },
  };

  const filled = applySchemaDefaults(given);

  expect(filled["spec"]).toEqual({
    conflictResolution: "Abort",
    priority: 0,
    preemption: "Always",
    schedulerName: "default-scheduler",
    resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }],
    failover: { application: { decisionConditions: { tolerationSeconds: 300 }, purgeMode: "Gracefully" } },
    placement: { replicaScheduling: { replicaSchedulingType: "Divided" } },
  });
  expect(given.spec.placement).toEqual({ replicaScheduling: {} });
});

it("passes objects of other kinds through", () => {
  const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" } };

  expect(applySchemaDefaults(deployment)).toBe(deployment);
});
