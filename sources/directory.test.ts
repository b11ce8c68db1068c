import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryTree } from "./directory.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "directory-"));
  mkdirSync(join(root, "apps", "web"), { recursive: true });
  writeFileSync(join(root, "apps", "web", "a.yaml"), "a: 1\n");
  writeFileSync(join(root, "B.yaml"), "b\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("DirectoryTree", () => {
  it("lists and reads by paths relative to the root", () => {
    const tree = new DirectoryTree(root);

    expect(tree.list("")).toEqual([
      { name: "B.yaml", type: "file" },
      { name: "apps", type: "directory" },
    ]);
    expect(tree.list("apps/web")).toEqual([{ name: "a.yaml", type: "file" }]);
    expect(String(tree.read("apps/web/a.yaml"))).toBe("a: 1\n");
    expect(tree.list("B.yaml")).toBeUndefined();
    expect(tree.read("apps")).toBeUndefined();
    expect(tree.read("nothing/here")).toBeUndefined();
  });

  it.each(["..", "../x", "apps/../B.yaml", "/etc/passwd", "./B.yaml", "apps//web", "apps/"])(
    "has nothing at %s",
    (path) => {
      const tree = new DirectoryTree(root);

      expect(tree.list(path)).toBeUndefined();
      expect(tree.read(path)).toBeUndefined();
    },
  );

  it("shows links as their targets' text and follows none", () => {
    symlinkSync("/etc", join(root, "etc"));
    symlinkSync("/etc/passwd", join(root, "passwd"));
    symlinkSync("loop", join(root, "loop"));
    const tree = new DirectoryTree(root);

    expect(tree.list("")?.filter((entry) => entry.type === "symlink").length).toBe(3);
    expect(tree.list("etc")).toBeUndefined();
    expect(tree.read("etc/passwd")).toBeUndefined();
    expect(String(tree.read("passwd"))).toBe("/etc/passwd");
    expect(String(tree.read("loop"))).toBe("loop");
  });

  it("does not follow a link that takes a file's place after listing", () => {
    const tree = new DirectoryTree(root);
    tree.list("");
    rmSync(join(root, "B.yaml"));
    symlinkSync("/etc/passwd", join(root, "B.yaml"));

    expect(() => tree.read("B.yaml")).toThrow(expect.objectContaining({ code: "directory-unreadable" }));
  });

  it("leaves out .git and what is neither file, folder nor link", () => {
    mkdirSync(join(root, ".git"));
    execFileSync("mkfifo", [join(root, "pipe")]);

    expect(new DirectoryTree(root).list("")?.map((entry) => entry.name)).toEqual(["B.yaml", "apps"]);
  });

  it("has the same revision for the same files and another for any change", () => {
    const before = new DirectoryTree(root).revision;
    expect(new DirectoryTree(root).revision).toBe(before);

    writeFileSync(join(root, "apps", "web", "a.yaml"), "a: 2\n");
    const changed = new DirectoryTree(root).revision;
    expect(changed).not.toBe(before);

    rmSync(join(root, "B.yaml"));
    symlinkSync("b\n", join(root, "B.yaml"));
    expect(new DirectoryTree(root).revision).not.toBe(changed);
  });

  it("refuses a file, a missing folder and a file that is too large", () => {
    expect(() => new DirectoryTree(join(root, "B.yaml"))).toThrow("it is no folder");
    expect(() => new DirectoryTree(join(root, "none"))).toThrow("it does not exist");
    expect(() => new DirectoryTree(root, { maxFileBytes: 1 }).read("B.yaml")).toThrow("more than 1");
  });
});
