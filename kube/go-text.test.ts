import { describe, expect, it } from "vitest";
import { goSyntax, goText, goType } from "./go-text.ts";

describe("Go's forms of values", () => {
  it.each([
    [null, "<nil>", "interface {}(nil)", "<nil>"],
    ["a b", "a b", '"a b"', "string"],
    [1, "1", "1", "int64"],
    [1.5, "1.5", "1.5", "float64"],
    [2n ** 60n, "1152921504606846976", "1152921504606846976", "int64"],
    [true, "true", "true", "bool"],
    [["x", 1], "[x 1]", '[]interface {}{"x", 1}', "[]interface {}"],
    [
      { b: [], a: { c: "d" } },
      "map[a:map[c:d] b:[]]",
      'map[string]interface {}{"a":map[string]interface {}{"c":"d"}, "b":[]interface {}{}}',
      "map[string]interface {}",
    ],
  ])("%#", (value, text, syntax, type) => {
    expect(goText(value)).toBe(text);
    expect(goSyntax(value)).toBe(syntax);
    expect(goType(value)).toBe(type);
  });
});
