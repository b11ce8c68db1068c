import { describe, expect, it } from "vitest";
import type { OverridePolicy, OverrideSpec } from "../policy.ts";
import { defaultOverridePolicy, validateOverridePolicy } from "./override.ts";

function policy(spec: OverrideSpec): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name: "web", namespace: "shop" },
    spec,
  };
}

function refused(spec: OverrideSpec): string[] {
  return validateOverridePolicy(policy(spec)).map(({ field, words }) => `${field}: ${words}`);
}

const plaintext = [{ path: "/spec/replicas", operator: "replace", value: 1 } as const];

describe("an OverridePolicy", () => {
  it("selects in its own namespace, named or not", () => {
    const selectors = [
      { apiVersion: "v1", kind: "ConfigMap" },
      { apiVersion: "v1", kind: "Secret", namespace: "bank" },
    ];

    const stored = defaultOverridePolicy(policy({ resourceSelectors: selectors }), {
      operation: "CREATE",
      requestNamespace: "shop",
      nowMs: 0,
      newUuid: () => "",
    });

    expect(stored.spec.resourceSelectors?.[0]?.namespace).toBe("shop");
    expect(validateOverridePolicy(stored).map(({ field }) => field)).toEqual(["spec.resourceSelectors[1].namespace"]);
  });

  it("has rules, or the older single target", () => {
    expect(refused({ overrideRules: [{ overriders: { plaintext } }], overriders: {} })).toEqual([]);
    expect(refused({ overriders: { plaintext }, targetCluster: { clusterNames: ["a"] } })).toEqual([]);
    expect(refused({ overrideRules: [{ overriders: {} }], overriders: { plaintext }, targetCluster: {} })).toEqual([
      "spec.targetCluster: cannot stand beside overrideRules; put it into the rules",
      "spec.overriders: cannot stand beside overrideRules; put them into a rule",
    ]);
  });

  it.each<[string, OverrideSpec["overrideRules"], string[]]>([
    [
      "keys that are none",
      [
        {
          overriders: {
            labelsOverrider: [{ operator: "add", value: { app: "no spaces" } }],
            annotationsOverrider: [{ operator: "add", value: { "Example.com/Owner": "any text" } }],
          },
        },
      ],
      ["spec.overrideRules[0].overriders.labelsOverrider[0].value"],
    ],
    [
      "paths that are no pointers",
      [
        { overriders: {} },
        {
          overriders: {
            imageOverrider: [{ component: "Tag", operator: "remove", predicate: { path: "spec/image" } }],
            fieldOverrider: [{ fieldPath: "data", json: [{ operator: "remove", subPath: "a" }] }],
          },
        },
      ],
      [
        "spec.overrideRules[1].overriders.imageOverrider[0].predicate.path",
        "spec.overrideRules[1].overriders.fieldOverrider[0].fieldPath",
        "spec.overrideRules[1].overriders.fieldOverrider[0].json[0].subPath",
      ],
    ],
    [
      "values missing or too many",
      [
        {
          overriders: {
            fieldOverrider: [
              {
                fieldPath: "/data/a",
                yaml: [
                  { operator: "add", subPath: "/x" },
                  { operator: "replace", subPath: "/x", value: null },
                  { operator: "remove", subPath: "/x", value: 1 },
                  { operator: "add", subPath: "/x", value: false },
                ],
              },
            ],
          },
        },
      ],
      [
        "spec.overrideRules[0].overriders.fieldOverrider[0].yaml[0].value",
        "spec.overrideRules[0].overriders.fieldOverrider[0].yaml[1].value",
        "spec.overrideRules[0].overriders.fieldOverrider[0].yaml[2].value",
      ],
    ],
    [
      "a field without document",
      [{ overriders: { fieldOverrider: [{ fieldPath: "/data/a" }] } }],
      ["spec.overrideRules[0].overriders.fieldOverrider[0]"],
    ],
    [
      "a target by unknown field",
      [
        {
          overriders: {},
          targetCluster: { fieldSelector: { matchExpressions: [{ key: "name", operator: "In", values: ["a"] }] } },
        },
      ],
      ["spec.overrideRules[0].targetCluster.fieldSelector"],
    ],
  ])("is refused for %s", (_, overrideRules, fields) => {
    expect(validateOverridePolicy(policy({ overrideRules })).map(({ field }) => field)).toEqual(fields);
  });

  it("bounds annotations as Kubernetes does", () => {
    const value = { "example.com/a": "x".repeat(256 * 1024) };

    expect(
      refused({ overrideRules: [{ overriders: { annotationsOverrider: [{ operator: "add", value }] } }] }),
    ).toEqual([
      "spec.overrideRules[0].overriders.annotationsOverrider[0].value: annotations of 262157 bytes; the most is 262144",
    ]);
  });
});
