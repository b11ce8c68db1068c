import { describe, expect, it } from "vitest";
import { applyMergePatch, createMergePatch } from "./merge-patch.ts";

describe("applyMergePatch", () => {
  // The examples of RFC 7386, appendix A.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{}, { a: [{ b: null, c: [{ d: null }] }, null] }, { a: [{ c: [{}] }, null] }],
  ])("%j with %j is %j", (target, patch, expected) => {
    const before = structuredClone(target);

    expect(applyMergePatch(target, patch)).toEqual(expected);
    expect(target).toEqual(before);
  });

  it("answers the target itself when nothing changes", () => {
    const target = { a: { b: 1 }, c: 2 };

    expect(applyMergePatch(target, { a: { b: 1 }, x: null })).toBe(target);
  });

  it("treats __proto__ as a plain key", () => {
    const patch: unknown = JSON.parse('{"__proto__":{"polluted":true}}');

    const result = applyMergePatch({}, patch);

    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true}}');
  });
});

describe("createMergePatch", () => {
  it.each([
    [{ a: 1 }, { a: 1 }, undefined],
    [{ a: 1, b: 2 }, { a: 2 }, { a: 2, b: null }],
    [{ a: { x: 1, y: 2 } }, { a: { x: 1 } }, { a: { y: null } }],
    [{ a: [1] }, { a: [1, 2] }, { a: [1, 2] }],
    [{}, { toString: "x" }, { toString: "x" }],
    ["x", { a: 1 }, { a: 1 }],
  ])("from %j to %j is %j", (from, to, expected) => {
    const patch = createMergePatch(from, to);

    expect(patch).toEqual(expected);
    if (patch !== undefined) expect(applyMergePatch(from, patch)).toEqual(to);
  });
});
