import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { decodeKustomization } from "./kustomization.ts";

function decode(text: string): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, ...fields } = decodeKustomization(text, "k.yaml", () => {});
  return fields as Record<string, unknown>;
}

function failure(text: string): string {
  try {
    decodeKustomization(text, "k.yaml", () => {});
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("no failure");
}

describe("decodeKustomization", () => {
  it.each([
    ["names in any case", "NAMEPREFIX: a-\nnamesuffix: -b", { namePrefix: "a-", nameSuffix: "-b" }],
    ["null as absent", "resources: [a]\nlabels: null\nnamespace: ~", { resources: ["a"] }],
    ["null in a list of texts as an empty text", "resources: [a, ~]", { resources: ["a", ""] }],
    ["null in a map of texts as an empty text", "commonLabels: {a: }", { commonLabels: { a: "" } }],
    ["keys that are no text as text", "commonLabels: {5: a, y: b}", { commonLabels: { "5": "a", true: "b" } }],
    ["a date as text", "commonLabels: {a: 2020-01-02}", { commonLabels: { a: "2020-01-02" } }],
    ["the last of repeated keys", "namespace: a\nnamespace: b", { namespace: "b" }],
    [
      "a map given twice in different case as one map",
      "COMMONLABELS: {a: '1'}\ncommonLabels: {b: '2'}",
      { commonLabels: { a: "1", b: "2" } },
    ],
    ["a list given twice in different case by its last", "RESOURCES: [a, b]\nresources: [c]", { resources: ["c"] }],
    ["whole numbers however they are written", "replicas: [{count: 1e3}]", { replicas: [{ count: 1000 }] }],
    ["only the first document", "namespace: a\n---\n{ broken", { namespace: "a" }],
    ["an older name after the newer", "bases: [b]\nresources: [a]", { resources: ["a", "b"] }],
    ["an empty list as something", "resources: []", { resources: [] }],
  ])("reads %s", (_, text, expected) => {
    expect(decode(text)).toEqual(expected);
  });

  it.each([
    ["", "render-empty-kustomization"],
    ["# nothing\n", "render-empty-kustomization"],
    ["---\n---\nresources: [a]\n", "render-empty-kustomization"],
    ["bases: []\n", "render-empty-kustomization"],
    ["namePrefix: ''\n", "render-empty-kustomization"],
    ["kind: Component\n", "render-empty-kustomization"],
    ["- a\n", "render-invalid-kustomization k.yaml:1:1: the file must be a map, not a list"],
    ["%YAML 1.2\n---\nnamespace: a\n", "render-invalid-kustomization k.yaml:1:1: the directive %YAML 1.2"],
    ["commonLabels: {~: a}\n", "render-invalid-kustomization k.yaml:1:16: a key may not be null"],
    ["resources:\n- a\n- y\n", "render-invalid-kustomization k.yaml:3:3: the field resources[1] must be text"],
    ["replicas:\n- name: a\n  count: 1.5\n", "render-invalid-kustomization k.yaml:3:3: the field replicas[0].count"],
    ["# nmae: x\nimages:\n- nmae: x\n", "render-unknown-field k.yaml:3:3: the field images[0].nmae is not known"],
    ["resources: [a]\nkind: Foo\n", "render-wrong-kind-or-version k.yaml:2:1: kind must be"],
    ["resources: [a]\napiVersion: v1\n", "render-wrong-kind-or-version k.yaml:2:1: apiVersion of a Kustomization"],
  ])("refuses %j", (text, expected) => {
    expect(failure(text).slice(0, expected.length)).toBe(expected);
  });

  it("reports the first fault in the order of the keys", () => {
    expect(failure("zzz: 1\nnamePrefix: 5\n")).toContain("namePrefix must be text");
    expect(failure("aaa: 1\nnamePrefix: 5\n")).toContain("the field aaa is not known");
  });

  it("suggests the field that was meant", () => {
    expect(failure("resorces: [a]\n")).toMatch(/did you mean resources\?$/);
  });

  it("keeps the values of secrets out of its messages", () => {
    expect(failure("secretGenerator: [{literals: [12345678]}]")).not.toContain("12345678");
  });
});
