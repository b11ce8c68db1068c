import { describe, expect, it } from "vitest";
import { cutText } from "./cut-text.ts";
import { hasMarker, markerLine, withMarker } from "./marker.ts";

const HIDDEN = ["html comment", "link definition"] as const;

describe.each(HIDDEN)("a marker as %s", (hidden) => {
  it.each(["plan shop/apps", "a -->b", "--!>", ") x", "[a](b)", "two\nlines", "ünï😀\ud800", "a_b-c.d"])(
    "for %j is one line that cannot be left",
    (id) => {
      const line = markerLine(hidden, id);

      expect(line).toMatch(
        hidden === "html comment" ? /^<!-- flaghoist:[\w.%]*? -->$/ : /^\[\/\/\]: # \(flaghoist:[\w.%]*?\)$/,
      );
      expect(hasMarker(withMarker(hidden, id, "body"), hidden, id)).toBe(true);
    },
  );

  it("of one id is not that of another", () => {
    expect(hasMarker(withMarker(hidden, "a", "body"), hidden, "a b")).toBe(false);
    expect(markerLine(hidden, "a-b")).not.toBe(markerLine(hidden, "a_b"));
  });

  it("is found after the provider changed line ends", () => {
    expect(hasMarker(`\r\n${markerLine(hidden, "x")}\r\n\r\nbody`, hidden, "x")).toBe(true);
  });

  it("counts on the first line only", () => {
    expect(hasMarker(`words\n${markerLine(hidden, "x")}`, hidden, "x")).toBe(false);
  });
});

describe("cutText", () => {
  it("never cuts a character in two", () => {
    expect(cutText("ab😀cd", 4)).toBe("ab…");
    expect(cutText("ab😀cd", 5)).toBe("ab😀…");
    expect(cutText("ab😀cd", 6)).toBe("ab😀cd");
    expect(cutText("abc", 0)).toBe("");
  });
});
