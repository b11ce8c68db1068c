import { describe, expect, it } from "vitest";
import {
  cloneJson,
  describeRef,
  equalJson,
  formatApiVersion,
  gvkOf,
  parseApiVersion,
  refKey,
  refOf,
} from "./object.ts";

describe("equalJson", () => {
  it.each<[string, unknown, unknown, boolean]>([
    ["the order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ["an absent key and undefined", { a: 1, b: undefined }, { a: 1 }, true],
    ["undefined on the other side", { a: 1 }, { a: 1, b: undefined }, true],
    ["an absent key and null", { a: null }, {}, false],
    ["one key more", { a: 1 }, { a: 1, b: 2 }, false],
    ["one key less", { a: 1, b: 2 }, { a: 1 }, false],
    ["the order of a list", [1, 2], [2, 1], false],
    ["a longer list", [1], [1, 2], false],
    ["a list and a map", [], {}, false],
    ["a map and a list", { length: 0 }, [], false],
    ["a number and its text", 1, "1", false],
    ["big integers", 9_007_199_254_740_993n, 9_007_199_254_740_993n, true],
    ["big integers that differ", 9_007_199_254_740_993n, 9_007_199_254_740_992n, false],
    ["depth", { a: [{ b: { c: [1] } }] }, { a: [{ b: { c: [2] } }] }, false],
    ["keys that every object has", {}, { constructor: "x" }, false],
    ["an own key that every object has", { toString: "x" }, {}, false],
    ["null and a map", null, {}, false],
  ])("looks at %s", (_what, a, b, same) => {
    expect(equalJson(a, b)).toBe(same);
  });
});

describe("cloneJson", () => {
  it("shares nothing with the original", () => {
    const original = { list: [{ a: 1 }], big: 2n ** 60n, none: null };
    const copy = cloneJson(original);
    original.list[0] = { a: 2 };

    expect(copy).toEqual({ list: [{ a: 1 }], big: 2n ** 60n, none: null });
  });

  it("keeps a key named __proto__ as data", () => {
    const copy = cloneJson(JSON.parse('{"__proto__": {"polluted": true}}'));

    expect(JSON.stringify(copy)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });
});

describe("names of kinds and objects", () => {
  it.each([
    ["v1", { group: "", version: "v1" }],
    ["apps/v1", { group: "apps", version: "v1" }],
  ])("reads and writes the API version %s", (text, parsed) => {
    expect(parseApiVersion(text)).toEqual(parsed);
    expect(formatApiVersion(parsed.group, parsed.version)).toBe(text);
    expect(gvkOf({ apiVersion: text, kind: "Thing" })).toEqual({ ...parsed, kind: "Thing" });
  });

  it("tells objects apart by kind, namespace and name", () => {
    const web = refOf({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "shop" } });
    const role = refOf({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "web" } });

    expect(refKey(web)).toBe("apps/v1/Deployment/shop/web");
    expect(refKey(role)).toBe("rbac.authorization.k8s.io/v1/ClusterRole//web");
    expect(describeRef(web)).toBe("apps/v1 Deployment shop/web");
    expect(describeRef(role)).toBe("rbac.authorization.k8s.io/v1 ClusterRole web");
  });
});
