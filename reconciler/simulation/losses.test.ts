import { describe, expect, it } from "vitest";
import { planClusters } from "../../api/fleet-plan.ts";
import { failureOf } from "../../test/failure-of.ts";
import { lossName, possibleLosses, readLosses } from "./losses.ts";

const PLAN = planClusters({
  clusters: [
    { name: "paris", region: "eu", provider: "gcp", zones: ["eu-a", "eu-b"] },
    { name: "lyon", region: "eu", provider: "azure", zones: ["eu-a"] },
    { name: "tokyo", region: "ap" },
  ],
});

describe("possible losses", () => {
  it("are every cluster, zone, region and provider, once each", () => {
    expect(possibleLosses(PLAN).map(lossName)).toEqual([
      "cluster paris",
      "cluster lyon",
      "cluster tokyo",
      "zone eu-a",
      "zone eu-b",
      "region eu",
      "region ap",
      "provider gcp",
      "provider azure",
    ]);
  });

  it("name the clusters that they concern", () => {
    expect(readLosses(["zone/eu-a"], PLAN)[0]?.clusters).toEqual(["paris", "lyon"]);
  });

  it("can be chosen by kind, and twice named are one", () => {
    expect(readLosses(["region", "region/ap"], PLAN).map(lossName)).toEqual(["region eu", "region ap"]);
  });

  it("that the fleet does not have are refused with what was meant", () => {
    expect(failureOf(() => readLosses(["zone/eu-aa"], PLAN))).toMatchObject({
      code: "loss-unknown",
      message: "the fleet has no zone eu-aa; did you mean zone/eu-a?",
    });
    expect(failureOf(() => readLosses(["planet/earth"], PLAN))).toMatchObject({
      message:
        '"planet/earth" names nothing that can fail in this fleet: it has cluster, zone, region, provider, as in region/NAME',
    });
  });
});
