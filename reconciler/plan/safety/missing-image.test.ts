import { describe, expect, it } from "vitest";
import { cluster, deployment, policy, world } from "../../../test/builders.ts";
import { missingImages } from "./missing-image.ts";
import type { ImageState } from "./registry-check.ts";
import { review } from "./testing/review.ts";

const given = world({ clusters: [cluster({ name: "a" })], policies: [policy({ name: "p", clusters: ["a"] })] });

function finding(states: Record<string, ImageState>) {
  const put = Object.keys(states).map((image, i) => deployment({ name: `web${i}`, image }));
  return missingImages(review({ world: given, put }), async (image) => states[image] ?? { state: "found" });
}

describe("missingImages", () => {
  it("is an error for each container whose image is not there", async () => {
    const states: Record<string, ImageState> = {
      "shop/web:1": { state: "found" },
      "shop/web:2": { state: "missing", why: "registry-1.docker.io has no such image" },
      "shop/web:3": { state: "unknown", why: "nobody answers" },
    };

    expect(await finding(states)).toMatchObject([
      {
        rule: "image-not-found",
        severity: "error",
        object: { name: "web1" },
        place: { file: "apps/web1.yaml" },
        clusters: ["a"],
        field: "spec.template.spec.containers[web].image",
      },
      { rule: "image-unchecked", severity: "notice", object: { name: "web2" } },
    ]);
  });

  it("asks for a hundred images and tells of the others", async () => {
    const states = Object.fromEntries(
      Array.from({ length: 103 }, (_, i) => [`shop/web:${i}`, { state: "found" } satisfies ImageState]),
    );

    expect(await finding(states)).toMatchObject([
      { rule: "image-unchecked", message: expect.stringContaining("of 3 more images") },
    ]);
  });
});
