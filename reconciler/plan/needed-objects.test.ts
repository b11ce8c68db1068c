import { describe, expect, it } from "vitest";
import { refOf } from "../../kube/object.ts";
import { configMap } from "../../test/builders.ts";
import { NeededObjects, withSnapshots } from "./needed-objects.ts";

const objects = [configMap("a"), configMap("b"), configMap("a", {}, "other")].map((object, at) => ({
  ...object,
  metadata: { ...object.metadata, labels: { tier: at === 1 ? "back" : "front" } },
}));
const needed = new NeededObjects(objects.map((template) => ({ ref: refOf(template), template })));
const inShop = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop" };

describe("NeededObjects", () => {
  it("finds what is named, in its namespace", () => {
    expect([...needed.by([{ ...inShop, name: "a" }])]).toEqual(["v1/ConfigMap/shop/a"]);
    expect([...needed.by([{ ...inShop, name: "absent" }])]).toEqual([]);
  });

  it("finds what is selected, each object once", () => {
    const front = { ...inShop, labelSelector: { matchLabels: { tier: "front" } } };

    expect([...needed.by([front, { ...inShop, name: "a" }])]).toEqual(["v1/ConfigMap/shop/a"]);
    expect([...needed.by([{ ...front, apiVersion: "v2" }])]).toEqual([]);
  });
});

describe("withSnapshots", () => {
  it("puts what is known anew in place of what was, and keeps others", () => {
    const snapshot = (name: string, cluster: string, namespace = "shop") => ({
      name,
      namespace,
      clusters: [{ name: cluster }],
    });

    expect(
      withSnapshots(
        [snapshot("web", "old"), snapshot("api", "old"), snapshot("web", "old", "other")],
        [snapshot("web", "new")],
      ),
    ).toEqual([snapshot("api", "old"), snapshot("web", "old", "other"), snapshot("web", "new")]);
  });
});
