import { describe, expect, it } from "vitest";
import { Random } from "../../runtime/random.ts";
import { testSeed } from "../../test/seed.ts";
import { cleanContent, cleanLine, cutText, linesOf } from "./clean-text.ts";

describe("cleanLine", () => {
  it.each([
    ["plain text, 100 % of it", "plain text, 100 % of it"],
    ["grüße 👋🏽 aus 東京, عربى", "grüße 👋🏽 aus 東京, عربى"],
    ["a\tb\nc\r\nd\u2028e\u0085f", "a b c d e f"],
    ["\u202Eabc\u2066", "\\u202Eabc\\u2066"],
    ["a\u200Bb\uFEFFc\u00ADd", "a\\u200Bb\\uFEFFc\\u00ADd"],
    ["\u0000\u001B[31m\u007F\u009B", "␀␛[31m␡\\u009B"],
    ["\u{E0041}", "\\u{E0041}"],
    ["lone \uD83D half", "lone \uFFFD half"],
    ["👩‍🚒 ❤️ a\u200Db", "👩‍🚒 ❤️ a\\u200Db"],
  ])("writes %j so that everything is seen", (given, seen) => {
    expect(cleanLine(given)).toBe(seen);
  });
});

describe("cleanContent", () => {
  it("leaves nothing that ends a line anywhere", () => {
    expect(cleanContent("a\r`\n`\u2028\u000Bb\tc")).toBe("a␍`␊`\\u2028␋b\tc");
  });
});

describe("linesOf", () => {
  it("ends a line where any program would", () => {
    expect(linesOf("a\r\nb\rc\n\nd\u2029e")).toEqual(["a", "b", "c", "", "d", "e"]);
  });
});

describe("cutText", () => {
  it.each([
    ["short", 5, "short"],
    ["longer", 5, "long…"],
    ["👋🏽👋🏽", 5, "👋🏽…"],
    ["👋🏽👋🏽", 4, "👋…"],
    ["🇫🇷🇯🇵", 6, "🇫🇷…"],
    ["e\u0301e\u0301e\u0301", 4, "e\u0301…"],
    ["abc", 0, "…"],
  ])("cuts %j to %d", (given, most, cut) => {
    expect(cutText(given, most)).toBe(cut);
  });

  it("halves no character, and keeps within the number", () => {
    const random = new Random(testSeed());
    const pieces = ["a", "é", "e\u0301", "東", "👋🏽", "👩‍👩‍👧‍👦", "🇫🇷", "\u0301".repeat(90), "😀".repeat(3)];
    for (let round = 0; round < 500; round++) {
      const text = random.list(30, () => random.pick(pieces)).join("");
      const most = 1 + random.below(80);
      const cut = cutText(text, most);

      expect(cut.length).toBeLessThanOrEqual(most);
      expect(cut.isWellFormed()).toBe(true);
      expect(text.startsWith(cut.replace(/…$/, ""))).toBe(true);
    }
  });
});
