import { describe, expect, it } from "vitest";
import { aggregatedStatus, customResource, reported } from "../testing/custom-resources.ts";
import { CLONE_SET, CLONE_SET_WITH_AVAILABILITY, STATEFUL_SET_WITH_AVAILABILITY } from "./workloads.ts";

const CLONES = customResource("apps.kruise.io/v1alpha1/CloneSet");

describe("pods that are updated and available", () => {
  it("are collected and counted, which Karmada does not", () => {
    const status = { replicas: 2, updatedAvailableReplicas: 2 };
    const copy = { ...CLONES, status };

    expect(CLONE_SET_WITH_AVAILABILITY.reflectStatus?.(copy)).toEqual(status);
    expect(CLONE_SET.reflectStatus?.(copy)).toEqual({ replicas: 2 });
    const reports = [reported("a", status), reported("b", { ...status, updatedAvailableReplicas: 1 })];
    for (const rules of [CLONE_SET_WITH_AVAILABILITY, STATEFUL_SET_WITH_AVAILABILITY])
      expect(aggregatedStatus(rules, CLONES, ...reports)).toMatchObject({ replicas: 4, updatedAvailableReplicas: 3 });
  });

  it("are not told where no member counts them", () => {
    const status = aggregatedStatus(CLONE_SET_WITH_AVAILABILITY, CLONES, reported("a", { replicas: 2 }));

    expect(status).not.toHaveProperty("updatedAvailableReplicas");
  });
});
