import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture, manifests } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { ComparisonFolder } from "./comparison-folder.ts";
import { HistoryGetter } from "./history-getter.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { RemoteSource } from "./remote-source.ts";
import { sshTransport } from "./ssh.ts";
import type { Transport } from "./transport.ts";

const signal = new AbortController().signal;

// A program stands in for ssh: it notes its arguments and runs on this machine what it was asked to run elsewhere.
describe.skipIf(!hasGit())("a repository over ssh", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
    ssh(`echo "$@" >> "${fixture.root}/calls"\nfor last; do :; done\nexec sh -c "$last"`);
  });
  afterEach(() => fixture.remove());

  function ssh(script: string): void {
    const path = join(fixture.root, "ssh");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  function open(timeoutMs = 30_000): RemoteSource {
    const url = address();
    const remote = { url, cacheDirectory: join(fixture.root, "cache"), timeoutMs };
    return new RemoteSource(remote, connect(), DEFAULT_LIMITS);
  }

  function address(): string {
    return `ssh://git@git.example.com${fixture.bare}`;
  }

  function connect(): Transport {
    return sshTransport({
      url: address(),
      credentials: { identity: "KEY", knownHosts: "git.example.com ssh-ed25519 AAAA" },
      limits: DEFAULT_LIMITS,
      sshCommand: join(fixture.root, "ssh"),
    });
  }

  it("follows a branch into the same kind of cache", async () => {
    fixture.commit("first", manifests(100));
    fixture.push();
    const source = open();
    const first = await source.fetchRevision({ branch: "main" }, { signal });
    fixture.commit("second", { "apps/app-1/object-1.yaml": "changed\n" });
    fixture.push();

    const second = await source.fetchRevision({ branch: "main" }, { signal });
    const third = await source.fetchRevision({}, { signal });

    expect(first.history).toBe("first");
    expect(second).toMatchObject({ history: "advanced", previous: first.commit, requests: 2 });
    expect(third).toMatchObject({ history: "unchanged", revision: second.revision, requests: 1 });
    expect(String(second.tree.read("apps/app-1/object-1.yaml"))).toBe("changed\n");
    fixture.git("reset", "-q", "--hard", "HEAD~1");
    fixture.commit("other", { b: "1" });
    fixture.push();
    expect((await source.fetchRevision({ branch: "main" }, { signal })).forced).toBe(true);
    const calls = readFileSync(join(fixture.root, "calls"), "utf8");
    expect(calls).toMatch(/-oIdentityFile=\S+ .*-oStrictHostKeyChecking=yes/);
    expect(calls).not.toContain("KEY");
  });

  it.each([
    ["git@git.example.com: Permission denied (publickey).", "git-auth-failed"],
    ["Host key verification failed.", "git-unreachable"],
    ["ssh: Could not resolve hostname git.example.com", "git-unreachable"],
    ["ERROR: Repository not found.", "git-repository-not-found"],
    ["something with s3cr3t in it", "git-invalid-repository"],
  ])("understands %j", async (words, code) => {
    ssh(`echo "${words}" >&2\nexit 255`);

    const failed = open().fetchRevision({ branch: "main" }, { signal });

    await expect(failed).rejects.toMatchObject({ code });
    await expect(failed).rejects.not.toThrow("s3cr3t");
  });

  it("ends the command at the deadline", async () => {
    ssh("exec sleep 60");

    await expect(open(150).fetchRevision({ branch: "main" }, { signal })).rejects.toMatchObject({
      code: "git-timeout",
    });
  });

  it("gets as much of the history as shows where two branches parted", async () => {
    fixture.commit("old", { a: "0" });
    const base = fixture.commit("base", { a: "1" });
    fixture.push();
    for (let i = 0; i < 40; i++) fixture.commit(`main ${i}`, { a: `m${i}` });
    fixture.push();
    fixture.git("checkout", "-q", "-b", "topic", base);
    for (let i = 0; i < 30; i++) fixture.commit(`topic ${i}`, { t: `${i}` });
    fixture.push();
    const [main = "", topic = ""] = fixture.git("rev-parse", "main", "topic").split("\n");
    const folder = new ComparisonFolder(join(fixture.root, "cache"), DEFAULT_LIMITS);
    const request = { url: fixture.bare, head: { sha: topic, refs: [] }, baseBranch: "main" };
    const getter = new HistoryGetter(folder.cache, connect(), request, signal);
    await getter.base(main);
    const tips = { base: main, wanted: [topic], refuse: () => expect.fail("the head is there") };
    const wanted = await getter.head(topic, tips);
    expect(folder.cache.shallow().length).toBe(2);

    const found = await getter.mergeBases(main, topic, wanted);

    expect(found.bases).toEqual([base]);
    expect(folder.cache.store.readCommit(base).subject).toBe("base");
    folder.cache.store.close();
  });
});
