import { expect, it } from "vitest";
import type { KubeObject } from "../kube/object.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy, PropagationPolicy } from "./policy.ts";
import type { ResourceBinding, Work } from "./work.ts";

it("lets every kind pass where any object is taken", () => {
  const policy: PropagationPolicy = {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "PropagationPolicy",
    metadata: { name: "web", namespace: "shop" },
    spec: { resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment" }] },
  };

  const names = (objects: readonly KubeObject[]): (string | undefined)[] =>
    objects.map((object) => object.metadata.name);
  const others: (PropagationPolicy | OverridePolicy | ClusterOverridePolicy | ResourceBinding | Work | Cluster)[] = [
    policy,
  ];

  expect(names(others)).toEqual(["web"]);
});
