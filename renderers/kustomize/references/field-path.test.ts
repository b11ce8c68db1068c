import { describe, expect, it } from "vitest";
import { fromValue, type Node, stringNode, toValue } from "../resources/node.ts";
import { lookupField, matchFields, PathFault, splitDottedPath } from "./field-path.ts";

const OBJECT = {
  spec: { list: [{ name: "web" }, { name: "web-2", port: 80 }, { name: "db" }], args: ["-a", "b"], none: null },
};

function found(path: string): unknown {
  const node = lookupField(fromValue(OBJECT), splitDottedPath(path));
  return node && toValue(node);
}

/** The object after every field that the path leads to became `x`. */
function replaced(path: string, create: "nothing" | "scalar" = "nothing", object: unknown = OBJECT): unknown {
  const root: Node = fromValue(object);
  for (const field of matchFields(root, splitDottedPath(path), create)) field.set(stringNode("x"));
  return toValue(root);
}

describe("splitDottedPath", () => {
  it.each([
    ["a.b", ["a", "b"]],
    [".a.b", ["a", "b"]],
    ["a\\.b/c.d", ["a.b/c", "d"]],
    ["m.[a.b/c].d", ["m", "a.b/c", "d"]],
    ["m.[name=a.b].d", ["m", "[name=a.b]", "d"]],
    ["m.[plain]", ["m", "[plain]"]],
  ])("splits %s", (path, parts) => {
    expect(splitDottedPath(path)).toEqual(parts);
  });
});

describe("lookupField", () => {
  it("compares elements exactly", () => {
    expect(found("spec.list.[name=web-2].port")).toBe(80);
    expect(found("spec.list.[name=we].port")).toBeUndefined();
    expect(found("spec.args.[=b]")).toBe("b");
  });

  it("knows indexes and the last element", () => {
    expect(found("spec.list.0.name")).toBe("web");
    expect(found("spec.list.-.name")).toBe("db");
    expect(found("spec.list.7.name")).toBeUndefined();
  });

  it.each(["spec.list.*.name", "spec.list.-1", "spec.list.name", "spec.0"])("refuses %s", (path) => {
    expect(() => found(path)).toThrow(PathFault);
  });
});

describe("matchFields", () => {
  it("finds elements by a pattern that may match anywhere", () => {
    expect(
      replaced("l.[name=b].v", "nothing", {
        l: [
          { name: "abc", v: 1 },
          { name: "c", v: 1 },
        ],
      }),
    ).toEqual({
      l: [
        { name: "abc", v: "x" },
        { name: "c", v: 1 },
      ],
    });
  });

  it("makes maps, lists and elements", () => {
    expect(replaced("a.[k=v].b.0", "scalar", {})).toEqual({ a: [{ k: "v", b: ["x"] }] });
    expect(replaced("l.1", "scalar", { l: ["a"] })).toEqual({ l: ["a", "x"] });
    expect(() => replaced("l.2", "scalar", { l: ["a"] })).toThrow("there is no element 2");
  });

  it("loses what it makes inside a null, as the real tool does", () => {
    expect(replaced("a.0", "scalar", { a: [null] })).toEqual({ a: ["x"] });
    expect(replaced("a.b.c", "scalar", { a: { b: null } })).toEqual({ a: { b: null } });
  });

  it("gives up on an element that its own pattern does not match", () => {
    expect(() => replaced("l.[name=^a.c$].v", "scalar", { l: [] })).toThrow(PathFault);
  });
});
