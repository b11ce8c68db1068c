import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { type GitServer, hasGit, startGitServer } from "../../test/git-server.ts";
import { RepositoryPool } from "./pool.ts";

const signal = new AbortController().signal;

describe.skipIf(!hasGit())("RepositoryPool", () => {
  let fixture: GitFixture;
  let server: GitServer;
  let pool: RepositoryPool;
  let root: string;
  beforeEach(async () => {
    fixture = new GitFixture();
    fixture.commit("first", { a: "1" });
    fixture.push();
    server = await startGitServer({ root: fixture.root });
    root = join(fixture.root, "caches");
    pool = new RepositoryPool({ root });
  });
  afterEach(async () => {
    pool.close();
    await server.close();
    fixture.remove();
  });

  function request(password = "p"): { url: string; credentials: { username: string; password: string } } {
    return { url: `${server.url}/repo.git`, credentials: { username: "ann", password } };
  }

  it("keeps a repository open until something about it changes", async () => {
    const first = pool.open("shop/apps", request());
    await first.fetchRevision({}, { signal });

    expect(pool.open("shop/apps", request())).toBe(first);
    expect(pool.open("shop/other", request())).not.toBe(first);
    const renewed = pool.open("shop/apps", request("other"));
    expect(renewed).not.toBe(first);
    expect((await renewed.fetchRevision({}, { signal })).history).toBe("unchanged");
  });

  it("gives every owner a cache of its own and removes it with the owner", async () => {
    await pool.open("a/x", request()).fetchRevision({}, { signal });
    await pool.open("b/x", request()).fetchRevision({}, { signal });
    expect(readdirSync(root).length).toBe(2);

    pool.forget("a/x");
    pool.forget("never/seen");

    expect(readdirSync(root).length).toBe(1);
    expect((await pool.open("b/x", request()).fetchRevision({}, { signal })).history).toBe("unchanged");
  });

  it("removes the cache of a URL that an owner left", async () => {
    fixture.gitAt(fixture.root, "clone", "-q", "--bare", fixture.bare, "moved.git");
    await pool.open("a/x", request()).fetchRevision({}, { signal });
    const before = readdirSync(root);

    await pool.open("a/x", { url: `${server.url}/moved.git` }).fetchRevision({}, { signal });

    expect(readdirSync(root).length).toBe(1);
    expect(readdirSync(root)).not.toEqual(before);
  });

  it("sweeps caches whose owners are gone", async () => {
    await pool.open("a/x", request()).fetchRevision({}, { signal });
    await pool.open("b/x", request()).fetchRevision({}, { signal });
    pool.close();
    mkdirSync(join(root, "left-behind"));

    pool.sweep([{ owner: "b/x", url: request().url }]);

    expect(readdirSync(root).length).toBe(1);
    expect(existsSync(join(root, "left-behind"))).toBe(false);
    expect((await pool.open("b/x", request()).fetchRevision({}, { signal })).history).toBe("unchanged");
  });
});
