import { describe, expect, it } from "vitest";
import {
  decodeFieldsV1,
  EMPTY_SET,
  equalSets,
  type FieldSet,
  hasPath,
  intersectSets,
  isEmptySet,
  isSubset,
  listPaths,
  setOfPaths,
  subtractSets,
  subtractTrees,
  unionSets,
} from "./field-set.ts";
import { type FieldPath, formatPath } from "./path.ts";

function texts(set: FieldSet): string[] {
  return listPaths(set).map(formatPath);
}

describe("field sets", () => {
  it("reads the tree of FieldsV1 as it is", () => {
    const fields = { "f:data": { ".": {}, "f:a": {} }, "f:metadata": { "f:labels": { "f:x/y": {} } } };

    const set = decodeFieldsV1(fields);

    expect(set).toBe(fields);
    expect(texts(set ?? {})).toEqual([".data", ".data.a", ".metadata.labels.x/y"]);
    expect(hasPath(set ?? {}, ["f:metadata"])).toBe(false);
  });

  it("spells keys of list items in one way", () => {
    const set = decodeFieldsV1({ "f:ports": { 'k:{"protocol":"TCP", "port":80}': { ".": {} } } });

    expect(set).toEqual({ "f:ports": { 'k:{"port":80,"protocol":"TCP"}': {} } });
    expect(texts(set ?? {})).toEqual(['.ports[port=80,protocol="TCP"]']);
  });

  it.each([{ data: {} }, { "f:a": 1 }, { "f:a": { "k:x": {} } }, { "v:{": {} }])("refuses %j", (fields) => {
    expect(decodeFieldsV1(fields)).toBeUndefined();
  });

  it("lists paths of one level before those below, items by key", () => {
    const set = setOfPaths([["f:b", "f:x"], ["f:c"], ["f:b"], ["f:a", 'k:{"id":10}'], ["f:a", 'k:{"id":9}']]);

    expect(texts(set)).toEqual([".b", ".c", ".a[id=9]", ".a[id=10]", ".b.x"]);
  });

  it("subtracts whole trees when asked to", () => {
    const set = setOfPaths([["f:spec", "f:a"], ["f:spec"], ["f:status", "f:b"]]);
    const spec = setOfPaths([["f:spec"]]);

    expect(texts(subtractSets(set, spec))).toEqual([".spec.a", ".status.b"]);
    expect(texts(subtractTrees(set, spec))).toEqual([".status.b"]);
    expect(subtractSets(set, setOfPaths([["f:other"]]))).toBe(set);
  });
});

describe("set algebra", () => {
  const seed = Number(process.env["SEED"] ?? 41);

  it(`agrees with sets of plain paths (seed ${seed})`, () => {
    let state = seed;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % bound;
    };
    const randomPaths = (): FieldPath[] =>
      Array.from({ length: random(8) }, () => Array.from({ length: 1 + random(3) }, () => `f:${"abc"[random(3)]}`));
    const plain = (set: FieldSet): Set<string> => new Set(texts(set));

    for (let round = 0; round < 3000; round++) {
      const a = setOfPaths(randomPaths());
      const b = setOfPaths(randomPaths());
      const left = plain(a);
      const right = plain(b);

      expect(plain(unionSets(a, b))).toEqual(left.union(right));
      expect(plain(intersectSets(a, b))).toEqual(left.intersection(right));
      expect(plain(subtractSets(a, b))).toEqual(left.difference(right));
      expect(isSubset(a, b)).toBe(left.isSubsetOf(right));
      expect(equalSets(a, b)).toBe(left.size === right.size && left.isSubsetOf(right));
      expect(isEmptySet(subtractSets(a, a))).toBe(true);
      expect(unionSets(a, EMPTY_SET)).toBe(a);
      const trees = [...left].filter((path) => ![...right].some((top) => path === top || path.startsWith(`${top}.`)));
      expect(plain(subtractTrees(a, b))).toEqual(new Set(trees));
    }
  });
});
