import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { type GitServer, type GitServerOptions, hasGit, startGitServer } from "../../test/git-server.ts";
import type { GitReference } from "./reference.ts";
import { openRepository, type RepositoryOptions } from "./repository.ts";
import type { FetchedRevision, GitRepository } from "./revision.ts";

const signal = new AbortController().signal;
const main: GitReference = { branch: "main" };

describe.skipIf(!hasGit())("access to a repository over http", () => {
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

  function text(result: FetchedRevision, path: string): string {
    return String(result.tree.read(path));
  }

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

    const slow = open({ timeoutMs: 200 }).fetchRevision(main, { signal });
    const cancelled = open().fetchRevision(main, { signal: caller.signal });
    caller.abort(new Error("shutting down"));

    // It did not even have to wait for its turn.
    await expect(cancelled).rejects.toThrow("shutting down");
    await expect(slow).rejects.toMatchObject({ code: "git-timeout" });
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
});

function hasOpenssl(): boolean {
  const found = spawnSync("openssl", ["version"]).status === 0;
  if (!found) console.warn("skipped: the openssl command is not installed");
  return found;
}
