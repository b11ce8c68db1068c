import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manifests } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { PULL, PullRequestFixture } from "../../test/pull-request-fixture.ts";
import type { ComparedRevisions } from "./compared-revisions.ts";
import { openCompared } from "./open-compared.ts";

describe.skipIf(!hasGit())("RevisionFetcher", () => {
  let fixture: PullRequestFixture;

  beforeEach(async () => {
    fixture = new PullRequestFixture();
    await fixture.serve();
  });
  afterEach(() => fixture.stop());

  function changed(compared: ComparedRevisions): string[] {
    const opened = openCompared(compared.directory, compared);
    try {
      return opened.changedPaths();
    } finally {
      opened.close();
    }
  }

  /** Many commits without files, made at once. */
  function grow(branch: string, count: number): string {
    const from = fixture.git("rev-parse", branch);
    let script = "";
    for (let i = 1; i <= count; i++) {
      script += `commit refs/heads/${branch}\ncommitter C <c@example.com> ${1_710_000_000 + i} +0000\ndata 2\nx\n`;
      script += i === 1 ? `from ${from}\n\n` : "\n";
    }
    execFileSync("git", ["fast-import", "--quiet"], { cwd: fixture.bare, input: script });
    return fixture.gitAt(fixture.bare, "rev-parse", branch);
  }

  describe("the base", () => {
    it.each([0, 2] as const)(
      "is where the head left the branch, under version %d of the protocol",
      async (protocol) => {
        await fixture.serve({ protocol });
        const base = fixture.commit("base", { "a.yaml": "a: 0\n", "dir/b.yaml": "b: 0\n" });
        const head = fixture.propose(2, { file: "dir/b.yaml" });
        const baseTip = fixture.commits(3, "a.yaml");
        fixture.push();

        const compared = await fixture.fetch(head);

        expect(compared).toMatchObject({ head, base, baseTip, otherBases: [], unrelated: false });
        const opened = openCompared(compared.directory, compared);
        expect(opened.changedPaths()).toEqual(["dir/b.yaml"]);
        expect(String(opened.head.read("dir/b.yaml"))).toBe("1\n");
        expect(String(opened.base.read("dir/b.yaml"))).toBe("b: 0\n");
        expect(opened.head.revision).toBe(`sha1:${head}`);
        expect(opened.subjectOf(head)).toBe("dir/b.yaml 1");
        opened.close();
      },
    );

    it.each([
      { sort: "a head of many commits", ahead: 90, behind: 2, requests: 4 },
      { sort: "a branch that went on for long", ahead: 2, behind: 90, requests: 4 },
      { sort: "both", ahead: 70, behind: 80, requests: 6 },
    ])("is found by getting more of the history: $sort", async ({ ahead, behind, requests }) => {
      fixture.commits(40, "old");
      const base = fixture.commit("base", { a: "0" });
      const head = fixture.propose(ahead);
      fixture.commits(behind, "a");
      fixture.push();

      const compared = await fixture.fetch(head);

      expect(compared.base).toBe(base);
      expect(changed(compared)).toEqual(["topic"]);
      expect(fixture.asked("fetch")).toBe(requests);
    });

    it("is got without the files that are here already", async () => {
      fixture.commit("all", manifests(400));
      for (let i = 0; i < 30; i++) fixture.commit(`change ${i}`, { [`apps/app-1/object-${i}.yaml`]: `${i}` });
      fixture.push();
      const first = await fixture.fetch(fixture.propose());
      fixture.git("checkout", "-q", "--detach", "main~25");
      const base = fixture.git("rev-parse", "HEAD");

      const second = await fixture.fetch(fixture.propose());

      expect(second.base).toBe(base);
      expect(changed(second)).toEqual(["topic"]);
      expect(second.bytes).toBeLessThan(first.bytes / 2);
    });

    it("is found in the whole history at last", async () => {
      const base = fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      grow("main", 4200);

      const compared = await fixture.fetch(head);

      expect(compared.base).toBe(base);
      expect(changed(compared)).toEqual(["topic"]);
    });

    it("stays when the branch moves on, and follows what is merged into the head", async () => {
      const base = fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      expect((await fixture.fetch(head)).base).toBe(base);
      const moved = fixture.commits(2, "a");
      fixture.push();
      expect(await fixture.fetch(head)).toMatchObject({ base, baseTip: moved });
      fixture.checkout("topic");
      fixture.git("merge", "-q", "--no-ff", "-m", "merge main", "main");
      const merged = fixture.git("rev-parse", "HEAD");
      fixture.push(`HEAD:${PULL}`);

      const compared = await fixture.fetch(merged);

      expect(compared.base).toBe(moved);
      expect(changed(compared)).toEqual(["topic"]);
    });

    it("is the head itself once that is merged", async () => {
      fixture.commit("base", { a: "0" });
      const head = fixture.propose();
      fixture.git("merge", "-q", "--no-ff", "-m", "merge topic", "topic");
      const baseTip = fixture.commits(30, "a");
      fixture.push();

      const compared = await fixture.fetch(head);

      expect(compared).toMatchObject({ base: head, head, baseTip, unrelated: false });
      expect(changed(compared)).toEqual([]);
    });

    it("is what git chooses after merges in both directions, and the others are told", async () => {
      fixture.commit("root", { r: "0" });
      const onTopic = fixture.propose();
      const onMain = fixture.commit("on main", { m: "0" });
      fixture.git("merge", "-q", "--no-ff", "-m", "topic into main", onTopic);
      fixture.push();
      fixture.checkout("topic");
      fixture.git("merge", "-q", "--no-ff", "-m", "main into topic", onMain);
      const head = fixture.commits(20, "t");
      fixture.push(`HEAD:${PULL}`);

      const compared = await fixture.fetch(head);

      expect(compared.base).toBe(fixture.git("merge-base", "main", "topic"));
      expect(compared).toMatchObject({ base: onMain, otherBases: [onTopic] });
    });

    it("is the tip of the branch for a head that has nothing to do with it", async () => {
      const baseTip = fixture.commits(20, "a");
      fixture.push();
      fixture.git("checkout", "-q", "--orphan", "other");
      fixture.git("rm", "-q", "-rf", ".");
      const head = fixture.commits(20, "b");
      fixture.push(`HEAD:${PULL}`);

      const compared = await fixture.fetch(head);

      expect(compared).toMatchObject({ base: baseTip, baseTip, otherBases: [], unrelated: true });
      expect(changed(compared)).toEqual(["a", "b"]);
    });
  });

  describe("the head", () => {
    it.each([
      { pushed: "refs/pull/7/head", refs: ["refs/pull/7/head", "refs/heads/topic"] },
      { pushed: "refs/merge-requests/7/head", refs: ["refs/merge-requests/7/head", "refs/heads/topic"] },
      { pushed: "refs/heads/topic", refs: ["refs/pull/7/head", "refs/heads/topic"] },
      { pushed: "refs/heads/topic", refs: ["refs/heads/topic"] },
    ])("is found by $refs when there is $pushed", async ({ pushed, refs }) => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const sha = fixture.propose(1, { ref: pushed });

      expect((await fixture.fetch(sha, { head: { sha, refs } })).head).toBe(sha);
    });

    it("is found as a parent of the merge that the host made", async () => {
      const base = fixture.commit("base", { a: "0" });
      const sha = fixture.propose(20, { ref: "refs/tmp/topic" });
      fixture.commit("main goes on", { a: "1" });
      fixture.push();
      fixture.git("merge", "-q", "--no-ff", "-m", "as the host merges", sha);
      fixture.push("HEAD:refs/pull/7/merge");
      fixture.gitAt(fixture.bare, "update-ref", "-d", "refs/tmp/topic");
      const head = { sha, refs: ["refs/pull/7/merge"] };

      const compared = await fixture.fetch(sha, { head });

      expect(compared).toMatchObject({ head: sha, base });
      expect(changed(compared)).toEqual(["topic"]);
      fixture.git("reset", "-q", "--hard", "HEAD~1");
      fixture.commit("another", { b: "1" });
      fixture.push("+HEAD:refs/pull/7/merge");
      const next = { sha: "1".repeat(40), refs: ["refs/pull/7/merge"] };
      await expect(fixture.fetch(next.sha, { head: next })).rejects.toMatchObject({ code: "git-head-moved" });
    });

    it("is got by its name from a server that gives any commit, when its branch is gone", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose(1, { ref: "refs/kept/topic" });
      fixture.gitAt(fixture.bare, "config", "uploadpack.allowReachableSHA1InWant", "true");

      expect((await fixture.fetch(head)).head).toBe(head);
    });

    it("is refused when a push came in between", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const before = fixture.propose();
      const now = fixture.propose(2);

      await expect(fixture.fetch(before)).rejects.toMatchObject({
        code: "git-head-moved",
        recovery: "retry",
        message: `the commit ${before.slice(0, 7)} is no head in ${fixture.server.url}/repo.git any more: ${PULL} is ${now.slice(0, 7)}`,
      });
      expect((await fixture.fetch(now)).head).toBe(now);
    });

    it("is refused when it was here before and its branch was forced since", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const before = fixture.propose();
      (await fixture.fetch(before)).release();
      fixture.propose(2);

      await expect(fixture.fetch(before)).rejects.toMatchObject({ code: "git-head-moved" });
    });

    it("is missing when nothing leads to it", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();

      await expect(fixture.fetch("1".repeat(40))).rejects.toMatchObject({
        code: "git-head-missing",
        recovery: "wait",
        message: expect.stringContaining("there is no refs/pull/7/head and no refs/heads/topic; push the branch again"),
      });
      const ofFork = { sha: "1".repeat(40), refs: [] };
      await expect(fixture.fetch(ofFork.sha, { head: ofFork })).rejects.toMatchObject({
        code: "git-head-missing",
        message: expect.stringContaining(
          "its branch is in another repository, which is not asked; push it to this one",
        ),
      });
    });

    it("is not looked for under a name that could be an option or a path", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const sha = fixture.propose();

      for (const name of ["--upload-pack=evil", "refs/heads/../../x", "refs/heads/-x", "refs/heads/a b\n"]) {
        const call = fixture.fetch(sha, { head: { sha, refs: [name] } });
        await expect(call).rejects.toMatchObject({ code: "git-ref-invalid" });
      }
    });
  });

  describe("what fails", () => {
    it("names the base branch that is gone, and the nearest", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();

      await expect(fixture.fetch(head, { baseBranch: "mian" })).rejects.toMatchObject({
        code: "git-ref-not-found",
        message: expect.stringContaining('there is no branch "mian"'),
        details: { nearest: "main" },
      });
    });

    it("says that credentials are wrong without showing them", async () => {
      fixture.commit("base", { a: "0" });
      const head = fixture.propose();
      fixture.push();
      await fixture.serve({ basicAuth: { username: "ann", password: "right" } });
      const credentials = { username: "ann", password: "wr0ng-s3cret" };

      const error = await fixture.fetch(head, { credentials }).catch((thrown: unknown) => thrown);

      expect(error).toMatchObject({ code: "git-auth-failed" });
      expect(String(error)).not.toContain("wr0ng");
      expect((await fixture.fetch(head, { credentials: { username: "ann", password: "right" } })).head).toBe(head);
    });

    it("refuses more objects, files and longer paths than are allowed", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      fixture.git("checkout", "-q", "-b", "topic");
      const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`folder/file-${i}`, `${i}`]));
      const head = fixture.commit("many", files);
      fixture.push(`HEAD:${PULL}`);

      for (const limits of [{ maxObjects: 20 }, { maxFiles: 20 }, { maxPathBytes: 8 }, { maxPackBytes: 300 }]) {
        fixture.reopen({ limits });
        const owner = Object.keys(limits).join();
        await expect(fixture.fetch(head, { owner })).rejects.toMatchObject({
          code: "git-too-large",
          recovery: "stall",
        });
      }
      fixture.reopen();
      expect((await fixture.fetch(head)).head).toBe(head);
    });

    it("names what is malformed in a repository, whose cache is not the cause", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const blob = Buffer.from(fixture.git("rev-parse", "HEAD:a"), "hex");
      const tree = join(fixture.root, "tree");
      writeFileSync(tree, Buffer.concat([Buffer.from("50000 odd\0"), blob]));
      const oid = fixture.git("hash-object", "-t", "tree", "-w", "--literally", tree);
      const head = fixture.git("commit-tree", "-p", "HEAD", "-m", "odd", oid);
      fixture.push(`${head}:${PULL}`);

      await expect(fixture.fetch(head)).rejects.toMatchObject({
        code: "git-corrupt",
        message: `the tree ${oid} holds an entry of an unknown kind`,
      });
    });

    it("says that a branch is too far behind when the history exceeds a limit", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      grow("main", 300);
      fixture.reopen({ limits: { maxObjects: 100 } });

      await expect(fixture.fetch(head)).rejects.toMatchObject({
        code: "git-history-too-long",
        recovery: "stall",
        message: expect.stringMatching(/^where [0-9a-f]{7} left main is too far back in .*: rebase it onto main$/),
      });
    });

    it("refuses a repository of this machine unless allowed, and then reads it in place", async () => {
      const base = fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      const url = `file://${fixture.bare}`;
      await expect(fixture.fetch(head, { url })).rejects.toMatchObject({ code: "git-url-invalid" });
      fixture.reopen({ allowLocal: true });

      const compared = await fixture.fetch(head, { url });

      expect(compared).toMatchObject({ directory: fixture.bare, head, base });
      expect(changed(compared)).toEqual(["topic"]);
      const missing = "1".repeat(40);
      await expect(fixture.fetch(missing, { url })).rejects.toMatchObject({ code: "git-head-moved" });
    });
  });

  describe("several at once", () => {
    it("fetches one after the other for one owner, and the same only once", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();

      const [first, second, third] = await Promise.all([
        fixture.fetch(head),
        fixture.fetch(head),
        fixture.fetch(head, { owner: "other/web" }),
      ]);

      expect(second).toMatchObject({ head, base: first?.base, directory: first?.directory });
      expect(third?.directory).not.toBe(first?.directory);
      expect([first?.requests, second?.requests].sort()).toEqual([2, 6]);
    });

    it("leaves the queue and the work at once when its caller gives up", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      const begun = Promise.withResolvers<void>();
      await fixture.serve({
        intercept: () => {
          begun.resolve();
          return true;
        },
      });
      const running = new AbortController();
      const waiting = new AbortController();
      const first = fixture.fetch(head, {}, running.signal).catch((error: unknown) => error);
      const second = fixture.fetch(head, {}, waiting.signal);
      await begun.promise;

      waiting.abort(new Error("closed"));
      await expect(second).rejects.toThrow("closed");
      running.abort(new Error("newer head"));

      expect(String(await first)).toContain("newer head");
      await fixture.serve();
      expect((await fixture.fetch(head)).head).toBe(head);
    });

    it("gives up at its deadline, which counts from its turn", async () => {
      fixture.commit("base", { a: "0" });
      fixture.push();
      const head = fixture.propose();
      await fixture.serve({ intercept: () => true });

      const first = fixture.fetch(head, { timeoutMs: 150 });
      const second = fixture.fetch(head, { timeoutMs: 60 });

      await expect(first).rejects.toMatchObject({ code: "git-timeout" });
      const turn = performance.now();
      await expect(second).rejects.toMatchObject({ code: "git-timeout" });
      expect(performance.now() - turn).toBeGreaterThan(40);
    });
  });
});
