import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { toValue } from "./node.ts";
import { parseResources } from "./parse.ts";

function namesIn(text: string): (string | undefined)[] {
  return parseResources(text, "r.yaml").map((resource) => resource.name);
}

function failureOf(text: string): AppError {
  return catchError(() => parseResources(text, "r.yaml"));
}

function catchError(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const item = (name: string): string => `{kind: A, metadata: {name: ${name}}}`;

describe("parseResources", () => {
  it("cuts a file at every line that begins with three dashes, even inside a block", () => {
    expect(namesIn(`---\n${item("a")}\n--- # x\n# nothing\n---\n${item("b")}\n---`)).toEqual(["a", "b"]);
    expect(failureOf(`kind: A\nmetadata: {name: a}\nk: |\n  a\n---\nb: c\n`).details).toMatchObject({ line: 6 });
    expect(failureOf(`${item("a")}\n---x\n`).details).toMatchObject({ file: "r.yaml", line: 2 });
  });

  it("reads the first document of a piece only", () => {
    expect(namesIn(`${item("a")}\n...\n[ what is this\n`)).toEqual(["a"]);
  });

  it("counts the lines of the whole file", () => {
    const text = `${item("a")}\r\n---\r\n\r\n${item("b")}\r\n---\r\nkind: [\r\n`;

    expect(failureOf(text).details).toMatchObject({ file: "r.yaml", line: 7 });
    expect(parseResources(text.slice(0, text.lastIndexOf("---")), "r.yaml").map(({ origin }) => origin.line)).toEqual([
      1, 4,
    ]);
  });

  it("takes a list apart where it stands when it is alone, else after everything else", () => {
    const nested = `{kind: BList, items: [${item("b")}, {kind: CList, items: [${item("c")}]}, ${item("d")}]}`;
    const list = `{kind: List, items: [${item("a")}, ~, {}, [], ${nested}, ${item("e")}]}`;

    expect(namesIn(list)).toEqual(["a", "e", "b", "d", "c"]);
    expect(namesIn(`${list}\n---\n${item("z")}\n`)).toEqual(["z", "a", "e", "b", "d", "c"]);
  });

  it("sends the items of other lists through JSON", () => {
    const [resource] = parseResources(
      "{kind: AList, items: [{kind: A, metadata: {name: a}, v: 1e3, w: }]}\n",
      "r.yaml",
    );

    expect(resource && toValue(resource.node)).toMatchObject({ v: 1000, w: null });
  });

  it.each([
    ["{kind: List, items: {a: b}}", "render-invalid-resource"],
    ["{kind: AList, items: x}", "render-invalid-resource"],
    ["- a", "render-invalid-resource"],
    ["{kind: A, metadata: [name]}", "render-invalid-resource"],
    ['k: "\\/"', "render-invalid-resource"],
  ])("refuses %s", (text, code) => {
    expect(failureOf(text).code).toBe(code);
  });

  it.each([
    ["kind: A\nmetadata: {name: a}\nk: {1: x}\n", "render-unrepresentable-value r.yaml:3:5: the key 1 is not text"],
    ["kind: A\nmetadata: {name: a}\nname: x\nname: y\n", 'render-invalid-resource r.yaml:4:1: the key "name" is'],
  ])("leaves to the output what only that cannot have: %j", (text, expected) => {
    const [resource] = parseResources(text, "r.yaml");

    const failure = catchError(() => toValue(resource!.node));

    expect(`${failure.code} ${failure.message}`.slice(0, expected.length)).toBe(expected);
  });

  it("passes over what is empty", () => {
    expect(namesIn("{kind: List, items: x}\n")).toEqual([]);
    expect(namesIn("[]\n---\n{}\n---\n~\n")).toEqual([]);
  });
});
