import { describe, expect, it } from "vitest";
import { repairEmpties } from "./repair-empties.ts";

const REFERENCE = {
  spec: { object: {}, list: [], items: [{ inner: {}, names: [] }], elements: [{}], deep: [[], [1]] },
};

describe("repairEmpties", () => {
  it("makes empty lists what a reference has at their place", () => {
    const result = {
      spec: { object: [], list: [], items: [{ inner: [], names: [] }, { inner: [] }], deep: [[], [1]] },
    };

    expect(repairEmpties(result, [REFERENCE])).toEqual({
      spec: { object: {}, list: [], items: [{ inner: {}, names: [] }, { inner: {} }], deep: [[], [1]] },
    });
  });

  it("drops what no reference knows as empty", () => {
    expect(repairEmpties({ spec: { added: [], kept: [1], nested: { added: [] } } }, [REFERENCE])).toEqual({
      spec: { kept: [1], nested: {} },
    });
  });

  it("sees the elements of a list at the place of the list", () => {
    expect(repairEmpties({ spec: { elements: [[], []] } }, [REFERENCE])).toEqual({ spec: { elements: [{}, {}] } });
    expect(repairEmpties({ spec: { list: [[]] } }, [REFERENCE])).toEqual({ spec: { list: [[]] } });
  });

  it("prefers the object where references disagree", () => {
    expect(repairEmpties({ a: [] }, [{ a: [] }, { a: {} }])).toEqual({ a: {} });
  });

  it("drops every empty one without references", () => {
    expect(repairEmpties({ a: [], b: [[], 1, []], c: { d: [] } })).toEqual({ b: [1], c: {} });
    expect(repairEmpties([[], { a: [] }])).toEqual([{}]);
  });

  it("tells names with points from paths", () => {
    expect(repairEmpties({ "a.b": [], a: { b: [] } }, [{ a: { b: {} } }])).toEqual({ a: { b: {} } });
  });

  it("leaves the whole as it is when it is empty, and shares what needs no repair", () => {
    const fine = { a: [1], b: { c: "d" } };

    expect(repairEmpties([], [REFERENCE])).toEqual([]);
    expect(repairEmpties(fine, [REFERENCE])).toBe(fine);
  });

  it("carries every name", () => {
    const result = repairEmpties(JSON.parse('{"__proto__": {"a": 1}, "x": []}'));

    expect(Object.keys(result as object)).toEqual(["__proto__"]);
  });
});
