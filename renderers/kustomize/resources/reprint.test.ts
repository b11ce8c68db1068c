import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { MemoryTree } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";
import { emitYaml } from "./emit.ts";

const HEAD = "kind: A\nmetadata: {name: a}\n";

/** The lines that a build prints of a field `k`, or the code of its failure. Recorded from kustomize 5.8.2. */
function printed(text: string): string {
  const tree = new MemoryTree({ "kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": text });
  try {
    const { objects } = renderKustomization(tree, ".");
    return emitYaml(objects.map(({ object }) => object));
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

describe("what printing and reading again makes of a text", () => {
  it.each([
    ["a folded block with indented lines", "k: >\n  a\n    b\n  c\n", "k: |\n  a\n\n    b\n  c\n"],
    ["a folded block that begins indented", "k: >2\n   a\n  b\n  c\n", "k: |2\n   a\n  b c\n"],
    ["a folded block that only ends", "k: >+\n\n", "k: |2+\n\n"],
    ["nothing at all in braces", "k: {a: , b}\n", 'k:\n  a: ""\n  b: ""\n'],
    ["nothing at all in a block", "k:\n  a:\n", "k:\n  a: null\n"],
    ["a time in a block", "k: 2020-01-02 3:4:5\n", 'k: "2020-01-02T03:04:05Z"\n'],
    ["a time in brackets", "k: [2020-01-02 3:4:5, 2020-1-2]\n", 'k:\n- "2020-01-02 3:4:5"\n- "2020-01-02T00:00:00Z"\n'],
    ["an old line separator", 'k: "a \\x85 b\\x85\\x85c"\n', "k: |-\n  a b\n  c\n"],
    ["bytes that are no text", "k: !!binary 4oA=\n", "k: \ufffd\ufffd\n"],
    ["a tag of one's own", "k: [!x 1, !!str 2, ! 3]\n", 'k:\n- "1"\n- "2"\n- 3\n'],
  ])("%s", (_what, field, expected) => {
    expect(printed(HEAD + field)).toBe(`${expected}kind: A\nmetadata:\n  name: a\n`);
  });

  it.each([
    ["a block that begins with a tab", "k: |2\n  \tx\n  y\n"],
    ["a delete character", 'k: "\\x7f"\n'],
    ["a key too long for JSON", `k:\n  ? ${"x".repeat(1023)}\n  : 1\n`],
    ["a key whose escapes are too long for JSON", `k:\n  ${"<".repeat(200)}: 1\n`],
    ["a key with a line separator", 'k: {"a\\x85b": 1}\n'],
    ["a tag that does not fit", "k: !!int x\n"],
    ["no base64", "k: !!binary x\n"],
  ])("refuses %s", (_what, field) => {
    expect(printed(HEAD + field)).toBe("render-unrepresentable-value");
  });

  it("makes texts of all annotations and no labels, and drops its own", () => {
    const annotations = "a: 1, b: null, c: ~, d: , e: {x: 1}, config.kubernetes.io/index: '0'";
    const text = `kind: A\nmetadata: {name: a, labels: {a: 1, b: ~}, annotations: {${annotations}}}\n`;

    expect(printed(text)).toBe(
      'kind: A\nmetadata:\n  annotations:\n    a: "1"\n    b: "null"\n    c: "~"\n    d: ""\n    e: ""\n' +
        "  labels:\n    a: 1\n    b: null\n  name: a\n",
    );
  });

  it("refuses an annotation whose key is a number", () => {
    expect(printed("kind: A\nmetadata: {name: a, annotations: {'1': x}}\n")).toBe("render-unrepresentable-value");
  });
});
