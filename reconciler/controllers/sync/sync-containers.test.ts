import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { isContainer, isContent } from "./sync-containers.ts";

function object(
  apiVersion: string,
  kind: string,
  name: string,
  rest: Partial<KubeObject["metadata"]> = {},
): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: "shop", ...rest } };
}

describe("isContent", () => {
  const owner = { apiVersion: "v1", kind: "Sync", name: "it", uid: "1" };

  it.each([
    ["a ConfigMap", object("v1", "ConfigMap", "settings"), true],
    ["a policy", object("policy.karmada.io/v1alpha1", "PropagationPolicy", "all"), true],
    ["a Sync", object("gitops.flaghoist.io/v1alpha1", "Sync", "apps"), true],
    ["a ServiceAccount", object("v1", "ServiceAccount", "builder"), true],
    ["the ServiceAccount of every namespace", object("v1", "ServiceAccount", "default"), false],
    ["the certificates of every namespace", object("v1", "ConfigMap", "kube-root-ca.crt"), false],
    ["a token", { ...object("v1", "Secret", "t"), type: "kubernetes.io/service-account-token" }, false],
    ["an event", object("events.k8s.io/v1", "Event", "e"), false],
    ["a binding", object("work.karmada.io/v1alpha2", "ResourceBinding", "b"), false],
    ["what goes with its owner", object("v1", "Secret", "s", { ownerReferences: [owner] }), false],
    ["what is going", object("v1", "Secret", "s", { deletionTimestamp: "2026-01-01T00:00:00Z" }), false],
    ["a hook", object("batch/v1", "Job", "j", { annotations: { "gitops.flaghoist.io/operation": "x" } }), false],
  ])("of %s: %j is %s", (_, given, expected) => {
    expect(isContent(given)).toBe(expected);
  });
});

describe("isContainer", () => {
  it("is a Namespace or a definition", () => {
    expect(isContainer(object("v1", "Namespace", "shop"))).toBe(true);
    expect(isContainer(object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a.b"))).toBe(true);
    expect(isContainer(object("other.example/v1", "Namespace", "shop"))).toBe(false);
  });
});
