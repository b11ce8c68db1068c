import { describe, expect, it } from "vitest";
import type { AppError } from "../runtime/errors.ts";
import { parseYaml } from "./yaml.ts";

// Recorded from kube-apiserver 1.36.
describe("syntax errors in the words of go-yaml", () => {
  it.each([
    ["a: [b", "line 1: did not find expected ',' or ']'"],
    ["a: [b\nc: d\n", "line 1: did not find expected ',' or ']'"],
    ["a: {b: c", "line 1: did not find expected ',' or '}'"],
    ["a: [b}\n", "did not find expected ',' or ']'"],
    ["a:\n- b\n c\n- d: [\n", "line 4: did not find expected node content"],
    ["a: b: c\n", "mapping values are not allowed in this context"],
    ["x: 1\na: b: c\n", "line 2: mapping values are not allowed in this context"],
    ["a: b\n  c: d\n", "line 2: mapping values are not allowed in this context"],
    ["a:\n\tb: c\n", "line 2: found character that cannot start any token"],
    ["x: 1\na:\n  b: 1\n\tc: 2\n", "line 4: found a tab character that violates indentation"],
    ["a:\n  b: 1\n c: 2\n", "line 2: did not find expected key"],
    ["a: 1\nb\nc: 2\n", "line 3: could not find expected ':'"],
    ['a: "x\n', "line 2: found unexpected end of stream"],
    ["a: @x\n", "found character that cannot start any token"],
    ['a: "\\q"\n', "found unknown escape character"],
    ["a: 1\n- b\n", "line 1: did not find expected key"],
    ["- a\nb: 1\n", "line 1: did not find expected '-' indicator"],
    ["a: |x\n  b\n", "did not find expected comment or line break"],
    ["a: ]\n", "did not find expected node content"],
    ['a: "x" y\n', "did not find expected key"],
    ["a: - b\n", "block sequence entries are not allowed in this context"],
    ["a: *x\n", "unknown anchor 'x' referenced"],
    ["a: \u0001\n", "control characters are not allowed"],
  ])("%j", (text, words) => {
    let details: AppError["details"] = {};
    try {
      parseYaml(text);
    } catch (error) {
      details = (error as AppError).details;
    }

    expect(details["goMessage"]).toBe(words);
  });
});
