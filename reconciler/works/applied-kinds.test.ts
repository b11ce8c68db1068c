import { describe, expect, it } from "vitest";
import { appliedKindsCondition, kindsBeside, readAppliedKinds } from "./applied-kinds.ts";

const NOW = Date.parse("2026-02-03T04:05:06.789Z");
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "Deployment" };
const WIDGET = { apiVersion: "example.org/v1beta1", kind: "Widget" };
const SECRET = { apiVersion: "v1", kind: "Secret" };

describe("appliedKindsCondition", () => {
  it("names the kinds, whatever their order was", () => {
    expect(appliedKindsCondition([SECRET, WIDGET, DEPLOYMENT], NOW)).toEqual({
      type: "AppliedKinds",
      status: "True",
      reason: "Recorded",
      message:
        "objects of these kinds were put into the cluster: apps/v1 Deployment, example.org/v1beta1 Widget, v1 Secret. " +
        "Copies that a restored backup brings back are looked for among them.",
      lastTransitionTime: "2026-02-03T04:05:06Z",
    });
  });

  it("fits into a condition, however many there are", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ apiVersion: "example.org/v1", kind: `Kind${index}` }));
    const condition = appliedKindsCondition(many, NOW);
    expect(condition.message.length).toBeLessThanOrEqual(32_768);
    expect(readAppliedKinds(condition).length).toBeGreaterThan(1_000);
  });
});

describe("readAppliedKinds", () => {
  it("reads what was told", () => {
    expect(readAppliedKinds(appliedKindsCondition([WIDGET, SECRET, DEPLOYMENT], NOW))).toEqual([
      DEPLOYMENT,
      WIDGET,
      SECRET,
    ]);
  });

  it("passes over what others wrote there", () => {
    const told = (message: string) => ({ ...appliedKindsCondition([], NOW), message });
    expect(readAppliedKinds(undefined)).toEqual([]);
    expect(readAppliedKinds(told("all of them"))).toEqual([]);
    const message =
      "objects of these kinds were put into the cluster: v1 Secret, v1, ../x Y, v1 a b, apps/v1 Pod. Copies ";
    expect(readAppliedKinds(told(message))).toEqual([SECRET, { apiVersion: "apps/v1", kind: "Pod" }]);
  });
});

describe("kindsBeside", () => {
  it("leaves out what is known", () => {
    expect(kindsBeside([SECRET, WIDGET], [DEPLOYMENT, SECRET])).toEqual([WIDGET]);
  });
});
