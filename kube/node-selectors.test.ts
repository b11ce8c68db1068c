import { describe, expect, it } from "vitest";
import { compileNodeChoice, type NodeRequirement, type NodeTerm } from "./node-selectors.ts";

const NODE = { name: "node-1", labels: { zone: "a", disk: "ssd", cores: "16" } };

function accepts(...nodeSelectorTerms: NodeTerm[]): boolean | undefined {
  return compileNodeChoice({ affinity: { nodeSelectorTerms } })?.(NODE);
}

function label(key: string, operator: string, ...values: string[]): NodeTerm {
  return { matchExpressions: [{ key, operator, values }] };
}

describe("compileNodeChoice", () => {
  it("has no test for pods that go to any node", () => {
    expect(compileNodeChoice({})).toBeUndefined();
    expect(compileNodeChoice({ nodeSelector: {} })).toBeUndefined();
  });

  it("wants every label of the node selector", () => {
    expect(compileNodeChoice({ nodeSelector: { zone: "a", disk: "ssd" } })?.(NODE)).toBe(true);
    expect(compileNodeChoice({ nodeSelector: { zone: "a", disk: "hdd" } })?.(NODE)).toBe(false);
    expect(compileNodeChoice({ nodeSelector: { toString: "a" } })?.(NODE)).toBe(false);
  });

  it.each<[string, NodeTerm, boolean]>([
    ["In", label("zone", "In", "a", "b"), true],
    ["In of other values", label("zone", "In", "b"), false],
    ["NotIn", label("zone", "NotIn", "b"), true],
    ["NotIn of a label that is not there", label("rack", "NotIn", "b"), true],
    ["Exists", label("disk", "Exists"), true],
    ["DoesNotExist", label("disk", "DoesNotExist"), false],
    ["Gt", label("cores", "Gt", "8"), true],
    ["Lt", label("cores", "Lt", "8"), false],
    ["Gt of a label that is no number", label("zone", "Gt", "8"), false],
    ["Gt without a number", label("cores", "Gt", "many"), false],
    ["Exists with values", label("disk", "Exists", "ssd"), false],
    ["In without values", label("zone", "In"), false],
    ["an unknown operator", label("zone", "Like", "a"), false],
    ["a key that is no label", label("not a key", "Exists"), false],
  ])("judges by %s", (_what, term, expected) => {
    expect(accepts(term)).toBe(expected);
  });

  it.each<[string, NodeRequirement, boolean]>([
    ["In its name", { key: "metadata.name", operator: "In", values: ["node-1"] }, true],
    ["In another name", { key: "metadata.name", operator: "In", values: ["node-2"] }, false],
    ["NotIn another name", { key: "metadata.name", operator: "NotIn", values: ["node-2"] }, true],
    ["In a field that nodes do not have", { key: "metadata.uid", operator: "In", values: ["x"] }, false],
    ["In several names", { key: "metadata.name", operator: "In", values: ["node-1", "node-2"] }, false],
    ["Exists", { key: "metadata.name", operator: "Exists" }, false],
  ])("judges by a field %s", (_what, field, expected) => {
    expect(accepts({ matchFields: [field] })).toBe(expected);
  });

  it("wants all of a term, and one of several terms", () => {
    const both: NodeTerm = {
      matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }],
      matchFields: [{ key: "metadata.name", operator: "In", values: ["node-2"] }],
    };
    expect(accepts(both)).toBe(false);
    expect(accepts(both, label("disk", "Exists"))).toBe(true);
    expect(accepts(label("zone", "Like", "a"), label("disk", "Exists"))).toBe(true);
  });

  it("takes no node for an affinity without terms, or with empty ones only", () => {
    expect(accepts()).toBe(false);
    expect(accepts({})).toBe(false);
    expect(accepts({}, label("disk", "Exists"))).toBe(true);
  });
});
