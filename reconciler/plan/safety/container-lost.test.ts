import { describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { configMap, deployment, world } from "../../../test/builders.ts";
import { namespaceRemoved } from "./container-lost.ts";
import { review } from "./testing/review.ts";

const shop: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const web = deployment();
const templates = [shop, web, configMap("a"), configMap("b"), configMap("c", {}, "other")];

describe("namespace-removed", () => {
  it("names what goes with it and was not meant", () => {
    const change = review({ world: world({ templates }), removed: [refOf(shop), refOf(web)] });

    expect(namespaceRemoved(change)).toMatchObject([
      {
        rule: "namespace-removed",
        severity: "error",
        message: expect.stringContaining(
          "2 ConfigMaps that this change does not mention are deleted with Namespace shop",
        ),
      },
    ]);
  });

  it("warns of one from which all goes anyway", () => {
    const removed = templates.filter(({ metadata }) => metadata.namespace !== "other").map(refOf);

    expect(namespaceRemoved(review({ world: world({ templates }), removed }))).toMatchObject([{ severity: "warning" }]);
  });

  it("says nothing while namespaces stay", () => {
    expect(namespaceRemoved(review({ world: world({ templates }), removed: [refOf(web)] }))).toEqual([]);
  });
});
