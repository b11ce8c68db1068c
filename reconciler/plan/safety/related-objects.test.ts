import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { configMap, deployment } from "../../../test/builders.ts";
import { findRelated } from "./related-objects.ts";

const service = (name: string, app: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop" },
  spec: { selector: { app } },
});

function lister(stored: readonly KubeObject[], asked: string[] = []) {
  return async (kind: { apiVersion: string; kind: string }, namespace: string) => {
    asked.push(kind.kind);
    return stored.filter((one) => one.kind === kind.kind && one.metadata.namespace === namespace);
  };
}

describe("findRelated", () => {
  it("finds what selects a workload, and what else that selects", async () => {
    const canary = deployment({ name: "canary" });
    canary["spec"] = { ...(deployment()["spec"] as object), replicas: 1 };
    const stored = [deployment(), canary, deployment({ name: "other" }), service("web", "web"), service("o", "other")];

    const { objects, namespaces } = await findRelated([deployment()], lister(stored));

    expect(objects.map(({ metadata }) => metadata.name)).toEqual(["web", "web", "canary"]);
    expect([...namespaces]).toEqual(["shop"]);
  });

  it("finds what a Service selects", async () => {
    const stored = [deployment(), deployment({ name: "other" })];

    expect((await findRelated([service("web", "web")], lister(stored))).objects).toEqual([stored[0]]);
  });

  it("asks for nothing when no pods are meant, and not around very much", async () => {
    const asked: string[] = [];
    const many = Array.from({ length: 21 }, (_, i) => deployment({ namespace: `n${i}` }));

    expect((await findRelated([configMap("c")], lister([], asked))).objects).toEqual([]);
    expect((await findRelated(many, lister([], asked))).namespaces.size).toBe(0);
    const crowd = Array.from({ length: 201 }, (_, i) => deployment({ name: `d${i}` }));
    expect((await findRelated(crowd, lister([], asked))).namespaces.size).toBe(0);
    expect(asked).toEqual([]);
  });
});
