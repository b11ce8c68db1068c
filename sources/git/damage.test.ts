// What comes or is kept is not what it should be: cut short, altered, half written.

import { spawn } from "node:child_process";
import { once } from "node:events";
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
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture, manifests } from "../../test/git-fixture.ts";
import { type GitServer, type GitServerOptions, hasGit, startGitServer } from "../../test/git-server.ts";
import { openRepository, type RepositoryOptions } from "./repository.ts";
import type { FetchedRevision, GitRepository } from "./revision.ts";

const signal = new AbortController().signal;
const main = { branch: "main" };

describe.skipIf(!hasGit())("damage", () => {
  let fixture: GitFixture;
  let server: GitServer;
  let proxy: Server | undefined;
  let tamper: (body: Buffer) => Buffer;
  const opened: GitRepository[] = [];

  beforeEach(async () => {
    fixture = new GitFixture();
    await serve();
  });
  afterEach(async () => {
    for (const repository of opened.splice(0)) repository.close();
    proxy?.closeAllConnections();
    proxy?.close();
    proxy = undefined;
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

  /** URL of the repository behind a proxy that alters answers by `tamper`, which starts as given. */
  async function tampering(first: (body: Buffer) => Buffer): Promise<string> {
    tamper = first;
    const answers = new Map<string, { readonly status: number; readonly type: string; readonly body: Buffer }>();
    const started = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        const content = Buffer.concat(chunks);
        const version = String(request.headers["git-protocol"] ?? "");
        const key = `${request.url} ${version} ${content.toString("latin1")}`;
        const known = answers.get(key) ?? (await ask(request.method ?? "GET", request.url ?? "/", version, content));
        answers.set(key, known);
        response.writeHead(known.status, { "content-type": known.type }).end(tamper(Buffer.from(known.body)));
      });
    });
    proxy = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    const address = started.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/repo.git`;
  }

  async function ask(
    method: string,
    url: string,
    version: string,
    content: Buffer,
  ): Promise<{ status: number; type: string; body: Buffer }> {
    const answer = await fetch(`${server.url}${url}`, {
      method,
      headers: { "git-protocol": version, "content-type": "application/x-git-upload-pack-request" },
      ...(method === "POST" ? { body: new Uint8Array(content) } : {}),
    });
    const type = answer.headers.get("content-type") ?? "";
    return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) };
  }

  it("refuses a pack that is cut short or altered, and works when the server does again", async () => {
    fixture.commit("first", manifests(120));
    fixture.push();
    const url = await tampering((body) => (body.length > 5000 ? body.subarray(0, body.length >> 1) : body));
    const repository = open({ url });

    await expect(repository.fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-corrupt" });
    tamper = (body) => {
      // In the pack, not in what the server tells of its progress before.
      if (body.length > 5000) body[body.length - 3000] = (body[body.length - 3000] ?? 0) ^ 1;
      return body;
    };
    await expect(repository.fetchRevision(main, { signal })).rejects.toMatchObject({ code: "git-corrupt" });
    expect(readdirSync(join(cache(), "objects", "pack"))).toEqual([]);
    tamper = (body) => body;
    expect((await repository.fetchRevision(main, { signal })).history).toBe("first");
  });

  it.each([0, 2] as const)("answers nonsense of a server with a named error under version %d", async (protocol) => {
    await serve({ protocol });
    fixture.commit("first", manifests(20));
    fixture.push();
    const seed = Date.now() % 100_000;
    console.log(`seed ${seed}`);
    const random = generator(seed);
    let call = 0;
    let broken = 0;
    const url = await tampering((body) => (call++ === broken ? spoil(body, random) : body));
    for (let round = 0; round < 60; round++) {
      rmSync(cache(), { recursive: true, force: true });
      call = 0;
      broken = round % 3;
      const result = await open({ url, timeoutMs: 10_000 })
        .fetchRevision(main, { signal })
        .catch((error: unknown) => error);

      if (result instanceof Error) expect(result, `seed ${seed}`).toMatchObject({ name: "AppError" });
      expect(result, `seed ${seed}`).not.toMatchObject({ code: "git-timeout" });
    }
  });

  it("gets the whole history from a server that cannot cut it", async () => {
    const first = fixture.commit("first", { a: "1" });
    fixture.commit("second", { a: "2" });
    fixture.push();
    const words = " shallow deepen-since deepen-not deepen-relative ";
    const url = await tampering((body) =>
      Buffer.from(body.toString("latin1").replace(words, " ".padEnd(words.length, "x")), "latin1"),
    );
    const repository = open({ url });
    await repository.fetchRevision(main, { signal });
    fixture.commit("third", { a: "3" });
    fixture.push();
    proxy?.close();
    proxy?.closeAllConnections();

    const again = open({ url: await tampering(tamper) });
    const next = await again.fetchRevision(main, { signal });

    expect(next.history).toBe("advanced");
    expect(text(next, "a")).toBe("3");
    expect(again.readCommit(first).subject).toBe("first");
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

  it("is usable after a process was killed in the middle of a fetch", async () => {
    fixture.commit("first", manifests(60));
    fixture.push();
    await open().fetchRevision(main, { signal });
    fixture.commit("second", { a: "2" });
    fixture.push();
    let begun = false;
    await serve({
      intercept: (request, response) => {
        if (request.method === "GET" || server.requests.at(-1)?.endsWith("fetch") !== true) return false;
        // A beginning of which no more comes.
        response
          .writeHead(200, { "content-type": "application/x-git-upload-pack-result" })
          .write("0008NAK\n0fff\u0001PACK");
        begun = true;
        return true;
      },
    });
    const options = JSON.stringify({ url: `${server.url}/repo.git`, cacheDirectory: cache() });
    const script = `import { openRepository } from ${JSON.stringify(join(import.meta.dirname, "repository.ts"))};
      await openRepository(${options}).fetchRevision({ branch: "main" }, { signal: new AbortController().signal });`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], { stdio: "inherit" });
    const folder = join(cache(), "objects", "pack");
    await eventually(() => begun);

    child.kill("SIGKILL");
    await once(child, "exit");

    await serve();
    const result = await open().fetchRevision(main, { signal });
    expect(result.history).toBe("advanced");
    expect(text(result, "a")).toBe("2");
    expect(readdirSync(folder).some((name) => name.startsWith("tmp-"))).toBe(false);
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
});

/** The same length and end, with nothing in between. */
function zeroed(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(bytes.length - 32), bytes.subarray(bytes.length - 20)]);
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function spoil(body: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (random() < 0.5 ? Math.min(body.length, 200) : body.length));
  const kind = Math.floor(random() * 4);
  if (kind === 0) return body.subarray(0, at);
  if (kind === 1) return Buffer.concat([body.subarray(0, at), Buffer.from("0000"), body.subarray(at)]);
  if (kind === 2) return Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]);
  body[at] = Math.floor(random() * 256);
  return body;
}

/** Comes back when the condition holds; the test's own time limit ends a vain wait. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
