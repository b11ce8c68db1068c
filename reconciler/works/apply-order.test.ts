import { describe, expect, it } from "vitest";
import { applyPriority } from "./apply-order.ts";

describe("applyPriority", () => {
  it("lets definitions go before namespaces, rights, settings and the rest", () => {
    const kinds = [
      "apps/v1 Deployment",
      "v1 ConfigMap",
      "rbac.authorization.k8s.io/v1 Role",
      "v1 Namespace",
      "apiextensions.k8s.io/v1 CustomResourceDefinition",
    ];
    const priorities = kinds.map((text) => {
      const [apiVersion = "", kind = ""] = text.split(" ");
      return applyPriority({ apiVersion, kind, metadata: { name: "a" } });
    });

    expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
    expect(new Set(priorities).size).toBe(kinds.length);
  });

  it("knows kinds by their group", () => {
    expect(applyPriority({ apiVersion: "acme.dev/v1", kind: "Namespace", metadata: { name: "a" } })).toBe(0);
  });
});
