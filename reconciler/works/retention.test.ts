import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { retainMetadata } from "./retention.ts";

const desired: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", labels: { ours: "new" }, finalizers: ["ours"] },
};

describe("retainMetadata", () => {
  it("keeps the server's bookkeeping and what others wrote", () => {
    const observed: KubeObject = {
      ...desired,
      metadata: {
        name: "c",
        resourceVersion: "9",
        finalizers: ["theirs"],
        labels: { ours: "old", theirs: "x" },
        annotations: { theirs: "y" },
      },
    };

    expect(retainMetadata(desired, observed).metadata).toEqual({
      name: "c",
      resourceVersion: "9",
      finalizers: ["theirs"],
      labels: { ours: "new", theirs: "x" },
      annotations: { theirs: "y" },
    });
  });

  it("removes what an earlier version of the object brought and this one does not have", () => {
    const observed: KubeObject = {
      ...desired,
      metadata: {
        name: "c",
        labels: { gone: "x" },
        annotations: {
          gone: "x",
          "resourcetemplate.karmada.io/managed-labels": "gone,ours",
          "resourcetemplate.karmada.io/managed-annotations": "gone",
        },
      },
    };

    const { labels, annotations } = retainMetadata(desired, observed).metadata;

    expect(labels).toEqual({ ours: "new" });
    expect(annotations).not.toHaveProperty("gone");
  });
});
