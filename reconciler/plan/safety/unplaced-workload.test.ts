import { describe, expect, it } from "vitest";
import { cluster, configMap, deployment, policy, world } from "../../../test/builders.ts";
import { causedBy } from "./reviewed-change.ts";
import { review } from "./testing/review.ts";
import { apiNotServed, workloadWithoutPolicy } from "./unplaced-workload.ts";

const owner = policy({ name: "p", clusters: ["a"] });
const clusters = [cluster({ name: "a" })];

describe("workload-unplaced", () => {
  const rule = causedBy(workloadWithoutPolicy);

  it("is said of a new workload that no policy selects", () => {
    expect(rule(review({ world: world({ clusters }), put: [deployment(), configMap("c")] }))).toMatchObject([
      { rule: "workload-unplaced", severity: "warning", object: { kind: "Deployment", name: "web" } },
    ]);
    expect(rule(review({ world: world({ clusters, policies: [owner] }), put: [deployment()] }))).toEqual([]);
  });

  it("is a notice when it was so before", () => {
    const given = world({ clusters, templates: [deployment()] });

    expect(rule(review({ world: given, put: [deployment({ replicas: 9 })] }))).toMatchObject([{ severity: "notice" }]);
    expect(rule(review({ world: given, put: [configMap("c")] }))).toEqual([]);
  });
});

describe("api-not-served", () => {
  const rule = causedBy(apiNotServed);
  const selects = [{ apiVersion: "apps/v1beta1", kind: "Deployment" }];
  const old = { ...deployment(), apiVersion: "apps/v1beta1" };

  it("names the version that clusters serve", () => {
    const given = world({ clusters, policies: [policy({ name: "p", selects, clusters: ["a"] })] });

    expect(rule(review({ world: given, put: [old] }))).toMatchObject([
      {
        rule: "api-not-served",
        severity: "error",
        field: "apiVersion",
        message: "Deployment shop/web runs nowhere: no cluster serves apps/v1beta1 Deployment",
        advice: "write it as apps/v1, which clusters serve",
      },
    ]);
    expect(rule(review({ world: world({ clusters, policies: [owner] }), put: [deployment()] }))).toEqual([]);
  });

  it("says nothing while a cluster has not told what it serves", () => {
    const unknown = [...clusters, cluster({ name: "b", kinds: [] })];
    const given = world({ clusters: unknown, policies: [policy({ name: "p", selects, clusters: ["a"] })] });

    expect(rule(review({ world: given, put: [old] }))).toEqual([]);
  });
});
