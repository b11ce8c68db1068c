import { describe, expect, it } from "vitest";
import { applyJsonPatch, formatPointer, JsonPatchError, type JsonPatchOperation, valueAt } from "./json-patch.ts";

function patched(document: unknown, ...operations: JsonPatchOperation[]): unknown {
  return applyJsonPatch(document, operations);
}

describe("applyJsonPatch", () => {
  it.each<[string, unknown, JsonPatchOperation[], unknown]>([
    ["adds a key", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
    ["replaces a key by add", { a: 1 }, [{ op: "add", path: "/a", value: 2 }], { a: 2 }],
    ["inserts into a list", { a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
    ["appends with -", { a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
    ["adds at the end with -1", { a: [1] }, [{ op: "add", path: "/a/-1", value: 2 }], { a: [1, 2] }],
    ["removes the last item with -1", { a: [1, 2] }, [{ op: "remove", path: "/a/-1" }], { a: [1] }],
    ["replaces an item with -1", { a: [1, 2] }, [{ op: "replace", path: "/a/-1", value: 9 }], { a: [1, 9] }],
    ["removes a key", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["moves", { a: { x: 1 }, b: {} }, [{ op: "move", from: "/a/x", path: "/b/y" }], { a: {}, b: { y: 1 } }],
    ["copies", { a: { x: 1 } }, [{ op: "copy", from: "/a", path: "/b" }], { a: { x: 1 }, b: { x: 1 } }],
    ["unescapes keys", { "a/b": { "c~d": 1 } }, [{ op: "remove", path: "/a~1b/c~0d" }], { "a/b": {} }],
    ["writes null for an absent value", { a: 1 }, [{ op: "replace", path: "/a" }], { a: null }],
    ["tests equality of trees", { a: [{ b: 1 }] }, [{ op: "test", path: "/a", value: [{ b: 1 }] }], { a: [{ b: 1 }] }],
    ["tests a missing value as null", { a: 1 }, [{ op: "test", path: "/b" }], { a: 1 }],
    ["replaces the document", { a: 1 }, [{ op: "replace", path: "", value: { b: 1 } }], { b: 1 }],
    ["addresses the empty key", { "": 1 }, [{ op: "replace", path: "/", value: 2 }], { "": 2 }],
  ])("%s", (_, document, operations, expected) => {
    const before = structuredClone(document);

    expect(patched(document, ...operations)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it.each<[string, JsonPatchOperation]>([
    ["removing a missing key", { op: "remove", path: "/x" }],
    ["replacing a missing key", { op: "replace", path: "/x", value: 1 }],
    ["adding below a missing parent", { op: "add", path: "/x/y", value: 1 }],
    ["adding below null", { op: "add", path: "/n/y", value: 1 }],
    ["adding below a scalar", { op: "add", path: "/s/y", value: 1 }],
    ["an index past the end", { op: "add", path: "/l/3", value: 1 }],
    ["an index before the start", { op: "remove", path: "/l/-3" }],
    ["a name as index", { op: "add", path: "/l/a", value: 1 }],
    ["an unknown operation", { op: "frob", path: "/s" }],
    ["removing the document", { op: "remove", path: "" }],
    ["a move without from", { op: "move", path: "/s" }],
    ["a failing test", { op: "test", path: "/s", value: "y" }],
    ["an inherited property", { op: "remove", path: "/constructor" }],
  ])("refuses %s", (_, operation) => {
    const document = { s: "x", n: null, l: [1, 2] };

    expect(() => patched(document, { op: "test", path: "/s", value: "x" }, operation)).toThrow(JsonPatchError);
    try {
      patched(document, { op: "test", path: "/s", value: "x" }, operation);
    } catch (error) {
      expect(error).toMatchObject({ index: 1 });
    }
  });

  it("takes a missing key of an object for null in the API server's dialect", () => {
    const patch = [
      { op: "replace", path: "/b", value: 2 },
      { op: "copy", from: "/c", path: "/d" },
    ];
    expect(applyJsonPatch<unknown>({ a: 1 }, patch, { dialect: "api-server" })).toEqual({ a: 1, b: 2, d: null });
    expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow("doc is missing key: /b");
    const inList = [{ op: "replace", path: "/a/1", value: 2 }];
    expect(() => applyJsonPatch({ a: [1] }, inList, { dialect: "api-server" })).toThrow("doc is missing key: /a/1");
  });

  it("lets only replace take the whole document in the API server's dialect", () => {
    const add = [{ op: "add", path: "", value: { b: 1 } }];

    expect(applyJsonPatch({ a: 1 }, add)).toEqual({ b: 1 });
    expect(() => applyJsonPatch({ a: 1 }, add, { dialect: "api-server" })).toThrow(JsonPatchError);
  });

  it("keeps copies apart", () => {
    const result = patched(
      { a: { x: { n: 1 } } },
      { op: "add", path: "/a/y", value: 1 },
      { op: "copy", from: "/a", path: "/b" },
      { op: "replace", path: "/b/x/n", value: 2 },
      { op: "add", path: "/a/z", value: 3 },
    );

    expect(result).toEqual({ a: { x: { n: 1 }, y: 1, z: 3 }, b: { x: { n: 2 }, y: 1 } });
  });

  it("does not change a value of the patch itself", () => {
    const value = { n: 1 };

    patched({}, { op: "add", path: "/a", value }, { op: "replace", path: "/a/n", value: 2 });

    expect(value).toEqual({ n: 1 });
  });

  it("does not reach prototypes", () => {
    const result = patched({}, { op: "add", path: "/__proto__", value: { polluted: true } });

    expect(Object.hasOwn(result as object, "__proto__")).toBe(true);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(() => patched({}, { op: "add", path: "/__proto__/polluted", value: true })).toThrow(JsonPatchError);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("limits operations and copied text", () => {
    const copies = Array.from({ length: 20 }, (_, index) => ({ op: "copy", from: "", path: `/c${index}` }));

    expect(() => applyJsonPatch({}, copies, { maxOperations: 10 })).toThrow("maximum operations in a JSON patch is 10");
    const doubling = Array.from({ length: 20 }, (_, index) => ({ op: "copy", from: "/a", path: `/a/c${index}` }));
    expect(() => applyJsonPatch({ a: { text: "x".repeat(100) } }, doubling, { maxCopyBytes: 5000 })).toThrow(
      "exceeding the limit",
    );
  });
});

describe("valueAt", () => {
  it("reads by pointer", () => {
    const document = { a: [{ "b/c": 1 }] };

    expect(valueAt(document, "/a/0/b~1c")).toBe(1);
    expect(valueAt(document, "/a/-1/b~1c")).toBe(1);
    expect(valueAt(document, "/a/1")).toBeUndefined();
    expect(valueAt(document, "/constructor")).toBeUndefined();
    expect(valueAt(document, "")).toBe(document);
    expect(formatPointer(["a", 0, "b/c"])).toBe("/a/0/b~1c");
  });
});
