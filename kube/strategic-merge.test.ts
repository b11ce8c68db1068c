import { describe, expect, it } from "vitest";
import { fieldTypeFromSchema, type SchemaNode } from "./fields/structural.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

const ENV: SchemaNode = {
  type: "array",
  items: { type: "object", properties: { name: { type: "string" }, value: { type: "string" } } },
  "x-kubernetes-patch-strategy": "merge",
  "x-kubernetes-patch-merge-key": "name",
};
const TYPE = fieldTypeFromSchema({
  type: "object",
  properties: {
    containers: {
      type: "array",
      items: {
        type: "object",
        properties: {
          name: { type: "string" },
          image: { type: "string" },
          args: { type: "array", items: { type: "string" } },
          env: ENV,
        },
      },
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
    },
    finalizers: { type: "array", items: { type: "string" }, "x-kubernetes-patch-strategy": "merge" },
    nodeSelector: { type: "object", additionalProperties: { type: "string" } },
    strategy: { type: "object", properties: { type: { type: "string" } }, "x-kubernetes-patch-strategy": "retainKeys" },
  },
});

type Map = Record<string, unknown>;

function names(object: Map): string {
  const containers = object["containers"] as { name: string }[];
  return containers.map(({ name }) => name).join("");
}

describe("applyStrategicMerge", () => {
  it.each<[string, Map, Map, Map]>([
    [
      "merges maps",
      { nodeSelector: { a: "1", b: "2" } },
      { nodeSelector: { b: null, c: "3" } },
      { nodeSelector: { a: "1", c: "3" } },
    ],
    [
      "replaces a map",
      { nodeSelector: { a: "1" } },
      { nodeSelector: { $patch: "replace", z: "3" } },
      { nodeSelector: { z: "3" } },
    ],
    [
      "adds nothing for an item to delete from a list that is absent",
      { nodeSelector: {} },
      { containers: [{ $patch: "delete", name: "a" }], finalizers: ["x"] },
      { nodeSelector: {}, containers: [], finalizers: ["x"] },
    ],
    [
      "leaves directives and nulls out of what it brings",
      {},
      {
        nodeSelector: { a: "1", b: null },
        strategy: { $patch: "replace", type: "x" },
        containers: [{ $patch: "replace" }, { name: "a", env: [{ name: "A", $patch: "delete" }, { name: "B" }] }],
      },
      { nodeSelector: { a: "1" }, containers: [{ name: "a", env: [{ name: "B" }] }] },
    ],
    [
      "orders a list that is absent",
      {},
      { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "b", $patch: "delete" }, { name: "a" }] },
      { containers: [{ name: "a" }] },
    ],
    ["deletes from a primitive list that is absent", {}, { "$deleteFromPrimitiveList/finalizers": ["a"] }, {}],
    ["empties a map", { nodeSelector: { a: "1" } }, { nodeSelector: { $patch: "delete" } }, { nodeSelector: {} }],
    [
      "merges items by key",
      { containers: [{ name: "a", image: "1", env: [{ name: "A", value: "1" }] }] },
      { containers: [{ name: "a", env: [{ name: "B", value: "2" }] }] },
      {
        containers: [
          {
            name: "a",
            image: "1",
            env: [
              { name: "B", value: "2" },
              { name: "A", value: "1" },
            ],
          },
        ],
      },
    ],
    [
      "deletes an item",
      { containers: [{ name: "a" }, { name: "b" }] },
      { containers: [{ name: "a", $patch: "delete" }] },
      { containers: [{ name: "b" }] },
    ],
    [
      "replaces a list",
      { containers: [{ name: "a" }] },
      { containers: [{ name: "z" }, { $patch: "replace" }] },
      { containers: [{ name: "z" }] },
    ],
    [
      "replaces lists without a strategy",
      { containers: [{ name: "a", args: ["1", "2"] }] },
      { containers: [{ name: "a", args: ["3"] }] },
      { containers: [{ name: "a", args: ["3"] }] },
    ],
    ["unites scalars", { finalizers: ["a", "b"] }, { finalizers: ["c", "a"] }, { finalizers: ["c", "a", "b"] }],
    [
      "deletes scalars",
      { finalizers: ["a", "b"] },
      { "$deleteFromPrimitiveList/finalizers": ["a"] },
      { finalizers: ["b"] },
    ],
    [
      "orders scalars",
      { finalizers: ["a", "b"] },
      { "$setElementOrder/finalizers": ["b", "a"] },
      { finalizers: ["b", "a"] },
    ],
    [
      "keeps only the retained keys",
      { strategy: { type: "R", rolling: {} } },
      { strategy: { $retainKeys: ["type"], type: "X" } },
      { strategy: { type: "X" } },
    ],
    ["keeps an empty list as it is", { finalizers: ["a"] }, { finalizers: [] }, { finalizers: ["a"] }],
    ["takes unknown fields as they are", {}, { nope: [1] }, { nope: [1] }],
  ])("%s", (_, live, patch, expected) => {
    const before = structuredClone({ live, patch });

    expect(applyStrategicMerge(live, patch, TYPE)).toEqual(expected);
    expect({ live, patch }).toEqual(before);
  });

  it.each<[Map, string]>([
    [{ containers: [{ name: "n" }] }, "nabc"],
    [{ containers: [{ name: "c", image: "z" }, { name: "n" }] }, "abcn"],
    [{ "$setElementOrder/containers": [{ name: "c" }, { name: "a" }, { name: "b" }] }, "cab"],
    [{ "$setElementOrder/containers": [{ name: "c" }, { name: "a" }] }, "bca"],
    [
      { "$setElementOrder/containers": [{ name: "c" }, { name: "a" }], containers: [{ name: "b", $patch: "delete" }] },
      "ca",
    ],
    [{ "$setElementOrder/containers": [{ name: "n" }, { name: "a" }], containers: [{ name: "n" }] }, "nabc"],
  ])("orders containers by %j as %s", (patch, order) => {
    const live = { containers: [{ name: "a" }, { name: "b" }, { name: "c" }] };

    expect(names(applyStrategicMerge(live, patch, TYPE))).toBe(order);
  });

  it.each<[Map, string, string]>([
    [
      { containers: [{ name: "a", $patch: "frob" }] },
      "strategic-patch-failed",
      "unknown patch type: frob in map: map[$patch:frob name:a]",
    ],
    [
      { containers: [{ image: "q" }] },
      "strategic-patch-failed",
      "map: map[image:q] does not contain declared merge key: name",
    ],
    [
      { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "n", image: "i" }] },
      "strategic-patch-failed",
      "The order in patch list:\n[map[image:i name:n]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
    ],
    [
      { strategy: { $retainKeys: ["type"], other: 1 } },
      "strategic-patch-malformed",
      "invalid patch format of retainKeys",
    ],
    [{ $deleteFromPrimitiveList: ["a"] }, "strategic-patch-malformed", "invalid patch format of primitive list"],
    [{ finalizers: [["x"]] }, "strategic-patch-unprocessable", "lists of lists are not supported"],
  ])("refuses %j", (patch, code, message) => {
    const live = { containers: [{ name: "a" }], finalizers: ["f"], strategy: { type: "R" } };

    expect(() => applyStrategicMerge(live, patch, TYPE)).toThrow(expect.objectContaining({ code, message }));
  });
});
