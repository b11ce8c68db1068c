import { describe, expect, it } from "vitest";
import { withoutIgnored } from "./ignoring-tree.ts";
import { MemoryTree } from "./memory-tree.ts";

function tree(ignore: string | undefined) {
  const files = { "app/web.yaml": "a", "app/docs/guide.yaml": "b", "app/test/web.yaml": "c", "README.md": "d" };
  return withoutIgnored(new MemoryTree(files), ignore);
}

function names(entries: readonly { readonly name: string }[] | undefined): string[] | undefined {
  return entries?.map((entry) => entry.name);
}

describe("withoutIgnored", () => {
  it("leaves files out of listings and of reading", () => {
    const visible = tree("*.md\n");

    expect(names(visible.list(""))).toEqual(["app"]);
    expect(visible.read("README.md")).toBeUndefined();
    expect(visible.read("app/web.yaml")).toBeDefined();
  });

  it("leaves out all that is below a directory", () => {
    const visible = tree("docs/\ntest\n");

    expect(names(visible.list("app"))).toEqual(["web.yaml"]);
    expect(visible.list("app/docs")).toBeUndefined();
    expect(visible.read("app/test/web.yaml")).toBeUndefined();
  });

  it("takes back what a later pattern wants, but not below an ignored directory", () => {
    const visible = tree("*.yaml\n!web.yaml\ntest/\n");

    expect(names(visible.list("app"))).toEqual(["docs", "web.yaml"]);
    expect(visible.read("app/test/web.yaml")).toBeUndefined();
  });

  it("is the tree itself without patterns", () => {
    const plain = new MemoryTree({ "a.yaml": "a" });

    expect(withoutIgnored(plain, undefined)).toBe(plain);
    expect(withoutIgnored(plain, "# nothing\n")).toBe(plain);
  });
});
