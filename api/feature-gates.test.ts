import { describe, expect, it } from "vitest";
import { featureGates, parseFeatureGates } from "./feature-gates.ts";

describe("feature gates", () => {
  it("are Karmada's defaults until they are changed", () => {
    const gates = featureGates(parseFeatureGates("WorkloadAffinity=true, PropagateDeps=false"));

    expect(gates.WorkloadAffinity).toBe(true);
    expect(gates.PropagateDeps).toBe(false);
    expect(gates.PriorityBasedScheduling).toBe(true);
  });

  it("believe what is said last", () => {
    expect(parseFeatureGates("WorkloadAffinity=true,WorkloadAffinity=false")).toEqual({ WorkloadAffinity: false });
  });

  it.each([
    ["WorkloadAffinity", '"WorkloadAffinity" is not of the form Gate=true or Gate=false'],
    ["WorkloadAffinity=yes", '"WorkloadAffinity=yes" is not of the form Gate=true or Gate=false'],
    ["MultiClusterService=true", "the gate MultiClusterService is Karmada's, but switches nothing here"],
  ])("refuse %s", (text, message) => {
    expect(() => parseFeatureGates(text)).toThrow(message);
  });

  it("name those there are when one is not", () => {
    expect(() => parseFeatureGates("Nope=true")).toThrow(/there is no gate "Nope"; there are .*WorkloadAffinity/);
  });
});
