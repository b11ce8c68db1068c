import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../memory-tree.ts";
import { renderKustomization } from "../render.ts";

/** Replaces a field inside `inner` by the text `example.org`. */
function edit(inner: string, path: string, value = "example.org", options = ""): unknown {
  const files = {
    "kustomization.yaml": `resources: [a.json]\nreplacements:\n- sourceValue: ${JSON.stringify(value)}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: ["data.conf.${path}"]\n${options}`,
    "a.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { conf: inner } }),
  };
  const [rendered] = renderKustomization(new MemoryTree(files), "").objects;
  return (rendered?.object["data"] as { conf: unknown } | undefined)?.conf;
}

describe("replacements inside text", () => {
  it("keep comments, order and quotes of YAML", () => {
    const text = "# top\nserver:\n  port: 80 # http\n  host: 'old' # here\nb: [1, two]\na: \"x\"";

    expect(edit(text, "server.host")).toBe(text.replace("old", "example.org"));
    expect(edit(text, "b.1")).toBe(text.replace("two", "example.org"));
    expect(edit(text, "a")).toBe(text.replace('"x"', '"example.org"'));
  });

  it("indent YAML by two and drop empty lines, as Go's writer does", () => {
    expect(edit("a:   1\n\nb:\n    - host: old\n      n:   2\n\n", "b.0.host")).toBe(
      "a: 1\nb:\n- host: example.org\n  n: 2",
    );
  });

  it("keep the type of the YAML value that they replace", () => {
    expect(edit("port: 80\n", "port", "8080")).toBe("port: 8080");
    expect(edit("port: http\n", "port", "8080")).toBe('port: "8080"');
    expect(edit("port: 80\n", "port", "http")).toBe("port: !!int http");
    expect(edit("name: a\n", "name", "x: y")).toBe("name: 'x: y'");
  });

  it("add fields to YAML where they are told to", () => {
    const options = "    options: {create: true}\n";

    expect(edit("server: {port: 80}\n", "server.host", "example.org", options)).toBe(
      "server: {port: 80, host: example.org}",
    );
  });

  it("bring the quotes, braces and brackets of what they copy into YAML", () => {
    const files = {
      "kustomization.yaml":
        "resources: [a.yaml]\nreplacements:\n- source: {kind: Source, fieldPath: spec.from}\n  targets:\n" +
        "  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.new]\n    options: {create: true}\n",
      "a.yaml":
        "kind: Source\nmetadata: {name: s}\nspec:\n  from:\n    a: [\"x\", 'y', z]\n    b: {c: 'd', e: \"1\"}\n    f:\n    - g\n" +
        "---\nkind: ConfigMap\nmetadata: {name: c}\ndata: {conf: 'old: 1'}\n",
    };
    const { objects } = renderKustomization(new MemoryTree(files), "");
    const map = objects.find(({ object }) => object["kind"] === "ConfigMap");

    expect(map?.object["data"]).toEqual({
      conf: "old: 1\nnew:\n  a: [\"x\", 'y', z]\n  b: {c: 'd', e: \"1\"}\n  f:\n  - g",
    });
  });

  it("leave aliases of YAML as they are", () => {
    expect(edit("a: &x {b: 1}\ns: *x\n", "a.b", "2")).toBe("a: &x {b: 2}\ns: *x");
    expect(edit("a: &x {b: 1}\ns:\n  <<: *x\n", "a.b", "2")).toBe("a: &x {b: 2}\ns:\n  !!merge <<: *x");
    expect(() => edit('{"a": &x {"b": 1}, "s": *x}', "a.b", "2")).toThrow("the path data.conf.a.b does not fit");
  });

  it("write JSON with sorted keys, indented as it was", () => {
    expect(edit('{"b": {"host": "old"}, "a": [1]}', "b.host")).toBe('{"a":[1],"b":{"host":"example.org"}}');
    expect(edit('{\n  "host": "old"\n}', "host")).toBe('{\n  "host": "example.org"\n}');
  });

  it("leave JSON alone when the value does not fit its type, as the real tool does", () => {
    expect(edit('{"port": 80}', "port", "http")).toBe('{"port": 80}');
  });

  it.each(["just words", "", "12"])("refuse the text %j, which has no fields", (text) => {
    expect(() => edit(text, "host")).toThrow("the path data.conf.host does not fit");
  });
});
