import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "./json.ts";

describe("JSON with big integers", () => {
  it.each([
    '{"a":9007199254740993,"b":[-9223372036854775808]}',
    '{"a":1,"b":"9007199254740993","c":1.5,"d":null}',
    '{"name":"0123456789abcdef0123456789abcdef","n":12345678901234567890}',
  ])("reads %s and writes the same", (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it("gives numbers where they are exact, and bigint only beyond", () => {
    expect(parseJson("[9007199254740991, 9007199254740993, 1e21, 1234567890123456.5]")).toEqual([
      9_007_199_254_740_991,
      9_007_199_254_740_993n,
      1e21,
      1234567890123456.5,
    ]);
  });

  it("writes indented, and null for nothing", () => {
    expect(stringifyJson({ a: 2n }, 2)).toBe('{\n  "a": 2\n}');
    expect(stringifyJson(undefined)).toBe("null");
  });

  it("refuses what is no JSON data", () => {
    const loop: unknown[] = [];
    loop.push(loop);

    expect(() => stringifyJson(loop)).toThrow(TypeError);
    expect(() => parseJson("{")).toThrow(SyntaxError);
  });
});
