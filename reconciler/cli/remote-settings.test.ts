import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { hasGit, startGitServer } from "../../test/git-server.ts";
import { runFlaghoist } from "../../test/run-flaghoist.ts";
import type { Invocation } from "./command.ts";
import { readRemoteSettings } from "./remote-settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "remote-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function read(values: Invocation["values"]): ReturnType<typeof readRemoteSettings> {
  const io = { out: () => {}, err: () => {}, isTerminal: false, env: {}, cwd: folder };
  const signal = new AbortController().signal;
  return readRemoteSettings({ positionals: [], values, io, signal, runCommand: async () => 0 });
}

describe("the options for remote bases", () => {
  it("allow nothing by default", () => {
    expect(read({})).toEqual([]);
  });

  it("are patterns, and a file of them with rules", () => {
    write("secret/username", "ann\n");
    write("secret/password", "s3cret\n");
    write("secret/..data/ignored", "");
    write(
      "remotes.yaml",
      "allow:\n- pattern: git.example/team\n  unpinned: true\n  credentials: secret\n  namespaces: [team]\n",
    );

    const allowed = read({
      "allow-remote-bases": "github.com/acme, host.example",
      "remote-bases-config": "remotes.yaml",
    });

    expect(
      allowed.map(({ pattern, unpinned, credentials, namespaces }) => ({ pattern, unpinned, credentials, namespaces })),
    ).toEqual([
      { pattern: "github.com/acme", unpinned: false, credentials: undefined, namespaces: undefined },
      { pattern: "host.example", unpinned: false, credentials: undefined, namespaces: undefined },
      {
        pattern: "git.example/team",
        unpinned: true,
        credentials: { username: "ann", password: "s3cret" },
        namespaces: ["team"],
      },
    ]);
  });

  it.each([
    ["[]", "must be a map with the list allow"],
    ["allow: [x]", "allow[0] must be a map"],
    ["allow: [{pattern: x, branch: true}]", "allow[0].branch is not known"],
    ["allow: [{pattern: 1}]", "allow[0].pattern must be a text"],
    ["allow: [{pattern: 'a b'}]", "for remote bases is none of"],
    ["allow: [{pattern: x, unpinned: maybe}]", "allow[0].unpinned must be true or false"],
    ["allow: [{pattern: x, namespaces: team}]", "allow[0].namespaces must be a list"],
    ["allow: [{pattern: x, credentials: none}]", "no such file"],
    ["allow: [{pattern: x, credentials: .}]", "holds none of username"],
    ["allow: {", "remotes.yaml"],
  ])("say what is wrong with the file %s", (text, why) => {
    write("remotes.yaml", text);

    expect(() => read({ "remote-bases-config": "remotes.yaml" })).toThrow(why);
  });
});

describe.skipIf(!hasGit())("flaghoist render with remote bases", () => {
  it("fetches what is allowed once, and nothing else", async () => {
    const fixture = new GitFixture();
    const server = await startGitServer({ root: fixture.root });
    try {
      fixture.commit("base", {
        "base/kustomization.yaml": "resources: [c.yaml]\nbuildMetadata: []\n",
        "base/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
      });
      fixture.git("tag", "v1");
      fixture.git("push", "-q", "origin", "--tags");
      const base = `git::${server.url}/repo.git//base?ref=v1`;
      write("kustomization.yaml", `resources: ["${base}"]\nbuildMetadata: [originAnnotations]\ncommonLabels: {a: b}\n`);
      const render = (...args: string[]) =>
        runFlaghoist(["render", ".", ...args], { cwd: folder, env: { XDG_CACHE_HOME: join(folder, "cache") } });

      const refused = await render();
      const allowed = await render("--allow-remote-bases", `${server.url}/repo`);
      const { length } = server.requests;
      const again = await render("--allow-remote-bases", server.url);

      expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringContaining("--allow-remote-bases") });
      expect(allowed.out).toContain(`path: base/c.yaml\n      repo: ${server.url}/repo.git\n      ref: v1\n`);
      expect(allowed.err.match(/Warning: Forcing the git protocol/g)).toHaveLength(1);
      expect(allowed.err.match(/commonLabels/g)).toHaveLength(1);
      expect(again.out).toBe(allowed.out);
      expect(server.requests).toHaveLength(length);
    } finally {
      await server.close();
      fixture.remove();
    }
  });
});
