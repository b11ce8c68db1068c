import { describe, expect, it } from "vitest";
import type { OverriddenField } from "../plan/overridden-fields.ts";
import { groupedOverrides, overrideText } from "./override-words.ts";

function field(words: Partial<OverriddenField> = {}): OverriddenField {
  return {
    path: "spec.template.spec.containers[web].image",
    old: "web:1",
    value: "eu.example/web:1",
    policy: { kind: "OverridePolicy", namespace: "shop", name: "registry" },
    rule: 1,
    field: "spec.overrideRules[0].overriders.imageOverrider[0]",
    origin: { file: "deploy/policies.yaml:3", revision: "main@sha1:3f9c2abd" },
    ...words,
  };
}

describe("overridden fields in words", () => {
  it("name field, values, policy, rule, file and commit", () => {
    expect(overrideText(field())).toBe(
      "image eu.example/web:1 (was web:1) ← override shop/registry, rule 1 (deploy/policies.yaml:3, commit 3f9c2ab)",
    );
    expect(
      overrideText(
        field({
          path: "spec.replicas",
          old: 3,
          value: undefined,
          policy: { kind: "ClusterOverridePolicy", name: "all" },
          origin: undefined,
        }),
      ),
    ).toBe("spec.replicas removed (was 3) ← cluster override all, rule 1");
  });

  it("are said once for all clusters that have them", () => {
    const copies = ["a", "b", "c"].map((cluster) => ({ cluster, overrides: [field({ origin: undefined })] }));

    expect(
      groupedOverrides([...copies, { cluster: "d", overrides: [field({ value: "x", origin: undefined })] }]),
    ).toEqual([
      "image eu.example/web:1 (was web:1) ← override shop/registry, rule 1 in a, b, c",
      "image x (was web:1) ← override shop/registry, rule 1 in d",
    ]);
  });
});
