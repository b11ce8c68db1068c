import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

interface Generated {
  readonly metadata: { readonly name: string; readonly labels?: object };
  readonly data?: Record<string, unknown>;
  readonly binaryData?: Record<string, unknown>;
  readonly type?: string;
}

/** The one object that a build gives. Names with their hashes were recorded from kustomize 5.8.2. */
function built(kustomization: string, files: TreeFiles = {}): Generated {
  const tree = new MemoryTree({ "kustomization.yaml": kustomization, ...files });
  // What is generated has these fields.
  return renderKustomization(tree, ".").objects[0]?.object as unknown as Generated;
}

function failureOf(kustomization: string, files: TreeFiles = {}): string {
  try {
    built(kustomization, files);
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return "none";
}

const generator = (source: string, kind = "configMapGenerator"): string => `${kind}:\n- name: a\n  ${source}\n`;

describe("generators", () => {
  it("names the key of a file without slashes at the end", () => {
    expect(built(generator("files: [d/f.txt/]"), { "d/f.txt": "x" }).data).toEqual({ "f.txt": "x" });
  });

  it("takes any key", () => {
    const { data, metadata } = built(generator("literals: ['a b=1', '..=x', 'é=1']"));

    expect(data).toEqual({ "a b": "1", "..": "x", é: "1" });
    expect(metadata.name).toBe("a-mk9mch48bb");
  });

  it("strips one pair of quotes from a literal", () => {
    expect(built(generator(`literals: ["a='x'", 'b="y"', 'c="', "d='\\"'"]`)).data).toEqual({
      a: "x",
      b: "y",
      c: '"',
      d: '"',
    });
  });

  it("reads an env file line by line up to a line that is too long", () => {
    const env = `\ufeff A=1\r\n#x\n\n\u00a0B = 2\nC\n=x\nD="x"\nE=${"x".repeat(65_534)}\nF=1\n`;

    expect(built(generator("envs: [e]"), { e: env }).data).toEqual({ A: "1", "B ": " 2", C: "", D: '"x"' });
  });

  it("hashes what the content was before U+0085 became a space", () => {
    const { data, metadata } = built(generator("files: [f]"), { f: "x\u0085y\n" });

    expect(data).toEqual({ f: "x y\n" });
    expect(metadata.name).toBe("a-hc8b2gm4dm");
  });

  it("makes text of what it merges with, and drops data that nobody has", () => {
    const old =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: 1, y: null}}\ndata: {x: 1, y: , z: {a: b}}\n";
    const merge = `resources: [r.yaml]\n${generator("behavior: merge\n  literals: [b=1]")}`;
    const empty = `${generator("literals: []", "secretGenerator")}- {name: a, behavior: merge}\n`;

    expect(built(merge, { "r.yaml": old })).toMatchObject({
      data: { b: "1", x: "1", y: "", z: "" },
      metadata: { labels: { x: "1", y: "null" } },
    });
    expect(built(empty)).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a-8226t8dd99" },
      type: "Opaque",
    });
  });

  it.each([
    ["a key that is a number", generator("literals: ['1=1']"), {}, "render-unrepresentable-value"],
    [
      "text of several lines that begins with a tab",
      generator("files: [f]"),
      { f: "\tx\ny\n" },
      "render-unrepresentable-value",
    ],
    ["a key twice", generator("literals: [f=1]\n  files: [f]"), { f: "1" }, "render-generator-data"],
    ["a literal without a key", generator("literals: ['=x']"), {}, "render-generator-data"],
    [
      "bytes in an env file",
      generator("envs: [e]"),
      { e: new Uint8Array([0x41, 0x3d, 0xff]) },
      "render-generator-data",
    ],
  ] as const)("refuses %s", (_what, kustomization, files, code) => {
    expect(failureOf(kustomization, files)).toBe(code);
  });
});
