import { describe, expect, it } from "vitest";
import { fleetStageSchema } from "./fleet-stages.ts";

const STAGE = { name: "x", resourceRef: { kind: "Pod" }, selector: {}, next: { delete: true } };

function problems(change: Record<string, unknown>): string[] {
  const result = fleetStageSchema.safeParse({ ...STAGE, ...change });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("a stage of a scenario", () => {
  it("is of v1 and weighs nothing where it does not say so", () => {
    expect(fleetStageSchema.parse(STAGE)).toMatchObject({ resourceRef: { apiGroup: "v1" }, weight: 0 });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["nothing to do", { next: {} }, "next: must say what becomes of the object"],
    ["more beside the kubelet", { next: { kubelet: "run", delete: true } }, "next.kubelet: the kubelet decides itself"],
    [
      "a path that is none",
      { selector: { matchExpressions: [{ key: ".a[", operator: "Exists" }] } },
      "selector.matchExpressions.0.key: ",
    ],
    [
      "In without values",
      { selector: { matchExpressions: [{ key: ".a", operator: "In" }] } },
      "selector.matchExpressions.0.values: In needs values",
    ],
    [
      "Exists with values",
      { selector: { matchExpressions: [{ key: ".a", operator: "Exists", values: ["x"] }] } },
      "selector.matchExpressions.0.values: Exists takes no values",
    ],
    ["a negative weight", { weight: -1 }, "weight: "],
    ["kwok's template", { next: { statusTemplate: "phase: Running" } }, "next: "],
  ])("is refused with %s", (_what, change, problem) => {
    expect(problems(change).join("\n")).toContain(problem);
  });
});
