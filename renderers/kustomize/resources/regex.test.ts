import { describe, expect, it } from "vitest";
import { compileAnchored } from "./regex.ts";

describe("compileAnchored", () => {
  it.each([
    ["web", "web", true],
    ["web", "web2", false],
    ["web|api", "api", true],
    ["web|api", "webapi", false],
    ["^web$", "web", true],
    ["w.b", "wéb", true],
    ["w.b", "w\nb", false],
    ["(?s)w.b", "w\nb", true],
    ["(?i)WEB-[a-c]+", "web-ABC", true],
    ["(?i:W)eb", "wEb", false],
    ["a{2,3}", "aaa", true],
    ["a{2,3}", "aaaa", false],
    ["a{2}", "aa", true],
    ["a{,2}", "a{,2}", true],
    ["[^a-c]x", "dx", true],
    ["[]a]+", "]a", true],
    ["[[:alpha:]_]+[[:^digit:]]", "ab_-", true],
    ["\\d+\\.\\w*", "12.ab_9", true],
    ["\\D\\S\\W", "a1-", true],
    ["(?P<name>a)(?:b)?", "a", true],
    ["\\bweb\\b.*", "web-1", true],
    ["we\\Bb", "web", true],
    ["\\x41\\x{1F600}", "A\u{1F600}", true],
    ["(a|b)*?c", "ababc", true],
    ["", "", true],
    ["()", "", true],
    ["a-b", "a-b", true],
  ])("%s on %j is %s", (pattern, text, matches) => {
    expect(compileAnchored(pattern)(text)).toBe(matches);
  });

  it.each(["(", ")", "[a", "*a", "a**", "a{3,2}", "a{1001}", "\\", "\\q", "(?<=a)b", "(?=a)", "[b-a]", "\\1"])(
    "refuses %s",
    (pattern) => {
      expect(() => compileAnchored(pattern)).toThrow("is no valid regular expression");
    },
  );

  it("takes time in proportion to the text, where backtracking would never end", () => {
    const matches = compileAnchored("(a*)*(a|aa)+(.*)*b");

    expect(matches("a".repeat(5000))).toBe(false);
  });

  it("refuses an expression that grows beyond measure", () => {
    expect(() => compileAnchored("((((a{100}){100}){100}){100})")).toThrow("invalid repeat count");
  });
});
