import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { openRepository } from "./repository.ts";
import type { GitRepository } from "./revision.ts";

const signal = new AbortController().signal;
const main = { branch: "main" };

describe.skipIf(!hasGit())("a repository of this machine", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
  });
  afterEach(() => fixture.remove());

  function open(url: string): GitRepository {
    return openRepository({ url, cacheDirectory: join(fixture.root, "unused"), allowLocal: true });
  }

  it.each(["bare", "working copy", "path", "packed"])("is read in place: %s", async (form) => {
    const commit = fixture.commit("first", { a: "1", "dir/b": "2" });
    fixture.push();
    if (form === "packed") {
      fixture.gitAt(fixture.bare, "gc", "-q");
      fixture.gitAt(fixture.bare, "pack-refs", "--all");
    }
    const place = form === "working copy" || form === "path" ? fixture.work : fixture.bare;
    const repository = open(form === "path" ? place : `file://${place}`);

    const result = await repository.fetchRevision({}, { signal });

    expect(result).toMatchObject({ revision: `main@sha1:${commit}`, history: "first" });
    expect(String(result.tree.read("dir/b"))).toBe("2");
    fixture.commit("second", { a: "2" });
    fixture.push();
    const next = await repository.fetchRevision(main, { signal });
    expect(next).toMatchObject({ history: "advanced", previous: commit });
    expect(repository.changedPaths(commit, next.commit)).toEqual(["a"]);
    fixture.git("reset", "-q", "--hard", "HEAD~1");
    fixture.push();
    expect((await repository.fetchRevision(main, { signal })).forced).toBe(true);
    expect(existsSync(join(fixture.root, "unused"))).toBe(false);
  });

  it("is refused unless allowed, and when it is none", async () => {
    expect(() => openRepository({ url: `file://${fixture.bare}`, cacheDirectory: "/nowhere" })).toThrow(
      expect.objectContaining({ code: "git-url-invalid" }),
    );
    await expect(open("/nowhere/at/all").fetchRevision(main, { signal })).rejects.toMatchObject({
      code: "git-invalid-repository",
    });
    await expect(open(fixture.work).fetchRevision(main, { signal })).rejects.toMatchObject({
      code: "git-empty-repository",
    });
  });
});
