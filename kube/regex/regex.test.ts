import { describe, expect, it } from "vitest";
import { compileRegex, type Regex } from "./regex.ts";
import { RegexError } from "./syntax.ts";

function regex(pattern: string): Regex {
  const compiled = compileRegex(pattern);
  if (compiled instanceof RegexError) throw new Error(compiled.message);
  return compiled;
}

describe("Regex", () => {
  it.each([
    ["^[a-z]([\\-a-z0-9]*)\\_?x$", "a-bx", true],
    ["^.$", "😀", true],
    ["b+", "abc", true],
    ["^b", "abc", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["\\bfoo\\b", "a foo b", true],
    ["\\Bfoo", "afoo", true],
    ["(?i)STRASSE", "strasse", true],
    ["\\pL+\\p{Greek}", "aα", true],
    ["^\\Qa.b\\E$", "a.b", true],
    ["^\\Qa.b\\E$", "axb", false],
    ["\\x{1F600}", "😀", true],
    ["^$", "", true],
    ["[^[:alpha:]\\d]", "a1_", true],
    ["^(?:a|b|)c$", "c", true],
  ])("%s finds something in %j: %s", (pattern, text, found) => {
    expect(regex(pattern).test(text)).toBe(found);
  });

  it("finds the leftmost match, and of several there the one that is written first", () => {
    expect(regex("foo|foobar").findAll("xfoobar")).toEqual(["foo"]);
    expect(regex("foobar|foo").findAll("xfoobar")).toEqual(["foobar"]);
    expect(regex("a+?").findAll("aaa")).toEqual(["a", "a", "a"]);
    expect(regex("(?U)a+").findAll("aaa")).toEqual(["a", "a", "a"]);
  });

  it("leaves out empty matches right after others", () => {
    expect(regex("a*").findAll("baac")).toEqual(["", "aa", ""]);
  });

  it("finds no more than is asked for", () => {
    expect(regex("[0-9]").findAll("1 2 3", 2)).toEqual(["1", "2"]);
    expect(regex("[0-9]").findAll("1 2 3", 0)).toEqual([]);
  });

  it("looks at every character a few times only, where backtracking would never end", () => {
    expect(regex("(a*)*(a|aa)+(.*)*b").test("a".repeat(20_000))).toBe(false);
    expect(regex("(x+x+)+y").findAll("x".repeat(500))).toEqual([]);
  });

  it.each([
    ["[a", "missing closing ]: `[a`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["a(?!b)", "invalid or unsupported Perl syntax: `(?!`"],
    ["(?<=a)b", "invalid named capture: `(?<=a)b`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["\\", "trailing backslash at end of expression: ``"],
    ["(a)\\1", "invalid escape sequence: `\\1`"],
    ["(", "missing closing ): `(`"],
    [")", "unexpected ): `)`"],
    ["*a", "missing argument to repetition operator: `*`"],
    ["[b-a]", "invalid character class range: `b-a`"],
    ["[[:foo:]]", "invalid character class range: `[:foo:]`"],
    ["((a{100}){100})", "invalid repeat count: `{100}`"],
  ])("refuses %s in Go's words", (pattern, why) => {
    expect(() => regex(pattern)).toThrow(`error parsing regexp: ${why}`);
  });
});
