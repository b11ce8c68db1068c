import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { cluster, deployment, overridePolicy, policy, world } from "../../../test/builders.ts";
import { reviewChange } from "./review-change.ts";
import { review } from "./testing/review.ts";

const owner = policy({ name: "p", clusters: ["a"] });
const given = world({ clusters: [cluster({ name: "a" }), cluster({ name: "b" })], policies: [owner] });

describe("reviewChange", () => {
  it("finds nothing in a change without surprises", async () => {
    expect(await reviewChange(review({ world: given, put: [deployment()] }))).toEqual([]);
  });

  it("puts the severest first, and overrides in vain where they are written", async () => {
    const vain = overridePolicy({
      name: "vain",
      rules: [{ targetCluster: { clusterNames: ["b"] }, overriders: { labelsOverrider: [] } }],
    });
    const web = deployment({ image: "shop/web" });
    const old = policy({ name: "old", selects: [{ apiVersion: "apps/v1beta1", kind: "Deployment" }], clusters: ["a"] });
    // Policies are objects.
    const put = [vain, old, { ...web, apiVersion: "apps/v1beta1", metadata: { ...web.metadata, name: "api" } }, web];

    const found = await reviewChange(review({ world: given, put: put as unknown as KubeObject[] }));

    expect(found.map(({ rule, severity, place }) => [severity, rule, place?.file])).toEqual([
      ["error", "api-not-served", "apps/api.yaml"],
      ["warning", "not-there", "apps/vain.yaml"],
      ["warning", "image-tag", "apps/web.yaml"],
      ["warning", "image-tag", "apps/api.yaml"],
    ]);
  });
});
