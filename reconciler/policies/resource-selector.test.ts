import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { bestSelectorMatch, selectorMatches } from "./resource-selector.ts";

const web: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
};
const deployments = { apiVersion: "apps/v1", kind: "Deployment" };

describe("selectorMatches", () => {
  it("ranks a name over labels over the mere kind", () => {
    expect(selectorMatches(web, { ...deployments, name: "web" })).toBe(3);
    expect(selectorMatches(web, { ...deployments, labelSelector: { matchLabels: { app: "web" } } })).toBe(2);
    expect(selectorMatches(web, deployments)).toBe(1);
  });

  it("ignores the label selector beside a name", () => {
    const labelSelector = { matchLabels: { app: "other" } };

    expect(selectorMatches(web, { ...deployments, name: "web", labelSelector })).toBe(3);
  });

  it("refuses another version, kind, namespace, name or labels", () => {
    expect(selectorMatches(web, { apiVersion: "apps/v1beta1", kind: "Deployment" })).toBe(0);
    expect(selectorMatches(web, { apiVersion: "apps/v1", kind: "StatefulSet" })).toBe(0);
    expect(selectorMatches(web, { ...deployments, namespace: "other" })).toBe(0);
    expect(selectorMatches(web, { ...deployments, name: "api" })).toBe(0);
    expect(selectorMatches(web, { ...deployments, labelSelector: { matchLabels: { app: "api" } } })).toBe(0);
  });

  it("takes the most specific of several selectors", () => {
    expect(bestSelectorMatch(web, [deployments, { ...deployments, name: "web" }])).toBe(3);
    expect(bestSelectorMatch(web, [])).toBe(0);
  });
});
