import { describe, expect, it } from "vitest";
import { hasEscapedKey, parseJson } from "./json-parser.ts";

describe("parseJson", () => {
  it("reads plain JSON", () => {
    expect(parseJson('{"a":[1,"x:y",{"b":null}]}', true)).toEqual({
      value: { a: [1, "x:y", { b: null }] },
      duplicates: [],
    });
  });

  it("reports repeated keys in document order; the last value wins", () => {
    const { value, duplicates } = parseJson('{"a":1,"b":{"c":1,"c":2},"a":3}', false);

    expect(value).toEqual({ a: 3, b: { c: 2 } });
    expect(duplicates).toEqual(['duplicate field "b.c"', 'duplicate field "a"']);
  });

  it("merges repeated objects when asked, as decoding into maps does", () => {
    expect(parseJson('{"d":{"a":"1"},"d":{"b":"2"}}', true).value).toEqual({ d: { a: "1", b: "2" } });
    expect(parseJson('{"d":{"a":"1"},"d":{"b":"2"}}', false).value).toEqual({ d: { b: "2" } });
  });

  it("keeps integers beyond 2^53 exactly, and only those", () => {
    const { value } = parseJson('{"big":9223372036854775807,"float":0.1234567890123456789,"small":12}', true);

    expect(value).toEqual({ big: 9223372036854775807n, float: 0.12345678901234568, small: 12 });
  });

  it.each([
    ["{", "unexpected end of JSON input"],
    ["", "unexpected end of JSON input"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ["[1 2]", "invalid character '2' after array element"],
    ["nul", "unexpected end of JSON input"],
    ["{} x", "invalid character 'x' after top-level value"],
    ['{"a":-}', "invalid character '}' in numeric literal"],
    ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
    ['{"a":1.5.}', "invalid character '.' after object key:value pair"],
    ['{"a":1e}', "invalid character '}' in exponent of numeric literal"],
    ['{"a":1e+', "unexpected end of JSON input"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['"\\uZZ"', "invalid character 'Z' in \\u hexadecimal character escape"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"a\u0000"', "invalid character '\\x00' in string literal"],
    ["\u001f", "invalid character '\\x1f' looking for beginning of value"],
    ["é", "invalid character 'Ã' looking for beginning of value"],
    ["[".repeat(200_000), "invalid character '[' exceeded max depth"],
  ])("refuses %j as Go does", (text, message) => {
    expect(() => parseJson(text, true)).toThrow(message);
  });

  it("reads a thousand levels, and refuses one more with or without an end", () => {
    const whole = `${"[".repeat(1000)}${"]".repeat(1000)}`;

    expect(parseJson(whole, true).duplicates).toEqual([]);
    expect(() => parseJson(`[${whole}]`, true)).toThrow("invalid character '[' exceeded max depth");
  });

  it("reads keys with escapes, which V8 takes for keys of earlier objects", () => {
    for (let round = 0; round < 50; round++) JSON.parse('{"a\\\\":1}');

    expect(parseJson('{"a\\"":1}', false).value).toEqual({ 'a"': 1 });
    expect(hasEscapedKey('{"a":"\\"b\\":1"}')).toBe(false);
  });

  it("does not follow __proto__", () => {
    const { value } = parseJson('{"__proto__":{"x":1},"__proto__":{"y":2}}', false);

    expect(({} as Record<string, unknown>)["y"]).toBeUndefined();
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
  });
});
