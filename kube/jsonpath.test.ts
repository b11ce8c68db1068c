import { describe, expect, it } from "vitest";
import { compileJsonPath, compileJsonPathTemplate } from "./jsonpath.ts";

const DOCUMENT = {
  kind: "List",
  items: [
    { metadata: { name: "n1", labels: { "a.io/b": "x" } }, status: { capacity: { cpu: "4" }, ready: true, load: 1 } },
    { metadata: { name: "n2" }, status: { capacity: { cpu: "8" }, ready: false, load: 3 } },
  ],
  conditions: [
    { type: "Ready", status: "True" },
    { type: "Synced", status: "False" },
  ],
  constructor: undefined,
};

describe("compileJsonPath", () => {
  it.each<[string, unknown[]]>([
    [".kind", ["List"]],
    ["kind", ["List"]],
    ["{.kind}", ["List"]],
    ["$.kind", ["List"]],
    [".items[0].metadata.name", ["n1"]],
    [".items[-1].metadata.name", ["n2"]],
    [".items[5]", []],
    [".items[*].metadata.name", ["n1", "n2"]],
    [".items[:1].metadata.name", ["n1"]],
    [".items[0:2:2].metadata.name", ["n1"]],
    [".items[-1:].metadata.name", ["n2"]],
    [".items[0].status.capacity.*", ["4"]],
    ["..name", ["n1", "n2"]],
    ["..capacity.cpu", ["4", "8"]],
    [".items[0].metadata.labels.a\\.io/b", ["x"]],
    [".items[0].metadata.labels['a.io/b']", ["x"]],
    [".items[*]['metadata.name', 'status']", [DOCUMENT.items[0]?.status, DOCUMENT.items[1]?.status]],
    [".items[0][.metadata.name, .status.load]", ["n1", 1]],
    ['.conditions[?(@.type=="Ready")].status', ["True"]],
    [".conditions[?(@.type!='Ready')].status", ["False"]],
    [".items[?(@.status.load>=3)].metadata.name", ["n2"]],
    [".items[?(@.status.ready==true)].metadata.name", ["n1"]],
    [".items[?(@.metadata.labels)].metadata.name", ["n1"]],
    [".items[?(@.metadata.name==$.items[1].metadata.name)].status.load", [3]],
    [".missing.deeper", []],
    [".constructor", []],
    [".toString", []],
  ])("%s", (expression, expected) => {
    expect(compileJsonPath(expression).find(DOCUMENT)).toEqual(expected);
  });

  it.each([".a[", ".a[b]", ".a..", ".items[0:1:0]", ".a b"])("refuses %s", (expression) => {
    expect(() => compileJsonPath(expression)).toThrow(expect.objectContaining({ code: "jsonpath-invalid" }));
  });
});

describe("compileJsonPathTemplate", () => {
  it.each([
    ["kind is {.kind}", "kind is List"],
    ["{.items[*].metadata.name}", "n1 n2"],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.capacity.cpu}{"\\n"}{end}', "n1\t4\nn2\t8\n"],
    ["{range .items[*]}{$.kind}/{@.metadata.name} {end}", "List/n1 List/n2 "],
    ["{.items[0].status}", '{"capacity":{"cpu":"4"},"ready":true,"load":1}'],
    ['{.conditions[?(@.type=="Ready")].status}', "True"],
    ["{'}'}", "}"],
  ])("%s", (template, text) => {
    expect(compileJsonPathTemplate(template).render(DOCUMENT)).toBe(text);
  });

  it("says what is missing, unless that is allowed", () => {
    expect(() => compileJsonPathTemplate("{.nope}").render(DOCUMENT)).toThrow("nope is not found");
    expect(() => compileJsonPathTemplate("{.items[9]}").render(DOCUMENT)).toThrow(
      "array index out of bounds: index 9, length 2",
    );
    expect(compileJsonPathTemplate("<{.nope}>", { allowMissingKeys: true }).render(DOCUMENT)).toBe("<>");
  });

  it.each(["{.a", "{range .items[*]}x", "{end}"])("refuses %s", (template) => {
    expect(() => compileJsonPathTemplate(template)).toThrow(expect.objectContaining({ code: "jsonpath-invalid" }));
  });
});
