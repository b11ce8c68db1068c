import { describe, expect, it } from "vitest";
import { AppError } from "../runtime/errors.ts";
import { parseYaml, parseYamlDocuments, stringifyYaml } from "./yaml.ts";
import { emitYamlDocument } from "./yaml-emit.ts";

function failureOf(text: string, options = {}): AppError {
  try {
    parseYaml(text, { file: "apps/web.yaml", ...options });
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the text was accepted");
}

function bomb(levels: number): string {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let level = 1; level < levels; level++) {
    text += `a${level}: &a${level} [${Array(10)
      .fill(`*a${level - 1}`)
      .join(", ")}]\n`;
  }
  return text;
}

describe("parseYaml", () => {
  it.each([
    ["yes", true],
    ["on", true],
    ["NO", false],
    ["y", true],
    ["n", false],
    ['"yes"', "yes"],
    ["yEs", "yEs"],
    ["0644", 420],
    ["0o644", 420],
    ["08", 8],
    ["1_000", 1000],
    ["0b11", 3],
    ["0x1F", 31],
    ["1e3", 1000],
    [".5", 0.5],
    ["1:30", "1:30"],
    ["2026-01-01", "2026-01-01"],
    ["12345678901234567890", 12345678901234567890n],
    ["9007199254740993", 9007199254740993n],
    ["1e400", "1e400"],
    ["~", null],
    ["", null],
    ["1.2.3", "1.2.3"],
    ["!!str 12", "12"],
    ["!!int '7'", 7],
    ["!!binary aGk=", "hi"],
  ])("reads %s as Kubernetes does", (text, value) => {
    expect(parseYaml(`a: ${text}\n`)).toEqual({ a: value });
  });

  it("reads keys under the same rules and keeps them text", () => {
    expect(parseYaml("on: 1\n0x10: 2\n~: 3\n")).toEqual({ true: 1, 16: 2, null: 3 });
  });

  it("expands aliases and merge keys, own keys first", () => {
    const value = parseYaml("base: &b {x: 1, z: 2}\nitem: {<<: *b, z: 3}\nsame: *b\n");

    expect(value).toEqual({ base: { x: 1, z: 2 }, item: { x: 1, z: 3 }, same: { x: 1, z: 2 } });
  });

  it("gives every alias its own copy", () => {
    const value = parseYaml("a: &a {x: 1}\nb: *a\n") as { a: { x: number }; b: { x: number } };

    value.a.x = 2;

    expect(value.b.x).toBe(1);
  });

  it("keeps a key named __proto__ an ordinary field", () => {
    const value = parseYaml("__proto__: {polluted: true}\n");

    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect((value as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ["a: 1\nb:\n  c: 1\n  c: 2\n", "yaml-duplicate-key", 4, 3],
    ["a: [1\n", "yaml-invalid", 2, 1],
    ["a: *nowhere\n", "yaml-invalid", 1, 4],
    ["a: &a [*a]\n", "yaml-invalid", 1, 8],
    ["a: 1\n---\nb: 2\n", "yaml-invalid", 3, 1],
    ["a: .inf\n", "yaml-invalid", 1, 4],
    ["a: 1\nb: x\u0007y\n", "yaml-invalid", 2, 5],
    ["? [a]\n: b\n", "yaml-invalid", 1, 3],
    [bomb(9), "yaml-too-many-aliases", 5, 45],
    ["[".repeat(120) + "]".repeat(120), "yaml-too-deep", 1, 102],
  ])("refuses %j", (text, code, line, column) => {
    const error = failureOf(text);

    expect(error.code).toBe(code);
    expect(error.details).toMatchObject({ file: "apps/web.yaml", line, column });
    expect(error.message).toContain(`apps/web.yaml:${line}:${column}: `);
  });

  it("refuses nesting that exhausts the stack, and a text beyond the limit", () => {
    expect(failureOf("[".repeat(100_000)).code).toBe("yaml-too-deep");
    expect(failureOf("a: 1234", { maxLength: 5 }).code).toBe("yaml-too-large");
    expect(failureOf("a: &a 1\nb: [*a, *a]", { maxAliases: 1 }).code).toBe("yaml-too-many-aliases");
  });

  it("lets the last of equal keys win on request", () => {
    expect(parseYaml("a: 1\nb: 2\na: 3\n", { duplicateKeys: "last-wins" })).toEqual({ a: 3, b: 2 });
  });
});

describe("parseYamlDocuments", () => {
  it("tells the line of each document and leaves out empty ones", () => {
    const documents = parseYamlDocuments("# top\n---\n# nothing\n---\nkind: A\n---\n\nkind: B\n...\n---\n");

    expect(documents).toEqual([
      { value: { kind: "A" }, line: 5 },
      { value: { kind: "B" }, line: 8 },
    ]);
  });
});

describe("stringifyYaml", () => {
  it.each([
    "yes",
    "y",
    "null",
    "~",
    "",
    "1_000",
    "0o17",
    "1:30",
    "2020-01-02",
    ".5",
    "1e3",
    "- a",
    "a: b",
    "a #b",
    "#a",
    " a",
    "a ",
    "\ttab",
    "line\nline\n",
    "line\n\n",
    "\n",
    "  lead\nb",
    "trailing \nb",
    "it's",
    "\u2028x",
    "\u{1F600}",
    "\u0007",
    "--- x",
    "x".repeat(200),
    "word ".repeat(40).trim(),
    `a: ${"word ".repeat(40)}x`,
    `\t${"word  ".repeat(40)}x`,
  ])("writes %j so that it is read back as it was", (text) => {
    const value = { [text]: text, list: [text, [text]] };

    expect(parseYaml(stringifyYaml(value))).toEqual(value);
  });

  it.each([0, -1, 1.5, 1e21, 1e20, 1.5e-7, 123456789.123, 9007199254740993n, 0.1])(
    "writes the number %s exactly",
    (number) => {
      expect(parseYaml(stringifyYaml([number]))).toEqual([number]);
    },
  );

  it("keeps the order of keys, lists at the column of their key", () => {
    expect(stringifyYaml({ b: [{ y: 1, x: [] }], a: { c: null, d: {} } })).toBe(
      'b:\n- "y": 1\n  x: []\na:\n  c: null\n  d: {}\n',
    );
  });

  it("refuses what JSON cannot hold", () => {
    expect(() => stringifyYaml({ a: Number.NaN })).toThrow(TypeError);
  });
});

describe("emitYamlDocument", () => {
  it("sorts keys in natural order: letters last, digits by their number", () => {
    const keys = ["z10", "z9", "ab", "a1b10", "a1b2", "a_b", "a.b", "a-b", "Z1", "B", "10", "9", "_x", "$x"];

    const text = emitYamlDocument(Object.fromEntries(keys.map((key) => [key, 0])), { sortKeys: true });

    expect(text.match(/[^\n"]+(?="?: 0)/g)).toEqual([...keys].reverse());
  });
});
