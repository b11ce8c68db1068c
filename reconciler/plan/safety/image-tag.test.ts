import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { claimed, cluster, deployment, overridePolicy, policy, world } from "../../../test/builders.ts";
import { imageTag } from "./image-tag.ts";
import { review } from "./testing/review.ts";

const owner = policy({ name: "p", clusters: ["a", "b"] });
const clusters = [cluster({ name: "a" }), cluster({ name: "b" })];
const given = world({ clusters, policies: [owner], templates: [claimed(deployment(), owner)] });

function withImage(image: string) {
  return imageTag(review({ world: given, put: [claimed(deployment({ image }), owner)] }));
}

describe("image-tag", () => {
  it.each(["shop/web:latest", "shop/web", "registry.example.io:5000/web"])("warns of %s", (image) => {
    expect(withImage(image)).toMatchObject([
      {
        rule: "image-tag",
        severity: "warning",
        field: "spec.template.spec.containers[web].image",
        clusters: ["a", "b"],
        place: { file: "apps/web.yaml" },
      },
    ]);
  });

  it.each(["shop/web:2", `shop/web@sha256:${"a".repeat(64)}`, `shop/web:latest@sha256:${"a".repeat(64)}`])(
    "takes %s",
    (image) => {
      expect(withImage(image)).toEqual([]);
    },
  );

  it("says nothing of an image that was there before", () => {
    const old = world({ ...given, templates: [claimed(deployment({ image: "shop/web" }), owner)] });
    const put = [claimed(deployment({ image: "shop/web", replicas: 9 }), owner)];

    expect(imageTag(review({ world: old, put }))).toEqual([]);
  });

  it("sees what an override makes of it, and where", () => {
    const override = overridePolicy({
      name: "o",
      rules: [
        {
          targetCluster: { clusterNames: ["b"] },
          overriders: { imageOverrider: [{ component: "Tag", operator: "replace", value: "latest" }] },
        },
      ],
    });

    const found = imageTag(review({ world: given, put: [override as unknown as KubeObject] }));

    expect(found).toMatchObject([{ clusters: ["b"], message: expect.stringContaining("latest moves") }]);
  });

  it("sees what no policy places", () => {
    const put = [deployment({ name: "lone", namespace: "other", image: "lone" })];

    expect(imageTag(review({ world: given, put }))).toMatchObject([{ object: { name: "lone" } }]);
  });
});
