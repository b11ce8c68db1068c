import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSystemTree } from "./file-system.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "file-system-")));
  mkdirSync(join(root, "apps"));
  writeFileSync(join(root, "apps", "a.yaml"), "a: 1\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("FileSystemTree", () => {
  it("begins at the root of the file system", () => {
    const tree = new FileSystemTree(root);
    const path = tree.pathOf(root);

    expect(tree.absolute(path)).toBe(root);
    expect(tree.typeOf("")).toBe("directory");
    expect(tree.typeOf(path)).toBe("directory");
    expect(tree.list(`${path}/apps`)).toEqual([{ name: "a.yaml", type: "file" }]);
    expect(String(tree.read(`${path}/apps/a.yaml`))).toBe("a: 1\n");
  });

  it("shows links as their targets' text and follows none", () => {
    symlinkSync(join(root, "apps"), join(root, "link"));
    const tree = new FileSystemTree(root);
    const link = tree.pathOf(join(root, "link"));

    expect(tree.typeOf(link)).toBe("symlink");
    expect(String(tree.read(link))).toBe(join(root, "apps"));
    expect(tree.list(link)).toBeUndefined();
  });

  it("has no pipes, and nothing where nothing is", () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    const tree = new FileSystemTree(root);
    const path = tree.pathOf(root);

    expect(tree.typeOf(`${path}/pipe`)).toBeUndefined();
    expect(tree.read(`${path}/pipe`)).toBeUndefined();
    expect(tree.typeOf(`${path}/apps/a.yaml/below`)).toBeUndefined();
    expect(tree.read(`${path}/nothing`)).toBeUndefined();
    expect(tree.list(`${path}/nothing`)).toBeUndefined();
    expect(tree.hasSeen(`${path}/nothing`)).toBe(false);
  });

  it("shows one state, however the files change", () => {
    const tree = new FileSystemTree(root);
    const file = tree.pathOf(join(root, "apps/a.yaml"));
    tree.read(file);
    writeFileSync(join(root, "apps", "a.yaml"), "a: 2\n");

    expect(String(tree.read(file))).toBe("a: 1\n");
    expect(new FileSystemTree(root).revision).not.toBe(tree.revision);
  });
});
