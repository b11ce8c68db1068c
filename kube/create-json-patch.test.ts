import { describe, expect, it } from "vitest";
import { createJsonPatch } from "./create-json-patch.ts";
import { applyJsonPatch } from "./json-patch.ts";

describe("createJsonPatch", () => {
  it("adds, replaces and removes what differs, and nothing else", () => {
    const from = { a: 1, b: { c: [1, 2], d: "x" }, gone: true };
    const to = { a: 1, b: { c: [2], d: "x", "e/f~g": null } };

    expect(createJsonPatch(from, to)).toEqual([
      { op: "remove", path: "/gone" },
      { op: "replace", path: "/b/c", value: [2] },
      { op: "add", path: "/b/e~1f~0g", value: null },
    ]);
  });

  it.each([
    [{}, { a: { b: {} } }],
    [{ a: { b: 1 } }, { a: [1] }],
    [{ a: null }, { a: {} }],
    [{ "": { "/": 1 } }, { "": { "/": 2, "~": 3 } }],
    [{ a: [{ b: 1 }] }, {}],
  ])("makes %j into %j when an API server applies it", (from, to) => {
    expect(applyJsonPatch<unknown>(from, createJsonPatch(from, to), { dialect: "api-server" })).toEqual(to);
  });

  it("is empty for equal documents", () => {
    expect(createJsonPatch({ a: [{ b: 1 }] }, { a: [{ b: 1 }] })).toEqual([]);
  });
});
