import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture, manifests } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { changedPaths, GitTree, openTree, TreeInspector } from "./git-tree.ts";
import { ObjectStore } from "./object-store.ts";
import { objectName } from "./objects.ts";
import { applyDelta, readEntryHeader, writeDistance, writeEntryHeader } from "./pack-entry.ts";

describe("applyDelta", () => {
  const base = Buffer.from("hello world");

  it("copies and inserts", () => {
    // Base of 11, result of 9: five from the beginning, then four new.
    const delta = Buffer.from([11, 9, 0x90, 5, 4, ...Buffer.from("!!!!")]);

    expect(String(applyDelta(base, delta))).toBe("hello!!!!");
  });

  it.each([
    ["another base", [12, 5, 0x90, 5]],
    ["a copy past the end of the base", [11, 5, 0x91, 8, 5]],
    ["more than it claims", [11, 4, 0x90, 5]],
    ["less than it claims", [11, 6, 0x90, 5]],
    ["an insertion that is cut off", [11, 5, 5, 65]],
    ["the reserved instruction", [11, 1, 0]],
    ["a size without end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["nothing", []],
  ])("refuses %s", (_, bytes) => {
    expect(() => applyDelta(base, Buffer.from(bytes))).toThrow(expect.objectContaining({ code: "git-corrupt" }));
  });
});

describe("headers of pack entries", () => {
  it.each([0, 1, 15, 16, 2047, 2048, 123_456_789, 2 ** 33])("hold a size of %d", (size) => {
    expect(readEntryHeader(writeEntryHeader("blob", size))).toMatchObject({ type: "blob", size });
  });

  it.each([1, 127, 128, 16_511, 16_512, 2_113_663, 2_113_664, 999_999_999])("hold a distance of %d", (distance) => {
    const bytes = Buffer.concat([writeEntryHeader("ofs-delta", 5), writeDistance(distance)]);

    expect(readEntryHeader(bytes)).toMatchObject({ type: "ofs-delta", distance, length: bytes.length });
  });

  it.each([[[0x00]], [[0x50]], [[0x90]], [[]], [[0x70, 1, 2]], [[0xbf, ...Array(12).fill(0xff)]]])(
    "refuse %j",
    (bytes) => {
      expect(() => readEntryHeader(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: "git-corrupt" }));
    },
  );
});

describe.skipIf(!hasGit())("ObjectStore", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
  });
  afterEach(() => fixture.remove());

  /** Every object that git knows, with its type and content as git prints them. */
  function everyObject(): Map<string, { readonly type: string; readonly size: number }> {
    const lines = fixture.git("cat-file", "--batch-check", "--batch-all-objects").split("\n");
    return new Map(
      lines.map((line) => {
        const [oid = "", type = "", size = ""] = line.split(" ");
        return [oid, { type, size: Number(size) }];
      }),
    );
  }

  function history(): void {
    fixture.commit("first", manifests(100));
    for (let i = 0; i < 12; i++) {
      const lines = Array.from({ length: 200 }, (_, n) => `line ${n} ${n % 12 === i ? "changed" : "same"}`);
      fixture.commit(`change ${i}`, { "big.txt": lines.join("\n"), [`apps/app-${i}/object-${i}.yaml`]: `v: ${i}` });
    }
    fixture.git("tag", "-a", "-m", "tag", "v1");
  }

  it.each([
    ["loose files", []],
    ["a pack of deltas", ["repack", "-adq", "--depth=50", "--window=50", "-f"]],
    ["deltas by name", ["-c", "repack.useDeltaBaseOffset=false", "repack", "-adqf"]],
    ["several packs and loose files", ["repack", "-q"]],
  ])("reads every object from %s", (_, repack) => {
    history();
    if (repack.length > 0) fixture.git(...repack);
    if (repack.length === 2) fixture.commit("after", { late: "file" });
    const store = new ObjectStore(join(fixture.work, ".git", "objects"));
    const all = everyObject();

    for (const [oid, { type, size }] of all) {
      const object = store.read(oid);
      expect({ type: object.type, size: object.content.length }).toEqual({ type, size });
      expect(objectName(object.type, object.content)).toBe(oid);
    }
    expect(all.size).toBeGreaterThan(180);
    store.close();
  });

  it("reads what another repository lends, and a second working copy", () => {
    const commit = fixture.commit("first", { a: "1" });
    const clone = join(fixture.root, "clone");
    fixture.gitAt(fixture.root, "clone", "-q", "--shared", fixture.work, clone);

    const store = new ObjectStore(join(clone, ".git", "objects"));

    expect(store.readCommit(commit).subject).toBe("first");
    expect(store.expand(commit.slice(0, 8))).toEqual([commit]);
  });

  it("goes on reading while another process repacks", () => {
    history();
    fixture.git("repack", "-adq");
    const store = new ObjectStore(join(fixture.work, ".git", "objects"));
    const head = fixture.git("rev-parse", "HEAD");
    const tree = new GitTree(store, store.readCommit(head).tree, head);
    for (const pack of store.packs()) pack.close();
    fixture.commit("another", { more: "objects" });
    fixture.git("repack", "-adq");

    expect(String(tree.read("big.txt"))).toContain("line 0");
    const elsewhere = openTree(structuredClone(tree.location));
    expect(elsewhere.read("big.txt")).toEqual(tree.read("big.txt"));
    expect(elsewhere.revision).toBe(head);
  });

  it("says of a damaged loose object that it is damaged", () => {
    fixture.commit("first", { a: "1" });
    const oid = fixture.git("rev-parse", "HEAD:a");
    const folder = join(fixture.root, "objects", oid.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, oid.slice(2)), "nonsense");

    expect(() => new ObjectStore(join(fixture.root, "objects")).read(oid)).toThrow(
      expect.objectContaining({ code: "git-corrupt" }),
    );
  });

  describe("trees of hostile repositories", () => {
    /** Writes a tree object that no well-behaved program makes. */
    function tree(...entries: readonly (readonly [mode: string, name: string, oid: string])[]): string {
      const content = Buffer.concat(
        entries.map(([mode, name, oid]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")])),
      );
      const oid = objectName("tree", content);
      const folder = join(fixture.work, ".git", "objects", oid.slice(0, 2));
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, oid.slice(2)),
        deflateSync(Buffer.concat([Buffer.from(`tree ${content.length}\0`), content])),
      );
      return oid;
    }

    function store(): ObjectStore {
      return new ObjectStore(join(fixture.work, ".git", "objects"));
    }

    it.each(["..", ".", "a/b", ""])("refuses an entry named %j", (name) => {
      fixture.commit("first", { a: "1" });
      const oid = tree(["100644", name, fixture.git("rev-parse", "HEAD:a")]);

      expect(() => new TreeInspector(store()).inspect(oid)).toThrow(
        expect.objectContaining({ code: "git-unsafe-path" }),
      );
      expect(() => new GitTree(store(), oid, "x").list("")).toThrow(
        expect.objectContaining({ code: "git-unsafe-path" }),
      );
    });

    it("refuses a name that occurs twice", () => {
      fixture.commit("first", { a: "1", b: "2" });
      const oid = tree(
        ["100644", "a", fixture.git("rev-parse", "HEAD:a")],
        ["100644", "a", fixture.git("rev-parse", "HEAD:b")],
      );

      expect(() => new TreeInspector(store()).inspect(oid)).toThrow("occurs twice");
    });

    it("leaves out folders named .git in any spelling", () => {
      fixture.commit("first", { a: "1", "d/config": "x" });
      const blob = fixture.git("rev-parse", "HEAD:a");
      const oid = tree(
        ["40000", ".GIT", fixture.git("rev-parse", "HEAD:d")],
        ["100644", ".git", blob],
        ["100644", "a", blob],
      );
      const hostile = new GitTree(store(), oid, "x");

      expect(hostile.list("")).toEqual([{ name: "a", type: "file" }]);
      expect(hostile.read(".GIT/config")).toBeUndefined();
      expect(hostile.read(".git")).toBeUndefined();
      expect(new TreeInspector(store()).inspect(oid).length).toBe(2);
    });

    it("counts the files of a tree that holds itself many times over without walking them", () => {
      fixture.commit("first", { a: "1" });
      const blob = fixture.git("rev-parse", "HEAD:a");
      let oid = tree(...Array.from({ length: 10 }, (_, i) => ["100644", `f${i}`, blob] as const));
      for (let depth = 0; depth < 12; depth++) {
        const below = oid;
        oid = tree(...Array.from({ length: 10 }, (_, i) => ["40000", `d${i}`, below] as const));
      }

      expect(() => new TreeInspector(store()).inspect(oid)).toThrow(expect.objectContaining({ code: "git-too-large" }));
    });

    it("refuses folders nested without end", () => {
      fixture.commit("first", { a: "1" });
      let oid = tree(["100644", "a", fixture.git("rev-parse", "HEAD:a")]);
      for (let depth = 0; depth < 300; depth++) oid = tree(["40000", "d", oid]);

      expect(() => new TreeInspector(store()).inspect(oid)).toThrow(expect.objectContaining({ code: "git-too-large" }));
    });
  });

  it("names the paths that differ, also where a file became a folder", () => {
    fixture.commit("first", { a: "1", same: "s", "dir/x": "1", "dir/y": "1", thing: "file", "gone/deep/z": "1" });
    const before = fixture.git("rev-parse", "HEAD^{tree}");
    fixture.git("rm", "-rq", "thing", "gone");
    fixture.commit("second", { a: "2", "dir/y": "2", "thing/inside": "1", link: { link: "a" } });
    const after = fixture.git("rev-parse", "HEAD^{tree}");
    const store = new ObjectStore(join(fixture.work, ".git", "objects"));

    const paths = changedPaths(store, before, after);

    expect(paths).toEqual(["a", "dir/y", "gone/deep/z", "link", "thing", "thing/inside"]);
    expect(changedPaths(store, before, before)).toEqual([]);
    expect(changedPaths(store, undefined, before).length).toBe(6);
    const tree = new GitTree(store, after, "x");
    expect(tree.blobId("a")).toBe(fixture.git("rev-parse", "HEAD:a"));
    expect(tree.blobId("dir")).toBeUndefined();
  });
});
