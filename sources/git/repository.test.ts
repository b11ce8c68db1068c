import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
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
    expect(next.bytes).toBeLessThan(3000);
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

  it("names an empty repository", async () => {
    await expect(open().fetchRevision({}, { signal })).rejects.toMatchObject({ code: "git-empty-repository" });
    await expect(open().fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-empty-repository" });
  });

  it("signs in with a user name and password, a token, or what the URL holds", async () => {
    await serve({ basicAuth: { username: "ann", password: "s3cret/+ä" } });
    fixture.commit("first", { a: "1" });
    fixture.push();

    const withSecret = open({ credentials: { username: "ann", password: "s3cret/+ä" } });
    const inUrl = open({ url: `${server.url.replace("://", "://ann:s3cret%2F%2B%C3%A4@")}/repo.git` });

    expect((await withSecret.fetchRevision(main, { signal })).history).toBe("first");
    expect((await inUrl.fetchRevision(main, { signal })).history).toBe("unchanged");
    await serve({ bearerToken: "t0ken" });
    expect((await open({ credentials: { bearerToken: "t0ken" } }).fetchRevision(main, { signal })).changed).toBe(false);
  });

  it("says that access was refused without showing a secret", async () => {
    await serve({ basicAuth: { username: "ann", password: "right" } });

    const wrong = open({ credentials: { username: "ann", password: "wr0ng-secret" } }).fetchRevision(main, { signal });
    const error = await wrong.catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code: "git-auth-failed", recovery: "wait" });
    expect(String(error)).toContain("HTTP 401");
    expect(JSON.stringify([String(error), error])).not.toContain("wr0ng-secret");
    await expect(open().fetchRevision(main, { signal })).rejects.toThrow("none are set");
    const inUrl = open({ url: `${server.url.replace("://", "://ann:wr0ng-secret@")}/repo.git` });
    const other = await inUrl.fetchRevision(main, { signal }).catch((caught: unknown) => caught);
    expect(String(other)).not.toContain("wr0ng-secret");
  });

  it("says that nothing answers, and that there is no repository", async () => {
    const closed = await startGitServer({ root: fixture.root });
    await closed.close();

    await expect(open({ url: `${closed.url}/repo.git` }).fetchRevision(main, { signal })).rejects.toMatchObject({
      code: "git-unreachable",
      recovery: "retry",
      message: `cannot reach ${closed.url}/repo.git: ECONNREFUSED (nothing listens there)`,
    });
    await expect(open({ url: `${server.url}/none.git` }).fetchRevision(main, { signal })).rejects.toMatchObject({
      code: "git-repository-not-found",
    });
  });

  it.each([
    [503, {}, "git-server-busy", "retry"],
    [429, { "retry-after": "7" }, "git-server-busy", "wait"],
    [200, { "content-type": "text/html" }, "git-invalid-repository", "wait"],
    [418, {}, "git-invalid-repository", "wait"],
  ] as const)("understands an answer of HTTP %d", async (status, headers, code, recovery) => {
    await serve({
      intercept: (_, response) => {
        response.writeHead(status, headers).end("<html>hello</html>");
        return true;
      },
    });

    const error = await open()
      .fetchRevision(main, { signal })
      .catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code, recovery, ...(status === 429 ? { afterMs: 7000 } : {}) });
  });

  it("gives up at its deadline, and at once when the caller does", async () => {
    await serve({ intercept: () => true });
    const caller = new AbortController();

    const slow = open({ timeoutMs: 80 }).fetchRevision(main, { signal });
    const cancelled = open().fetchRevision(main, { signal: caller.signal });
    caller.abort(new Error("shutting down"));

    await expect(slow).rejects.toMatchObject({ code: "git-timeout" });
    await expect(cancelled).rejects.toThrow("shutting down");
  });

  it("does not send credentials to another host", async () => {
    fixture.commit("first", { a: "1" });
    fixture.push();
    const elsewhere = server;
    server = await startGitServer({
      root: fixture.root,
      intercept: (request, response) => {
        response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end();
        return true;
      },
    });
    const repository = open({ credentials: { username: "ann", password: "secret" } });

    const result = await repository.fetchRevision(main, { signal });

    expect(text(result, "a")).toBe("1");
    expect(server.authorizations[0]).toMatch(/^Basic /);
    expect(elsewhere.authorizations.length).toBeGreaterThan(1);
    expect(elsewhere.authorizations.filter((value) => value !== undefined)).toEqual([]);
    await elsewhere.close();
  });

  it.skipIf(!hasOpenssl())("trusts the authority of the secret and no unknown one", async () => {
    fixture.commit("first", { a: "1" });
    fixture.push();
    const key = join(fixture.root, "key.pem");
    const cert = join(fixture.root, "cert.pem");
    const subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    execFileSync("openssl", [...kind, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
    const tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
    await serve({ tls });

    await expect(open().fetchRevision(main, { signal })).rejects.toThrow(/certificate is not accepted .* set ca\.crt/);
    const trusted = open({ credentials: { caFile: tls.cert } });
    expect((await trusted.fetchRevision(main, { signal })).history).toBe("first");
  });

  it.each([
    ["file:///etc/passwd", "redirects to file://"],
    ["http://127.0.0.1:1/elsewhere", "redirects to something that is no repository"],
    ["/repo.git/info/refs?service=git-upload-pack", "redirects more than 5 times"],
  ])("does not follow a redirect to %s", async (location, message) => {
    await serve({
      intercept: (_, response) => {
        response.writeHead(301, { location }).end();
        return true;
      },
    });

    await expect(open().fetchRevision(main, { signal })).rejects.toThrow(message);
  });

  it("refuses a pack that is cut short or altered, and works when the server does again", async () => {
    fixture.commit("first", manifests(120));
    fixture.push();
    let fault: "cut" | "flip" | undefined = "cut";
    const proxy = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        const answer = await fetch(`${server.url}${request.url}`, {
          method: request.method ?? "GET",
          headers: { "git-protocol": "version=2", "content-type": request.headers["content-type"] ?? "" },
          ...(request.method === "POST" ? { body: Buffer.concat(chunks) } : {}),
        });
        let body = Buffer.from(await answer.arrayBuffer());
        if (body.length > 5000 && fault === "cut") body = body.subarray(0, body.length >> 1);
        if (body.length > 5000 && fault === "flip") body[3000] = (body[3000] ?? 0) ^ 1;
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/repo.git`;
    const repository = open({ url });

    await expect(repository.fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-corrupt" });
    fault = "flip";
    await expect(repository.fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-corrupt" });
    expect(readdirSync(join(cache(), "objects", "pack"))).toEqual([]);
    fault = undefined;
    expect((await repository.fetchRevision(main, { signal })).history).toBe("first");
    proxy.closeAllConnections();
    proxy.close();
  });

  it("sweeps what a killed process left and stays usable", async () => {
    fixture.commit("first", manifests(60));
    fixture.push();
    await open().fetchRevision(main, { signal });
    const folder = join(cache(), "objects", "pack");
    const noProcess = 4_000_000;
    writeFileSync(join(folder, `tmp-${noProcess}-a.pack`), "half a pack");
    writeFileSync(join(cache(), `tmp-${noProcess}-b`), "half a list");
    const unfinished = join(folder, `pack-${"0".repeat(40)}.pack`);
    writeFileSync(unfinished, "renamed, but its index was not");
    utimesSync(unfinished, 1, 1);
    const living = join(folder, `tmp-${process.ppid}-c.pack`);
    writeFileSync(living, "another process is writing this");
    fixture.commit("second", { a: "2" });
    fixture.push();

    const result = await open().fetchRevision(main, { signal });

    expect(text(result, "a")).toBe("2");
    expect(readdirSync(folder).filter((name) => name.startsWith("tmp-"))).toEqual([`tmp-${process.ppid}-c.pack`]);
    expect(existsSync(unfinished)).toBe(false);
    expect(existsSync(join(cache(), `tmp-${noProcess}-b`))).toBe(false);
  });

  it.each(["truncated", "zeroed", "without index", "removed"])("begins anew when its pack is %s", async (damage) => {
    fixture.commit("first", { ...manifests(60), a: "1" });
    fixture.push();
    await open().fetchRevision(main, { signal });
    const pack = join(cache(), "objects", "pack", packs()[0] ?? "");
    if (damage === "truncated") truncateSync(pack, statSync(pack).size - 100);
    if (damage === "zeroed") writeFileSync(pack, zeroed(readFileSync(pack)));
    if (damage === "without index") rmSync(pack.replace(/pack$/, "idx"));
    if (damage === "removed") rmSync(cache(), { recursive: true });

    const result = await open().fetchRevision(main, { signal });

    expect(text(result, "a")).toBe("1");
    expect(result.tree.list("apps")?.length).toBe(40);
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

/** The same length and end, with nothing in between. */
function zeroed(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(bytes.length - 32), bytes.subarray(bytes.length - 20)]);
}

function hasOpenssl(): boolean {
  const found = spawnSync("openssl", ["version"]).status === 0;
  if (!found) console.warn("skipped: the openssl command is not installed");
  return found;
}
