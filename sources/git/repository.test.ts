import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture, manifests } from "../../test/git-fixture.ts";
import { type GitServer, type GitServerOptions, hasGit, startGitServer } from "../../test/git-server.ts";
import type { GitReference } from "./reference.ts";
import { cacheDirectoryName, openRepository, type RepositoryOptions } from "./repository.ts";
import type { FetchedRevision, GitRepository } from "./revision.ts";

const signal = new AbortController().signal;
const main: GitReference = { branch: "main" };

describe.skipIf(!hasGit())("a repository over http", () => {
  let fixture: GitFixture;
  let server: GitServer;
  const opened: GitRepository[] = [];

  beforeEach(async () => {
    fixture = new GitFixture();
    await serve();
  });
  afterEach(async () => {
    for (const repository of opened.splice(0)) repository.close();
    await server.close();
    fixture.remove();
  });

  async function serve(options: Partial<GitServerOptions> = {}): Promise<void> {
    await server?.close();
    server = await startGitServer({ root: fixture.root, ...options });
  }

  function open(options: Partial<RepositoryOptions> = {}): GitRepository {
    const repository = openRepository({ url: `${server.url}/repo.git`, cacheDirectory: cache(), ...options });
    opened.push(repository);
    return repository;
  }

  function cache(): string {
    return join(fixture.root, "cache");
  }

  function packs(): string[] {
    return readdirSync(join(cache(), "objects", "pack")).filter((name) => name.endsWith(".pack"));
  }

  function text(result: FetchedRevision, path: string): string {
    return String(result.tree.read(path));
  }

  it.each([0, 2] as const)("reads a branch under version %d of the protocol", async (protocol) => {
    await serve({ protocol });
    fixture.commit("first", { "a.yaml": "a: 0\n" });
    const commit = fixture.commit("second\n\nwith a body", { "a.yaml": "a: 1\n", "dir/b.yaml": "b\n" });
    fixture.push();

    const result = await open().fetchRevision(main, { signal });

    expect(result).toMatchObject({ revision: `main@sha1:${commit}`, commit, changed: true, history: "first" });
    expect(result.tree.list("")).toEqual([
      { name: "a.yaml", type: "file" },
      { name: "dir", type: "directory" },
    ]);
    expect(text(result, "dir/b.yaml")).toBe("b\n");
    expect(result.details).toMatchObject({
      subject: "second",
      author: { name: "Ann", email: "ann@example.com", timeMs: 1_700_000_120_000 },
    });
    // Only the tip is fetched: its parent is named and not there.
    expect(result.details.parents.length).toBe(1);
    expect(() => open().readCommit(result.details.parents[0] ?? "")).toThrow("is not in the repository");
  });

  it("asks an unchanged repository once, and once more after a restart", async () => {
    fixture.commit("first", manifests(50));
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });

    server.requests.length = 0;
    const again = await repository.fetchRevision(main, { signal });

    expect(server.requests).toEqual(["POST /repo.git/git-upload-pack ls-refs"]);
    expect(again).toMatchObject({ changed: false, history: "unchanged", requests: 1 });
    expect(again.bytes).toBeLessThan(100);

    server.requests.length = 0;
    const restarted = await open().fetchRevision(main, { signal });

    expect(restarted).toMatchObject({ changed: false, history: "unchanged" });
    expect(server.requests.filter((line) => line.endsWith(" fetch"))).toEqual([]);
  });

  it.each([0, 2] as const)("asks what the server can do once, under version %d", async (protocol) => {
    await serve({ protocol });
    fixture.commit("first", { a: "1" });
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });
    fixture.commit("second", { a: "2" });
    fixture.push();

    server.requests.length = 0;
    const next = await repository.fetchRevision(main, { signal });

    const listing =
      protocol === 2 ? "POST /repo.git/git-upload-pack ls-refs" : "GET /repo.git/info/refs?service=git-upload-pack";
    expect(server.requests).toEqual([listing, "POST /repo.git/git-upload-pack fetch"]);
    expect(next.requests).toBe(2);
  });

  it.each([0, 2] as const)("gets only new objects of new commits under version %d", async (protocol) => {
    await serve({ protocol });
    fixture.commit("first", manifests(400));
    fixture.push();
    const repository = open();
    const first = await repository.fetchRevision(main, { signal });
    fixture.commit("second", { "apps/app-3/object-3.yaml": "changed\n" });
    fixture.commit("third", { "apps/app-9/new.yaml": "new\n" });
    fixture.push();

    const next = await repository.fetchRevision(main, { signal });

    expect(first.bytes).toBeGreaterThan(40_000);
    // Mostly what the server tells of its progress, which isomorphic-git does not ask it to leave out.
    expect(next.bytes).toBeLessThan(4500);
    expect(next).toMatchObject({ changed: true, history: "advanced", forced: false, previous: first.commit });
    expect(repository.changedPaths(first.commit, next.commit)).toEqual([
      "apps/app-3/object-3.yaml",
      "apps/app-9/new.yaml",
    ]);
    expect(text(next, "apps/app-3/object-3.yaml")).toBe("changed\n");
    expect(text(first, "apps/app-3/object-3.yaml")).toContain("object-3");
  });

  it("reports a forced push and follows it", async () => {
    fixture.commit("first", { a: "1" });
    fixture.commit("second", { a: "2" });
    fixture.push();
    const repository = open();
    const before = await repository.fetchRevision(main, { signal });
    fixture.git("reset", "-q", "--hard", "HEAD~1");
    fixture.commit("other", { a: "3" });
    fixture.push();

    const after = await repository.fetchRevision(main, { signal });

    expect(after).toMatchObject({ history: "rewritten", forced: true, previous: before.commit });
    expect(text(after, "a")).toBe("3");
  });

  it("reports a branch that went back to a commit it never saw", async () => {
    fixture.commit("first", { a: "1" });
    fixture.commit("second", { a: "2" });
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });
    fixture.git("reset", "-q", "--hard", "HEAD~1");
    fixture.push();

    const after = await repository.fetchRevision(main, { signal });

    expect(after.history).toBe("rewritten");
    expect(text(after, "a")).toBe("1");
  });

  it("does not claim what the history at hand cannot tell", async () => {
    fixture.commit("first", { a: "1" });
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });
    for (const number of [2, 3, 4]) fixture.commit(`commit ${number}`, { a: `${number}` });
    fixture.git("tag", "v1");
    fixture.push("HEAD", "--tags");
    // The tag brings the commit alone, so that what lies between it and the branch's commit is not here.
    await repository.fetchRevision({ tag: "v1" }, { signal });

    expect(await repository.fetchRevision(main, { signal })).toMatchObject({ history: "unknown", forced: false });
  });

  it("names the wanted commit without fetching it", async () => {
    const commit = fixture.commit("first", { a: "1" });
    fixture.push();
    const repository = open();

    expect(await repository.resolveRevision({}, { signal })).toEqual({
      revision: `main@sha1:${commit}`,
      commit,
      ref: "refs/heads/main",
    });
    server.requests.length = 0;
    expect((await repository.resolveRevision({ commit }, { signal })).revision).toBe(`sha1:${commit}`);
    expect(server.requests).toEqual([]);
    expect(() => repository.tree(commit)).toThrow(expect.objectContaining({ code: "git-object-missing" }));
  });

  it("takes a merge as an advance", async () => {
    fixture.commit("first", { a: "1" });
    fixture.git("checkout", "-q", "-b", "side");
    fixture.commit("on the side", { b: "1" });
    fixture.git("checkout", "-q", "main");
    fixture.commit("on main", { c: "1" });
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });
    fixture.git("merge", "-q", "--no-ff", "-m", "merge", "side");
    fixture.push();

    const merged = await repository.fetchRevision(main, { signal });

    expect(merged.history).toBe("advanced");
    expect(text(merged, "b")).toBe("1");
  });

  it("compares with the revision that the caller names", async () => {
    const first = fixture.commit("first", { a: "1" });
    fixture.push();
    fixture.commit("second", { a: "2" });
    fixture.push();
    const repository = open();
    await repository.fetchRevision(main, { signal });

    const same = await repository.fetchRevision(main, { signal, previous: `main@sha1:${first}` });
    const other = await repository.fetchRevision(main, { signal, previous: `release@sha1:${first}` });

    expect(same).toMatchObject({ changed: true, history: "advanced", previous: first });
    expect(other).toMatchObject({ changed: true, history: "advanced", forced: false });
  });

  it("chooses tags, version ranges, full names, commits and the default branch", async () => {
    const old = fixture.commit("old", { a: "1" });
    fixture.git("tag", "v1.0.0");
    const newer = fixture.commit("newer", { a: "2" });
    fixture.git("tag", "-a", "-m", "annotated", "v1.2.0");
    fixture.commit("newest", { a: "3" });
    fixture.git("tag", "v2.0.0-rc.1");
    fixture.push("HEAD", "--tags", "HEAD~1:refs/pull/7/head");
    const repository = open();

    async function revision(reference: GitReference): Promise<string> {
      return (await repository.fetchRevision(reference, { signal })).revision;
    }

    expect(await revision({ tag: "v1.0.0" })).toBe(`v1.0.0@sha1:${old}`);
    expect(await revision({ tag: "v1.2.0" })).toBe(`v1.2.0@sha1:${newer}`);
    expect(await revision({ semver: ">=1.0.0" })).toBe(`v1.2.0@sha1:${newer}`);
    expect(await revision({ semver: "<1.2" })).toBe(`v1.0.0@sha1:${old}`);
    expect(await revision({ name: "refs/pull/7/head" })).toBe(`refs/pull/7/head@sha1:${newer}`);
    expect(await revision({ commit: old })).toBe(`sha1:${old}`);
    expect(await revision({ commit: old, branch: "main" })).toBe(`main@sha1:${old}`);
    expect(await revision({})).toMatch(/^main@sha1:/);
    // A tag that moves is history rewritten.
    fixture.git("tag", "-f", "v1.0.0", "HEAD");
    fixture.push("--tags");
    expect((await repository.fetchRevision({ tag: "v1.0.0" }, { signal })).history).toBe("rewritten");
  });

  it("finds a commit through its branch when the server gives only what references name", async () => {
    await serve({ protocol: 0 });
    const old = fixture.commit("old", { a: "1" });
    fixture.commit("new", { a: "2" });
    fixture.push();

    const result = await open().fetchRevision({ commit: old, branch: "main" }, { signal });

    expect(text(result, "a")).toBe("1");
  });

  it.each([0, 2] as const)("reads a branch when the default one has no commit, under version %d", async (protocol) => {
    await serve({ protocol });
    fixture.gitAt(fixture.bare, "symbolic-ref", "HEAD", "refs/heads/nowhere");
    const commit = fixture.commit("first", { a: "1" });
    fixture.push();

    expect((await open().fetchRevision(main, { signal })).commit).toBe(commit);
  });

  it("says which branches there are when one is gone, and keeps what it has", async () => {
    fixture.commit("first", { a: "1" });
    fixture.push("HEAD:refs/heads/main", "HEAD:refs/heads/staging");
    const repository = open();
    const before = await repository.fetchRevision({ branch: "staging" }, { signal });
    fixture.push(":refs/heads/staging");

    await expect(repository.fetchRevision({ branch: "staging" }, { signal })).rejects.toMatchObject({
      code: "git-ref-not-found",
      message: `there is no branch "staging" in ${server.url}/repo.git: its branches are main`,
    });
    await expect(repository.fetchRevision({ branch: "mian" }, { signal })).rejects.toThrow('did you mean "main"?');
    await expect(repository.fetchRevision({ semver: ">=9" }, { signal })).rejects.toThrow("the repository has no tags");
    expect(text(before, "a")).toBe("1");
  });

  it.each([0, 2] as const)("names an empty repository under version %d", async (protocol) => {
    await serve({ protocol });
    await expect(open().fetchRevision({}, { signal })).rejects.toMatchObject({ code: "git-empty-repository" });
    await expect(open().fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-empty-repository" });
  });

  it("fetches once for two callers at the same time", async () => {
    fixture.commit("first", manifests(80));
    fixture.push();

    const [a, b] = await Promise.all([open().fetchRevision(main, { signal }), open().fetchRevision(main, { signal })]);

    expect(a?.commit).toBe(b?.commit);
    expect(server.requests.filter((line) => line.endsWith(" fetch")).length).toBe(1);
  });

  it("keeps few packs however many commits it follows, in a form that git accepts", async () => {
    fixture.commit("first", manifests(80));
    const repository = open({ url: `${server.url}/work/.git` });
    await repository.fetchRevision(main, { signal });
    for (let i = 0; i < 27; i++) {
      fixture.commit(`change ${i}`, { [`apps/app-${i}/object-${i}.yaml`]: `changed: ${i}\n` });
      expect((await repository.fetchRevision(main, { signal })).history).toBe("advanced");
    }

    const last = await repository.fetchRevision(main, { signal });

    expect(packs().length).toBeLessThan(10);
    expect(text(last, "apps/app-26/object-26.yaml")).toBe("changed: 26\n");
    expect(text(last, "apps/app-0/object-40.yaml")).toContain("object-40");
    expect(fixture.gitAt(cache(), "fsck", "--full", "--strict")).not.toMatch(/missing|broken|error/);
  }, 60_000);

  it("bounds files, objects and bytes", async () => {
    fixture.commit("first", { ...manifests(100), big: "x".repeat(200_000) });
    fixture.push();

    function limited(limits: RepositoryOptions["limits"]): Promise<FetchedRevision> {
      rmSync(cache(), { recursive: true, force: true });
      return open({ limits }).fetchRevision(main, { signal });
    }

    await expect(limited({ maxFiles: 50 })).rejects.toThrow("a repository of 101 files exceeds the limit of 50 files");
    await expect(limited({ maxObjectBytes: 100_000 })).rejects.toMatchObject({ code: "git-too-large" });
    await expect(limited({ maxPackBytes: 1000 })).rejects.toMatchObject({ code: "git-too-large", recovery: "stall" });
    await expect(limited({ maxObjects: 20 })).rejects.toMatchObject({ code: "git-too-large" });
    await expect(limited({ maxPathBytes: 20 })).rejects.toMatchObject({ code: "git-too-large" });
    await expect(limited({ maxInflatedBytes: 20_000 })).rejects.toMatchObject({ code: "git-too-large" });
    await expect(limited({ maxRefsBytes: 100 })).rejects.toMatchObject({ code: "git-too-large" });
  });

  it("tells of submodules and LFS and leaves them out", async () => {
    const commit = fixture.commit("first", {
      "charts/.gitattributes": "*.tgz filter=lfs diff=lfs merge=lfs -text\n",
      "charts/web.tgz": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
      link: { link: "../../etc/passwd" },
    });
    fixture.git("update-index", "--add", "--cacheinfo", `160000,${commit},vendor/lib`);
    fixture.git("commit", "-q", "-m", "submodule");
    fixture.push();

    const result = await open().fetchRevision(main, { signal });

    expect(result.warnings.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "lfs charts/.gitattributes",
      "submodule vendor/lib",
    ]);
    expect(result.warnings[1]?.message).toBe("vendor/lib is a submodule, whose files are not fetched");
    expect(result.tree.list("vendor")).toEqual([]);
    expect(() => result.tree.read("charts/web.tgz")).toThrow(expect.objectContaining({ code: "git-lfs-pointer" }));
    expect(text(result, "link")).toBe("../../etc/passwd");
    expect(result.tree.read("link/x")).toBeUndefined();
    expect(result.tree.read("../repo.git/HEAD")).toBeUndefined();
  });

  it("refuses repositories that name objects by sha256", async () => {
    fixture.gitAt(fixture.root, "init", "-q", "--bare", "--object-format=sha256", "new.git");

    await expect(open({ url: `${server.url}/new.git` }).fetchRevision(main, { signal })).rejects.toThrow(
      "names its objects by sha256",
    );
  });
});

describe("cacheDirectoryName", () => {
  it("is one plain name, other for another owner, and shows no secret", () => {
    const name = cacheDirectoryName("https://ann:secret@git.example.com/team/../shop.git", "shop/apps");

    expect(name).toMatch(/^[\w.-]+$/);
    expect(name).not.toContain("secret");
    expect(cacheDirectoryName("https://git.example.com/a", "x")).not.toBe(
      cacheDirectoryName("https://git.example.com/a", "y"),
    );
  });
});
