import { describe, expect, it } from "vitest";
import { fieldTypeFromSchema, type SchemaNode } from "./structural.ts";
import type { FieldType } from "./type.ts";
import { WIDGET_TYPE } from "./widget.test-type.ts";

function at(type: FieldType | undefined, ...names: string[]): FieldType | undefined {
  let current = type;
  for (const name of names) current = current?.kind === "map" ? current.field(name) : undefined;
  return current;
}

describe("fieldTypeFromSchema", () => {
  it("knows scalars, maps and lists", () => {
    expect(at(WIDGET_TYPE, "spec", "size")).toEqual({ kind: "scalar", scalar: "integer" });
    expect(at(WIDGET_TYPE, "spec", "port")).toEqual({ kind: "deduced" });
    expect(at(WIDGET_TYPE, "spec", "cpu")).toEqual({ kind: "scalar", scalar: "any" });
    expect(at(WIDGET_TYPE, "spec", "whole")).toMatchObject({ kind: "map", atomic: true });
    expect(at(WIDGET_TYPE, "spec", "plain")).toMatchObject({ atomic: false, rest: { scalar: "string" } });
    expect(at(WIDGET_TYPE, "spec", "list")).toMatchObject({ kind: "list", listType: "atomic" });
    expect(at(WIDGET_TYPE, "spec", "ports")).toMatchObject({
      listType: "map",
      keys: ["port", "protocol"],
      keyDefaults: { protocol: "TCP" },
    });
    expect(at(WIDGET_TYPE, "spec", "constructor")).toBeUndefined();
  });

  it("gives resources their standard fields", () => {
    expect(at(WIDGET_TYPE, "kind")).toEqual({ kind: "scalar", scalar: "string" });
    expect(at(WIDGET_TYPE, "metadata", "finalizers")).toMatchObject({ listType: "set" });
  });

  it("deduces what it does not know below preserve-unknown", () => {
    expect(at(WIDGET_TYPE, "spec", "free")).toMatchObject({ rest: { kind: "deduced" } });
    expect(at(WIDGET_TYPE, "spec")).toMatchObject({ rest: undefined });
  });

  it("follows references, also recursive ones, and lets the reference decide about atomicity", () => {
    const tree: SchemaNode = {
      type: "object",
      properties: {
        child: { $ref: "tree" },
        leaf: { type: "string" },
        unit: { $ref: "tree", "x-kubernetes-map-type": "atomic" },
      },
    };

    const type = fieldTypeFromSchema({ $ref: "tree" }, { resolveRef: () => tree });

    expect(at(type, "child", "child", "leaf")).toEqual({ kind: "scalar", scalar: "string" });
    expect(at(type, "child", "child")).toBe(at(type, "child"));
    expect(at(type, "unit")).toMatchObject({ atomic: true });
    expect(type).toMatchObject({ atomic: false });
  });

  it("reads list types of old schemas from the patch strategy", () => {
    const list = (mergeKey: string | undefined): SchemaNode => ({
      type: "array",
      items: { type: "object" },
      "x-kubernetes-patch-strategy": "merge,retainKeys",
      "x-kubernetes-patch-merge-key": mergeKey,
    });

    expect(fieldTypeFromSchema(list("name"))).toMatchObject({ listType: "map", keys: ["name"] });
    expect(fieldTypeFromSchema(list(undefined))).toMatchObject({
      listType: "set",
      patchStrategies: ["merge", "retainKeys"],
    });
  });
});
