import { describe, expect, it } from "vitest";
import { withoutEmpties } from "./empties.ts";

describe("withoutEmpties", () => {
  it("takes nulls and empty fields and entries away, however deep", () => {
    expect(withoutEmpties({ a: {}, b: [], c: null, d: { e: [{}, { f: [], g: 0 }], h: "" } })).toEqual({
      d: { e: [{ g: 0 }], h: "" },
    });
  });

  it("leaves what becomes empty by that", () => {
    expect(withoutEmpties({ a: { b: {} }, c: [[]] })).toEqual({ a: {}, c: [] });
  });

  it("takes what holds only nulls for empty", () => {
    expect(withoutEmpties({ a: { b: null }, c: [null], d: 1 })).toEqual({ d: 1 });
  });
});
