import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { openWorkingCopy, type WorkingCopy } from "./working-copy.ts";

describe.skipIf(!hasGit())("openWorkingCopy", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
  });
  afterEach(() => fixture.remove());

  function open(): WorkingCopy {
    return openWorkingCopy(fixture.work);
  }

  it("resolves names as git does", () => {
    fixture.commit("one", { a: "1" });
    fixture.commit("two", { a: "2" });
    fixture.git("checkout", "-q", "-b", "side");
    fixture.commit("side one", { b: "1" });
    fixture.commit("side two", { b: "2" });
    fixture.git("checkout", "-q", "main");
    fixture.commit("three", { a: "3" });
    fixture.git("tag", "-a", "-m", "tag", "v1");
    fixture.push();
    fixture.commit("four", { a: "4" });
    fixture.git("merge", "-q", "--no-ff", "-m", "merge", "side");
    const names =
      "HEAD @ main HEAD~1 HEAD~2 HEAD^ HEAD^^ HEAD~1^ v1 v1~1 side origin/main HEAD^2 HEAD^2~1 HEAD^0".split(" ");
    const copy = open();

    const resolved = names.map((name) => copy.resolve(name).oid);

    expect(resolved).toEqual(fixture.git("rev-parse", ...names.map((name) => `${name}^{commit}`)).split("\n"));
  });

  it("resolves the start of a commit's name, and finds the checkout from inside", () => {
    const commit = fixture.commit("one", { "deep/er/a": "1" });
    mkdirSync(join(fixture.work, "other"));

    const copy = openWorkingCopy(join(fixture.work, "deep", "er"));

    expect(copy.root).toContain("work");
    expect(copy.resolve(commit.slice(0, 7)).oid).toBe(commit);
    expect(copy.currentBranch()).toBe("main");
    expect(String(copy.tree(copy.resolve("HEAD")).read("deep/er/a"))).toBe("1");
  });

  it("compares from where a branch left, like a pull request", () => {
    const base = fixture.commit("base", { a: "1" });
    fixture.git("checkout", "-q", "-b", "feature");
    fixture.commit("feature one", { f: "1" });
    const head = fixture.commit("feature two", { f: "2" });
    fixture.git("checkout", "-q", "main");
    const ahead = fixture.commit("main moved on", { a: "2" });
    fixture.git("checkout", "-q", "feature");
    const copy = open();

    const asked = copy.resolveRange("main");

    expect(asked.base.oid).toBe(base);
    expect(asked.head.oid).toBe(head);
    expect(asked.commits.map((commit) => commit.subject)).toEqual(["feature two", "feature one"]);
    expect(copy.changedPaths(asked.base, asked.head)).toEqual(["f"]);
    expect(copy.resolveRange("main...feature").base.oid).toBe(base);
    expect(copy.resolveRange("main..feature").base.oid).toBe(ahead);
    expect(copy.resolveRange("main..").commits.length).toBe(2);
    expect(copy.resolveRange("..main").head.oid).toBe(ahead);
    expect(copy.resolveRange("HEAD~1..HEAD").commits.map((commit) => commit.subject)).toEqual(["feature two"]);
  });

  it("finds the same parting point and commits as git in tangled histories", () => {
    fixture.commit("root", { r: "0" });
    fixture.git("branch", "other");
    for (let i = 0; i < 12; i++) {
      fixture.git("checkout", "-q", i % 2 === 0 ? "main" : "other");
      fixture.commit(`commit ${i}`, { [i % 2 === 0 ? "m" : "o"]: `${i}` });
      if (i % 4 === 3) fixture.git("merge", "-q", "--no-ff", "-m", `merge ${i}`, "main");
    }
    const copy = open();

    const range = copy.resolveRange("main...other");

    expect(range.base.oid).toBe(fixture.git("merge-base", "main", "other"));
    expect(new Set(range.commits.map((commit) => commit.oid))).toEqual(
      new Set(fixture.git("rev-list", "main..other").split("\n")),
    );
  });

  it("reads a second working copy of the same repository", () => {
    fixture.commit("one", { a: "1" });
    const second = join(fixture.root, "second");
    fixture.git("worktree", "add", "-q", "-b", "feature", second);

    const copy = openWorkingCopy(second);

    expect(copy.currentBranch()).toBe("feature");
    expect(copy.resolveRange("main").commits).toEqual([]);
  });

  it("refuses to guess where two branches parted when the history at hand ends before that", () => {
    fixture.commit("one", { a: "1" });
    fixture.git("checkout", "-q", "-b", "side");
    fixture.commit("side", { b: "1" });
    fixture.git("checkout", "-q", "main");
    fixture.commit("two", { a: "2" });
    const shallow = join(fixture.root, "shallow");
    fixture.gitAt(fixture.root, "clone", "-q", "--depth=1", "--no-single-branch", `file://${fixture.work}`, shallow);

    const copy = openWorkingCopy(shallow);

    expect(() => copy.resolveRange("origin/main...origin/side")).toThrow("git fetch --unshallow");
    expect(() => copy.resolveRange("origin/main..origin/side")).not.toThrow();
    copy.close();
  });

  it("says what is near a name that is not there, and what a shallow clone lacks", () => {
    fixture.commit("one", { a: "1" });
    fixture.commit("two", { a: "2" });
    const shallow = join(fixture.root, "shallow");
    fixture.gitAt(fixture.root, "clone", "-q", "--depth=1", `file://${fixture.work}`, shallow);

    expect(() => open().resolve("mian")).toThrow('did you mean "main"?');
    expect(() => open().resolve("HEAD~5")).toThrow("leads beyond the first commit");
    expect(() => openWorkingCopy(shallow).resolve("HEAD~1")).toThrow("shallow clone");
    expect(() => open().resolve("../../etc/passwd")).toThrow(expect.objectContaining({ code: "git-ref-not-found" }));
    expect(() => openWorkingCopy("/")).toThrow(expect.objectContaining({ code: "git-invalid-repository" }));
  });
});
