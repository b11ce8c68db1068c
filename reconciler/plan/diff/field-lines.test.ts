import { describe, expect, it } from "vitest";
import type { SourceTree } from "../../../sources/tree.ts";
import { FieldLines } from "./field-lines.ts";

const YAML = `# two objects
kind: A
metadata:
  name: a
---
kind: B
metadata: { name: b }
spec:
  containers:
  - name: web
    image: web:1
  - name: log
    env:
    - {name: X, value: y}
data:
  a/b: |
    text
`;

const tree: SourceTree = {
  revision: "1",
  list: () => undefined,
  read: (path) => (path === "a.yaml" ? Buffer.from(YAML) : path === "bad.yaml" ? Buffer.from("a: [\n") : undefined),
};

describe("FieldLines", () => {
  const lines = new FieldLines(tree);

  it.each([
    ["/kind", 6],
    ["/metadata/name", 7],
    ["/spec/containers/0/image", 11],
    ["/spec/containers/1", 12],
    ["/spec/containers/1/env/0/value", 14],
    ["/data/a~1b", 16],
  ])("finds %s in the second object of a file", (pointer, line) => {
    expect(lines.lineOf("a.yaml", 6, pointer)).toBe(line);
  });

  it.each([
    ["spec.containers[web].image", 11],
    ["spec.containers[0].image", 11],
    ["spec.containers[log].env[X].value", 14],
    ['data["a/b"]', 16],
    // What is around it, where there is no such field.
    ["spec.containers[web].resources.limits", 10],
    ["spec.replicas", 8],
  ])("finds %s as people read it", (path, line) => {
    expect(lines.lineOfPath("a.yaml", 6, path)).toBe(line);
  });

  it("knows no line where nothing of a path is in the file", () => {
    expect(lines.lineOfPath("a.yaml", 6, "status.replicas")).toBeUndefined();
    expect(lines.lineOfPath("a.yaml", 6, "")).toBeUndefined();
    expect(lines.lineOfPath("bad.yaml", 1, "a")).toBeUndefined();
  });

  it("finds fields of the first object", () => {
    expect(lines.lineOf("a.yaml", 2, "/metadata/name")).toBe(4);
  });

  it("knows nothing of fields and files that are not there, or no YAML", () => {
    expect(lines.lineOf("a.yaml", 6, "/spec/replicas")).toBeUndefined();
    expect(lines.lineOf("a.yaml", 6, "/spec/containers/7")).toBeUndefined();
    expect(lines.lineOf("none.yaml", 1, "/kind")).toBeUndefined();
    expect(lines.lineOf("bad.yaml", 1, "/a")).toBeUndefined();
  });
});
