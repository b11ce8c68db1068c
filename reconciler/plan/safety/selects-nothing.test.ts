import { describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../../kube/object.ts";
import { cluster, deployment, policy, world } from "../../../test/builders.ts";
import { causedBy } from "./reviewed-change.ts";
import { selectsNothing } from "./selects-nothing.ts";
import { review } from "./testing/review.ts";

const rule = causedBy(selectsNothing);
const selects = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "v1", kind: "Service" },
];
const owner = policy({ name: "p", selects, clusters: ["a", "b"] });
const clusters = [cluster({ name: "a" }), cluster({ name: "b" })];
const given = world({ clusters, policies: [owner], templates: [deployment()] });

function object(apiVersion: string, kind: string, spec: Record<string, unknown>): KubeObject {
  return { apiVersion, kind, metadata: { name: "front", namespace: "shop", uid: "f" }, spec };
}
const service = (app: string): KubeObject => object("v1", "Service", { selector: { app } });

describe("selector-matches-nothing", () => {
  it.each([
    [service("wbe"), "Service shop/front answers nobody", "spec.selector"],
    [
      object("policy/v1", "PodDisruptionBudget", { selector: { matchLabels: { app: "wbe" } } }),
      "protects no pods",
      "spec.selector",
    ],
    [
      object("networking.k8s.io/v1", "NetworkPolicy", { podSelector: { matchLabels: { app: "wbe" } } }),
      "guards no pods",
      "spec.podSelector",
    ],
    [
      object("autoscaling/v2", "HorizontalPodAutoscaler", {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "wbe" },
      }),
      "scales nothing",
      "spec.scaleTargetRef",
    ],
  ])("is said of %o", (one, words, field) => {
    expect(rule(review({ world: given, put: [one] }))).toMatchObject([
      { rule: "selector-matches-nothing", severity: "warning", field, message: expect.stringContaining(words) },
    ]);
  });

  it.each([
    [service("web")],
    [object("v1", "Service", { type: "ExternalName", selector: { app: "wbe" } })],
    [object("v1", "Service", {})],
    [object("networking.k8s.io/v1", "NetworkPolicy", { podSelector: {} })],
    [
      object("autoscaling/v2", "HorizontalPodAutoscaler", {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      }),
    ],
  ])("is not said of %o", (one) => {
    expect(rule(review({ world: given, put: [one] }))).toEqual([]);
  });

  it("is said of a Service that stays behind when its workload goes", () => {
    const both = world({ ...given, templates: [deployment(), service("web")] });

    expect(rule(review({ world: both, removed: [refOf(deployment())] }))).toMatchObject([
      { rule: "selector-matches-nothing", object: { kind: "Service" } },
    ]);
  });

  it("is not said where it is not known what there is", () => {
    const part = world({ ...given, templates: [], partial: true });

    expect(rule(review({ world: part, put: [service("web")] }))).toEqual([]);
    const known = { ...part, relatedNamespaces: new Set(["shop"]) };
    expect(rule(review({ world: known, put: [service("web")] }))).toHaveLength(1);
  });

  it("tells of clusters without what is meant", () => {
    const narrow = policy({ name: "p", selects: [{ apiVersion: "apps/v1", kind: "Deployment" }], clusters: ["a"] });
    const wide = policy({ name: "q", selects: [{ apiVersion: "v1", kind: "Service" }], clusters: ["a", "b"] });
    const apart = world({ clusters, policies: [narrow, wide], templates: [deployment()] });

    expect(rule(review({ world: apart, put: [service("web")] }))).toMatchObject([
      { rule: "selector-matches-nothing-in-cluster", severity: "notice", clusters: ["b"] },
    ]);
  });
});
