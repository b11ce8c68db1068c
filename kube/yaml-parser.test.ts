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

// Recorded from go-yaml 3.
describe("scalars as go-yaml reads them", () => {
  it.each([
    ["a: x\n  y\n\n  z\n", "x y\nz"],
    ["a: 'it''s\n\n  two'\n", "it's\ntwo"],
    ['a: "x \\\n   y\\\n\n  z"\n', "x y\nz"],
    ['a: "\\u00e9\\x41\\N\\_"\n', "éA\u0085\u00a0"],
    ["a: |2\n   x\n  y\n", " x\ny\n"],
    ["a: |1-\n\n x\n\n", "\nx"],
    ["a: |+\n  x\n\n\n", "x\n\n\n"],
    ["a: >\n  x\n  y\n\n  z\n   w\n  v\n", "x y\nz\n w\nv\n"],
    ["a: >-\n\n  x\n", "\nx"],
    ["a: |\n  x", "x"],
    ["a: x\u2028 y\n", "x\u2028y"],
    ["a: x\u0085  y\n", "x y"],
    ["a: -\n", undefined],
    ["a: [-]\n", ["-"]],
    ["a: [a:, b:c]\n", ["a:", "b:c"]],
    ["a: [x?]\n", undefined],
    ["a: {x, ? w : z}\n", { x: null, w: "z" }],
    ["a: [x: 1, ? w]\n", [{ x: 1 }, { w: null }]],
    ["a: {\nx: 1\n}\n", { x: 1 }],
    ["%YAML 1.1\n%TAG !k! tag:yaml.org,2002:\n---\na: !k!str 1\n", "1"],
    ["a: !<tag:yaml.org,2002:str> 1\n", "1"],
    ["? a\n: b\n", "b"],
    ["a: .5_1\n", 0.51],
    ["a: ._5\n", "._5"],
    ["a: 0b-1\n", -1],
    [`${"x".repeat(1030)}: 1\na: b\n`, undefined],
    ["a:\n- x\n-\n- - z\n", ["x", null, ["z"]]],
    ["a:\n  k:\tx\t# c\n", { k: "x" }],
  ])("%j", (text, value) => {
    let read: unknown;
    try {
      read = (parseYaml(text) as { a: unknown }).a;
    } catch {
      read = undefined;
    }

    expect(read).toEqual(value);
  });
});
