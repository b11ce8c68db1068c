import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AppError } from "../runtime/errors.ts";
import { GitFixture } from "../test/git-fixture.ts";
import { type GitServer, type GitServerOptions, hasGit, startGitServer } from "../test/git-server.ts";
import { type AllowedRemote, parseAllowedRemote } from "./remote-allow-list.ts";
import { RemoteBases } from "./remote-bases.ts";

const signal = new AbortController().signal;
const timeoutMs = 27_000;

describe.skipIf(!hasGit())("RemoteBases, of repositories", () => {
  let fixture: GitFixture;
  let server: GitServer;
  const opened: RemoteBases[] = [];

  beforeEach(async () => {
    fixture = new GitFixture();
    server = await startGitServer({ root: fixture.root });
  });
  afterEach(async () => {
    for (const bases of opened.splice(0)) bases.close();
    await server.close();
    fixture.remove();
  });

  async function serve(options: Partial<GitServerOptions>): Promise<void> {
    await server.close();
    server = await startGitServer({ root: fixture.root, ...options });
  }

  function bases(...allowed: AllowedRemote[]): RemoteBases {
    const list = allowed.length === 0 ? [parseAllowedRemote(server.url)] : allowed;
    const made = new RemoteBases({ cacheRoot: join(fixture.root, "cache"), allowed: list });
    opened.push(made);
    return made;
  }

  function repository(): string {
    return `${server.url}/repo.git`;
  }

  async function text(from: RemoteBases, ref: string, path = "a"): Promise<string> {
    const { tree } = await from.base({ repository: repository(), ref, timeoutMs }, signal);
    return String(tree.read(path));
  }

  async function failure(from: RemoteBases, ref: string, address = repository()): Promise<AppError> {
    const error = await from.base({ repository: address, ref, timeoutMs }, signal).catch((reason: unknown) => reason);
    return error as AppError;
  }

  function publish(content: string, tag?: string): string {
    const commit = fixture.commit(content, { a: content });
    if (tag !== undefined) fixture.git("tag", "-f", tag);
    fixture.git("push", "-q", "-f", "origin", "HEAD:refs/heads/main", "--tags");
    return commit;
  }

  it("gets commits and tags, once each, and later without the server", async () => {
    const commit = publish("1", "v1");
    publish("2");
    const first = bases();

    expect([await text(first, commit), await text(first, "v1"), await text(first, "refs/tags/v1")]).toEqual([
      "1",
      "1",
      "1",
    ]);
    const { length } = server.requests;
    const later = bases();
    expect([await text(later, commit.toUpperCase()), await text(later, "v1")]).toEqual(["1", "1"]);
    expect(server.requests).toHaveLength(length);
    const address = repository();
    await server.close();
    const offline = await later.base({ repository: address, ref: "v1", timeoutMs }, signal);
    expect(String(offline.tree.read("a"))).toBe("1");
  });

  it("refuses branches, no ref, and the beginning of a commit, unless the pattern allows what changes", async () => {
    const commit = publish("1");
    const strict = bases();
    const loose = bases(parseAllowedRemote(server.url, { unpinned: true }));

    for (const ref of ["main", "refs/heads/main", "", commit.slice(0, 12), "refs/tags/none"]) {
      expect(await failure(strict, ref)).toMatchObject({ code: "remote-unpinned", recovery: "stall" });
    }
    expect([await text(loose, "main"), await text(loose, ""), await text(loose, "refs/heads/main")]).toEqual([
      "1",
      "1",
      "1",
    ]);
    publish("2");
    expect(await text(loose, "main")).toBe("2");
    expect(await failure(loose, "none")).toMatchObject({ code: "git-ref-not-found" });
  });

  it("stays with the commit that a tag was at first", async () => {
    publish("1", "v1");
    const seen = bases();
    await text(seen, "v1");

    publish("2", "v1");

    expect(await text(seen, "v1")).toBe("1");
    expect(await text(bases(), "v1")).toBe("1");
  });

  it("says that a tag was moved when its first commit can no longer be had", async () => {
    const before = publish("1", "v1");
    await text(bases(), "v1");
    rmSync(join(fixture.root, "cache", "repositories"), { recursive: true });
    fixture.git("commit", "-q", "--amend", "-m", "other");
    publish("2", "v1");
    fixture.gitAt(fixture.bare, "reflog", "expire", "--expire=now", "--all");
    fixture.gitAt(fixture.bare, "gc", "-q", "--prune=now");

    const error = await failure(bases(), "v1");

    expect(error).toMatchObject({ code: "remote-tag-moved", recovery: "stall" });
    expect(error.message).toContain(before);
  });

  it("asks no server that is not allowed", async () => {
    publish("1", "v1");
    const { host } = new URL(server.url);
    const elsewhere = bases(parseAllowedRemote(`${server.url}/other`));

    for (const address of [repository(), `${server.url}/other/../repo.git`, `http://127.0.0.1@${host}/repo.git`]) {
      const error = await failure(elsewhere, "v1", address);
      expect(error).toMatchObject({ code: "remote-not-allowed", recovery: "stall" });
      expect(error.message).toContain("--allow-remote-bases");
    }
    expect(server.requests).toEqual([]);
  });

  it("sends the credentials of the pattern, and none without", async () => {
    publish("1", "v1");
    await serve({ basicAuth: { username: "ann", password: "s3cret" } });
    const credentials = { username: "ann", password: "s3cret" };
    const known = bases(parseAllowedRemote(server.url), parseAllowedRemote(`${server.url}/repo`, { credentials }));

    expect(await text(known, "v1")).toBe("1");
    const error = await failure(bases(), "v1");
    expect(error).toMatchObject({ code: "git-auth-failed", recovery: "wait" });
    expect(await failure(known, "v1", repository().replace("://", "://ann:s3cret@"))).toMatchObject({
      code: "remote-address-invalid",
    });
  });

  it("follows redirects only to what is allowed", async () => {
    publish("1", "v1");
    const target = repository();
    const redirecting = await startGitServer({
      root: fixture.root,
      intercept: (request, response) => {
        response.writeHead(301, { location: `${target}${request.url?.replace("/moved.git", "")}` }).end();
        return true;
      },
    });
    try {
      const moved = `${redirecting.url}/moved.git`;

      const refused = await failure(bases(parseAllowedRemote(redirecting.url)), "v1", moved);
      const both = bases(parseAllowedRemote(redirecting.url), parseAllowedRemote(target));
      const { tree } = await both.base({ repository: moved, ref: "v1", timeoutMs }, signal);

      expect(refused.message).toContain("which is not allowed");
      expect(String(tree.read("a"))).toBe("1");
    } finally {
      await redirecting.close();
    }
  });

  it("reads a repository of this machine where a pattern says file://", async () => {
    publish("1", "v1");
    const local = bases(parseAllowedRemote(`file://${fixture.root}`));

    const { tree } = await local.base({ repository: `file://${fixture.bare}`, ref: "v1", timeoutMs }, signal);

    expect(String(tree.read("a"))).toBe("1");
    expect(await failure(bases(), "v1", `file://${fixture.bare}`)).toMatchObject({ code: "remote-not-allowed" });
  });

  it("leaves it to a later attempt when nothing answers", async () => {
    const gone = bases();
    const address = repository();
    await server.close();

    expect(await failure(gone, "v1", address)).toMatchObject({ code: "git-unreachable", recovery: "retry" });
  });
});

describe("RemoteBases, of files", () => {
  let fixture: GitFixture;
  let server: Server;
  let url: string;
  let requests: { readonly path: string; readonly authorization: string | undefined }[];
  let answer: (path: string) => {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };

  beforeEach(async () => {
    fixture = new GitFixture();
    requests = [];
    answer = (path) => ({ status: 200, body: `of ${path}` });
    server = createServer((request, response) => {
      const path = request.url ?? "";
      requests.push({ path, authorization: request.headers.authorization });
      const { status, headers, body } = answer(path);
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    fixture.remove();
  });

  function bases(rules: Parameters<typeof parseAllowedRemote>[1] = {}, ...more: AllowedRemote[]): RemoteBases {
    const allowed = [parseAllowedRemote(url, rules), ...more];
    return new RemoteBases({ cacheRoot: join(fixture.root, "cache"), allowed, maxFileBytes: 1000 });
  }

  async function text(from: RemoteBases, path: string): Promise<string> {
    return String(Buffer.from(await from.file(`${url}${path}`, signal)));
  }

  function failure(from: RemoteBases, path: string): Promise<AppError> {
    return from.file(`${url}${path}`, signal).then(
      () => expect.fail("it was answered"),
      (error: AppError) => error,
    );
  }

  it("gets a version once, whoever asks", async () => {
    expect(await text(bases(), "/org/repo/v1.2.3/f.yaml?x=1")).toBe("of /org/repo/v1.2.3/f.yaml?x=1");
    expect(await text(bases(), "/org/repo/v1.2.3/f.yaml?x=1")).toBe("of /org/repo/v1.2.3/f.yaml?x=1");
    expect(requests).toHaveLength(1);
  });

  it("refuses what has no version, and asks each time where that is allowed", async () => {
    expect(await failure(bases(), "/org/repo/main/f.yaml")).toMatchObject({ code: "remote-unpinned" });
    expect(await failure(bases(), "/org/repo/release-1.30/f.yaml")).toMatchObject({ code: "remote-unpinned" });
    expect(requests).toHaveLength(0);

    await text(bases({ unpinned: true }), "/f.yaml");
    await text(bases({ unpinned: true }), "/f.yaml");
    expect(requests).toHaveLength(2);
  });

  it("takes a digest as a version, and nothing that differs from it", async () => {
    const digest = createHash("sha256").update("of /f.yaml").digest("hex");

    expect(await text(bases(), `/f.yaml#sha256=${digest}`)).toBe("of /f.yaml");
    expect(await text(bases(), `/f.yaml#sha256=${digest}`)).toBe("of /f.yaml");
    expect(requests).toHaveLength(1);
    const error = await failure(bases(), `/g.yaml#sha256=${digest}`);
    expect(error).toMatchObject({ code: "remote-file-failed", recovery: "stall" });
  });

  it.each([
    [404, {}, "wait", 60_000],
    [401, {}, "wait", 60_000],
    [503, {}, "retry", undefined],
    [429, { "retry-after": "7" }, "wait", 7_000],
    [204, {}, "wait", 60_000],
  ])("answers HTTP %i by when to try again", async (status, headers, recovery, afterMs) => {
    answer = () => ({ status, headers });

    expect(await failure(bases(), "/v1.0.0/f")).toMatchObject({ code: "remote-file-failed", recovery, afterMs });
  });

  it("takes no more bytes than a file may have", async () => {
    answer = () => ({ status: 200, body: "x".repeat(1001) });

    expect(await failure(bases(), "/v1.0.0/f")).toMatchObject({ code: "remote-file-failed", recovery: "stall" });
  });

  it("follows a few redirects to what is allowed, and sends credentials to their own host alone", async () => {
    const host = url.replace("127.0.0.1", "localhost");
    answer = (path) =>
      path.endsWith("/f") ? { status: 302, headers: { location: `${host}/there` } } : { status: 200, body: "there" };
    const credentials = { bearerToken: "t0ken" };

    const refused = await failure(bases({ credentials }), "/v1.0.0/f");
    const followed = await text(bases({ credentials }, parseAllowedRemote(host)), "/v1.0.0/f");

    expect(refused).toMatchObject({ code: "remote-file-failed", recovery: "stall" });
    expect(followed).toBe("there");
    expect(requests.map(({ authorization }) => authorization)).toEqual(["Bearer t0ken", "Bearer t0ken", undefined]);
    answer = () => ({ status: 302, headers: { location: "/v1.0.0/f" } });
    expect((await failure(bases(), "/v1.0.0/f")).message).toContain("redirects too often");
  });
});
