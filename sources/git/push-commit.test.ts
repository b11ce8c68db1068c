import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { type GitServer, hasGit, startGitServer } from "../../test/git-server.ts";
import { type EditedCommit, editCommit } from "./edit-commit.ts";
import { ObjectStore } from "./object-store.ts";
import { pushCommit } from "./push-commit.ts";
import { openRepository } from "./repository.ts";
import type { FetchedRevision } from "./revision.ts";

const { signal } = new AbortController();
const credentials = { username: "bot", password: "right" };
const author = { name: "bot <x>\n", email: "bot@example.com", timeMs: Date.UTC(2026, 0, 2) };

describe.skipIf(!hasGit())("pushCommit", () => {
  let fixture: GitFixture;
  let server: GitServer;
  let url: string;
  let base: FetchedRevision;

  beforeEach(async () => {
    fixture = new GitFixture();
    fixture.write({
      "apps/web.yaml": "replicas: 2\n",
      "apps/deep/er/x.yaml": "x: 1\n",
      "run.sh": "true\n",
      lönk: { link: "run.sh" },
    });
    chmodSync(join(fixture.work, "run.sh"), 0o755);
    fixture.commit("base");
    fixture.push();
    server = await startGitServer({ root: fixture.root, basicAuth: credentials });
    url = `${server.url}/repo.git`;
    const repository = openRepository({ url, cacheDirectory: join(fixture.root, "cache"), credentials });
    base = await repository.fetchRevision({ branch: "main" }, { signal });
    repository.close();
  });

  afterEach(async () => {
    await server.close();
    fixture.remove();
  });

  function edit(files: Record<string, string>): EditedCommit {
    const store = new ObjectStore(base.tree.location.objectsDirectory);
    return editCommit(store, {
      parent: base.commit,
      treeId: base.tree.treeId,
      files: new Map(Object.entries(files)),
      message: "Adopt drift\n\nAs in paris-1.",
      author,
    });
  }

  const push = (
    commit: EditedCommit,
    branch = "flaghoist/drift-1",
    more: Partial<Parameters<typeof pushCommit>[0]> = {},
  ) => pushCommit({ url, credentials, branch, commit, signal, ...more });
  const inBare = (...args: string[]) => fixture.gitAt(fixture.bare, ...args);

  it("makes a branch with exactly the changed files", async () => {
    const commit = edit({ "apps/web.yaml": "replicas: 5\n", "apps/deep/er/x.yaml": "x: ü\n", "run.sh": "false\n" });

    await push(commit);

    expect(inBare("rev-parse", "flaghoist/drift-1")).toBe(commit.oid);
    expect(inBare("fsck", "--strict", "--full")).toBe("");
    expect(
      inBare("diff", "--raw", "--abbrev=4", "main", "flaghoist/drift-1")
        .split("\n")
        .map((line) => line.replace(/ [0-9a-f]{4} /g, " ")),
    ).toEqual([
      expect.stringMatching(/^:100644 100644 .*M\tapps\/deep\/er\/x\.yaml$/),
      expect.stringMatching(/^:100644 100644 .*M\tapps\/web\.yaml$/),
      expect.stringMatching(/^:100755 100755 .*M\trun\.sh$/),
    ]);
    expect(inBare("show", "flaghoist/drift-1:apps/deep/er/x.yaml")).toBe("x: ü");
    expect(inBare("log", "-1", "--format=%an <%ae> %P%n%B", "flaghoist/drift-1")).toBe(
      `bot x <bot@example.com> ${base.commit}\nAdopt drift\n\nAs in paris-1.\n`.trimEnd(),
    );
  });

  it("sends large contents whole", async () => {
    const text = Array.from({ length: 30_000 }, (_, i) => `line ${i * 7919}`).join("\n");

    await push(edit({ "apps/web.yaml": text }));

    expect(inBare("show", "flaghoist/drift-1:apps/web.yaml")).toBe(text);
  });

  it("never touches a branch that is there", async () => {
    const first = edit({ "apps/web.yaml": "replicas: 5\n" });
    await push(first);

    await expect(push(edit({ "apps/web.yaml": "replicas: 6\n" }))).rejects.toMatchObject({
      code: "git-branch-exists",
      recovery: "retry",
    });

    expect(inBare("rev-parse", "flaghoist/drift-1")).toBe(first.oid);
  });

  it("says what the server refuses, and why", async () => {
    mkdirSync(join(fixture.bare, "hooks"), { recursive: true });
    writeFileSync(join(fixture.bare, "hooks", "pre-receive"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });

    await expect(push(edit({ "apps/web.yaml": "1" }))).rejects.toMatchObject({
      code: "git-push-refused",
      recovery: "stall",
      message: expect.stringMatching(/refused the push of flaghoist\/drift-1: pre-receive hook declined/),
    });
  });

  it("says that credentials may not push, and never shows them", async () => {
    const wrong = push(edit({ "apps/web.yaml": "1" }), "b", { credentials: { username: "bot", password: "wr0ng" } });

    await expect(wrong).rejects.toMatchObject({ code: "git-push-refused", recovery: "stall" });
    await expect(wrong).rejects.not.toThrow("wr0ng");
  });

  it.each(["none.yaml", "apps", "apps/web.yaml/x", "lönk", "../x", ""])("changes no %j", (path) => {
    expect(() => edit({ [path]: "x" })).toThrow(expect.objectContaining({ code: "git-unsafe-path" }));
  });

  it("takes no tree that is cut off for one", () => {
    const whole = new ObjectStore(base.tree.location.objectsDirectory).read(base.tree.treeId);
    const cut = { read: () => ({ type: whole.type, content: whole.content.subarray(0, whole.content.length - 1) }) };
    const options = { parent: base.commit, treeId: base.tree.treeId, message: "x", author };

    // The last entry.
    expect(() => editCommit(cut, { ...options, files: new Map([["run.sh", "x"]]) })).toThrow("a tree is malformed");
  });

  it("ends when nobody waits for it any more", async () => {
    await expect(
      push(edit({ "apps/web.yaml": "1" }), "b", { signal: AbortSignal.abort(new Error("stopped")) }),
    ).rejects.toThrow("stopped");
  });
});
