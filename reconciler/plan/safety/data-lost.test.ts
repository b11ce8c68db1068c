import { describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { claimed, cluster, policy, world } from "../../../test/builders.ts";
import { dataLost } from "./data-lost.ts";
import { review } from "./testing/review.ts";

const selects = [
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim" },
];
const inA = policy({ name: "p", selects, clusters: ["a"] });
const inB = policy({ name: "p", selects, clusters: ["b"] });
const kinds = ["apps/v1 StatefulSet", "v1 PersistentVolumeClaim"];
const clusters = [cluster({ name: "a", kinds }), cluster({ name: "b", kinds })];
const claim = claimed(
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "shop", uid: "c" },
    spec: {},
  },
  inA,
);
function set(policyOfClaims?: string): KubeObject {
  return claimed(
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace: "shop", uid: "s" },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "db" } },
        template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db", image: "db:1" }] } },
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
        ...(policyOfClaims === undefined
          ? {}
          : { persistentVolumeClaimRetentionPolicy: { whenDeleted: policyOfClaims } }),
      },
    },
    inA,
  );
}
function removing(object: KubeObject) {
  const given = world({ clusters, policies: [inA], templates: [object] });
  return dataLost(review({ world: given, removed: [refOf(object)] }));
}

describe("what keeps data", () => {
  it("is an error to remove as a claim", () => {
    expect(removing(claim)).toMatchObject([
      {
        rule: "claim-removed",
        severity: "error",
        clusters: ["a"],
        message: expect.stringContaining("its data with it"),
      },
    ]);
  });

  it("is a warning as a set whose claims stay, an error when they go", () => {
    expect(removing(set())).toMatchObject([{ rule: "state-removed", severity: "warning" }]);
    expect(removing(set("Delete"))).toMatchObject([{ rule: "state-removed", severity: "error" }]);
  });

  it("is told of when it moves to another cluster", () => {
    const given = world({ clusters, policies: [inA], templates: [set()] });
    const put = [inB as unknown as KubeObject];

    expect(dataLost(review({ world: given, put }))).toMatchObject([
      { clusters: ["a"], message: expect.stringContaining("where it runs from now on it starts without them") },
    ]);
  });
});
