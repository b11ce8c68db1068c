import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit, startGitServer } from "../../test/git-server.ts";
import { openRepository } from "./repository.ts";
import { openWorkingCopy } from "./working-copy.ts";
import { commitFiles, createRepository, pushBranch } from "./write.ts";

const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5);

describe("commitFiles", () => {
  let root: string;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "write-"));
    await createRepository(root);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("makes commits that are read back, without the git command", async () => {
    const author = { name: "Ann", email: "ann@example.com" };
    const first = await commitFiles(root, { "apps/web.yaml": "a: 1\n", gone: "x" }, { message: "One", author, timeMs });
    const second = await commitFiles(root, { "apps/web.yaml": "a: 2\n", gone: undefined }, { message: "Two", timeMs });
    const copy = openWorkingCopy(root);

    const { base, head } = copy.resolveRange("HEAD~1..main");

    expect([base.oid, head.oid]).toEqual([first, second]);
    expect(base).toMatchObject({ subject: "One", author: { ...author, timeMs } });
    expect(copy.changedPaths(base, head)).toEqual(["apps/web.yaml", "gone"]);
    expect(copy.tree(head).list("")).toEqual([{ name: "apps", type: "directory" }]);
    expect(existsSync(join(root, "gone"))).toBe(false);
  });

  it("gives the same commit for the same input", async () => {
    const other = mkdtempSync(join(tmpdir(), "write-"));
    await createRepository(other);

    const one = await commitFiles(root, { a: "1" }, { message: "One", timeMs });

    expect(await commitFiles(other, { a: "1" }, { message: "One", timeMs })).toBe(one);
    rmSync(other, { recursive: true });
  });

  it.each(["../x", "/etc/x", "a/../../x", ".git/hooks/x", "a/.GIT/x", ""])("refuses the path %j", async (path) => {
    await expect(commitFiles(root, { [path]: "x" }, { message: "No", timeMs })).rejects.toMatchObject({
      code: "git-unsafe-path",
    });
  });

  it.skipIf(!hasGit())("pushes to a server, and says what a server refuses", async () => {
    const fixture = new GitFixture();
    const server = await startGitServer({ root: fixture.root, basicAuth: { username: "ann", password: "right" } });
    const url = `${server.url}/repo.git`;
    const credentials = { username: "ann", password: "right" };
    const commit = await commitFiles(root, { a: "1" }, { message: "One", timeMs });

    await pushBranch(root, { url, branch: "main", credentials });

    const repository = openRepository({ url, cacheDirectory: join(fixture.root, "cache"), credentials });
    const fetched = await repository.fetchRevision({}, { signal: new AbortController().signal });
    expect(fetched.commit).toBe(commit);
    await commitFiles(root, { b: "1" }, { message: "Two", timeMs });
    await pushBranch(root, { url, branch: "main", credentials });
    const other = mkdtempSync(join(tmpdir(), "write-"));
    await createRepository(other);
    await commitFiles(other, { c: "1" }, { message: "Elsewhere", timeMs });
    await expect(pushBranch(other, { url, branch: "main", credentials })).rejects.toThrow("commits that are not here");
    await expect(pushBranch(other, { url, branch: "none", credentials })).rejects.toMatchObject({
      code: "git-ref-invalid",
    });
    rmSync(other, { recursive: true });
    const wrong = pushBranch(root, { url, branch: "main", credentials: { ...credentials, password: "wr0ng" } });
    await expect(wrong).rejects.toMatchObject({ code: "git-auth-failed" });
    await expect(wrong).rejects.not.toThrow("wr0ng");
    repository.close();
    await server.close();
    await expect(pushBranch(root, { url, branch: "main" })).rejects.toMatchObject({ code: "git-unreachable" });
    fixture.remove();
  });
});
