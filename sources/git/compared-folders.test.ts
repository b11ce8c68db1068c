// How long what was fetched stays, and who may read it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { manifests } from "../../test/git-fixture.ts";
import { hasGit } from "../../test/git-server.ts";
import { PullRequestFixture } from "../../test/pull-request-fixture.ts";
import type { ComparedRevisions } from "./compared-revisions.ts";
import { openCompared } from "./open-compared.ts";

describe.skipIf(!hasGit())("folders of compared revisions", () => {
  let fixture: PullRequestFixture;

  beforeEach(async () => {
    fixture = new PullRequestFixture();
    await fixture.serve();
    fixture.commit("base", manifests(60));
    fixture.push();
  });
  afterEach(() => fixture.stop());

  function packs(compared: ComparedRevisions): string[] {
    const folder = join(compared.directory, "objects", "pack");
    return readdirSync(folder).flatMap((name) => (name.endsWith(".pack") ? [join(folder, name)] : []));
  }

  function bytes(compared: ComparedRevisions): number {
    return packs(compared).reduce((sum, path) => sum + statSync(path).size, 0);
  }

  /** A pull request whose head has a file of this size that does not compress. */
  function proposeLarge(number: number, size: number): Promise<ComparedRevisions> {
    fixture.git("checkout", "-q", "-B", "topic");
    let text = "";
    for (let i = number * 1_000_003; text.length < size; i++) text += Math.sin(i).toString(36);
    const head = fixture.commit(`large ${number}`, { large: text });
    fixture.push(`+HEAD:refs/pull/${number}/head`);
    fixture.checkout("main");
    return fixture.fetch(head, { head: { sha: head, refs: [`refs/pull/${number}/head`] } });
  }

  it("keeps what is held while old pull requests are cleared away, also for who has it open", async () => {
    fixture.reopen({ maxPacks: 4 });
    const held = await proposeLarge(1, 30_000);
    const opened = openCompared(held.directory, held);
    expect(opened.head.list("apps")?.length).toBe(40);
    let most = 0;
    for (let number = 2; number < 12; number++) {
      const compared = await proposeLarge(number, 30_000);
      compared.release();
      most = Math.max(most, packs(compared).length);
    }

    expect(most).toBeLessThanOrEqual(5);
    expect(bytes(held)).toBeLessThan(8 * 30_000);
    // From a pack that is gone, and from the one that took its place.
    expect(opened.head.read("large")?.length).toBeGreaterThan(29_999);
    const anew = openCompared(held.directory, held);
    expect(anew.head.read("large")?.length).toBeGreaterThan(29_999);
    expect(anew.changedPaths()).toEqual(["large"]);
    expect(anew.subjectOf(held.head)).toBe("large 1");
    for (const each of [opened, anew]) each.close();
    const before = held.head;
    held.release();
    held.release();
    for (let number = 12; number < 18; number++) (await proposeLarge(number, 30_000)).release();
    expect(() => openCompared(held.directory, held)).toThrow(expect.objectContaining({ code: "git-object-missing" }));
    const again = await fixture.fetch(before, { head: { sha: before, refs: ["refs/pull/1/head"] } });
    expect(openCompared(again.directory, again).changedPaths()).toEqual(["large"]);
  });

  it("goes on after a clearing as before it", async () => {
    fixture.reopen({ maxPacks: 2 });
    for (let round = 0; round < 8; round++) {
      const base = fixture.git("rev-parse", "main");
      const head = fixture.propose(3, { file: `file-${round}` });
      fixture.commits(3, "main");
      fixture.push();

      const compared = await fixture.fetch(head);

      expect(compared.base).toBe(base);
      expect(openCompared(compared.directory, compared).changedPaths()).toEqual([`file-${round}`]);
      compared.release();
    }
  });

  it("uses what an earlier process left", async () => {
    const head = fixture.propose();
    const first = await fixture.fetch(head);
    fixture.reopen();

    const second = await fixture.fetch(head);

    expect(second.directory).toBe(first.directory);
    expect(fixture.asked("fetch")).toBe(2);
  });

  it("removes an owner's folder with the owner, but for those who still read", async () => {
    const head = fixture.propose();
    const held = await fixture.fetch(head);
    const other = await fixture.fetch(head, { owner: "other/web" });

    fixture.fetcher.forget("other/web");
    fixture.fetcher.forget("shop/web");
    fixture.fetcher.forget("never/seen");
    fixture.fetcher.sweep([]);

    expect(openCompared(held.directory, held).changedPaths()).toEqual(["topic"]);
    const next = await fixture.fetch(head);
    expect(next.directory).not.toBe(held.directory);
    other.release();
    held.release();
    expect(readdirSync(fixture.caches).map((name) => join(fixture.caches, name))).toEqual([next.directory]);
  });

  it("removes the folder of a URL that an owner left, and keeps it for other credentials", async () => {
    const head = fixture.propose();
    const first = await fixture.fetch(head);
    const renewed = await fixture.fetch(head, { credentials: { username: "ann", password: "p" } });
    expect(renewed.directory).toBe(first.directory);
    renewed.release();
    first.release();
    fixture.gitAt(fixture.root, "clone", "-q", "--mirror", fixture.bare, "moved.git");

    const moved = await fixture.fetch(head, { url: `${fixture.server.url}/moved.git` });

    expect(readdirSync(fixture.caches).map((name) => join(fixture.caches, name))).toEqual([moved.directory]);
  });

  it("sweeps folders of owners that are gone, and others of those that are not", async () => {
    const head = fixture.propose();
    await fixture.fetch(head);
    const kept = await fixture.fetch(head, { owner: "other/web" });
    fixture.reopen();
    mkdirSync(join(fixture.caches, "left-behind"));

    fixture.fetcher.sweep([{ owner: "other/web", url: fixture.request(head).url }]);

    expect(readdirSync(fixture.caches).map((name) => join(fixture.caches, name))).toEqual([kept.directory]);
    const asked = fixture.asked("fetch");
    await fixture.fetch(head, { owner: "other/web" });
    expect(fixture.asked("fetch")).toBe(asked);
  });

  it("finishes a fetch whose owner is forgotten meanwhile, and removes its folder after that", async () => {
    const head = fixture.propose();
    const begun = Promise.withResolvers<void>();
    await fixture.serve({
      intercept: () => {
        begun.resolve();
        return false;
      },
    });
    const running = fixture.fetch(head).catch((error: unknown) => error);
    await begun.promise;

    fixture.fetcher.forget("shop/web");

    const result = await running;
    // Its connections are closed: it may have been done with them or not.
    if (result instanceof Error) expect(result).toMatchObject({ code: "git-unreachable" });
    else (result as ComparedRevisions).release();
    expect(readdirSync(fixture.caches)).toEqual([]);
  });

  it("begins anew in another folder when a pack is damaged, and leaves the old one to who reads it", async () => {
    const held = await fixture.fetch(fixture.propose());
    for (const path of packs(held)) truncateSync(path, statSync(path).size - 40);
    const head = fixture.propose(2);

    const compared = await fixture.fetch(head);

    expect(compared.directory).not.toBe(held.directory);
    const opened = openCompared(compared.directory, compared);
    expect(opened.changedPaths()).toEqual(["topic"]);
    expect(opened.base.list("apps")?.length).toBe(40);
    opened.close();
    expect(existsSync(held.directory)).toBe(true);
    held.release();
    expect(existsSync(held.directory)).toBe(false);
  });

  it("does not take history that was lost for history that never was", async () => {
    fixture.git("rm", "-q", "-r", "apps");
    // Every commit brings all of its files, so that none is missed.
    const base = fixture.commit("before", { file: "a" });
    fixture.commit("between", { file: "b" });
    fixture.push();
    const first = await fixture.fetch(fixture.propose());
    const lost = packs(first);
    first.release();
    fixture.commit("after", { file: "c" });
    fixture.push();
    (await fixture.fetch(fixture.propose(1, { file: "other" }))).release();
    for (const path of lost) truncateSync(path, statSync(path).size - 40);
    fixture.reopen();
    fixture.git("checkout", "-q", "--detach", base);
    const head = fixture.propose(1, { file: "file" });

    expect(await fixture.fetch(head)).toMatchObject({ base, unrelated: false });
  });

  it("is read by a process that may read nothing else", async () => {
    const compared = await fixture.fetch(fixture.propose());
    const project = realpathSync(join(import.meta.dirname, "..", ".."));
    const script = `
      import { readFileSync } from "node:fs";
      import { openCompared } from ${JSON.stringify(join(import.meta.dirname, "open-compared.ts"))};
      const opened = openCompared(${JSON.stringify(compared.directory)}, ${JSON.stringify(compared)});
      const files = opened.head.list("apps").flatMap(({ name }) => opened.head.list("apps/" + name)).length;
      let other = "read";
      try { readFileSync(${JSON.stringify(join(fixture.bare, "HEAD"))}); } catch (error) { other = error.code; }
      console.log(JSON.stringify({ changed: opened.changedPaths(), files, subject: opened.subjectOf(${JSON.stringify(compared.head)}), other }));
    `;

    const child = spawnSync(
      process.execPath,
      [
        "--permission",
        ...["sources", "runtime", "package.json"].map((name) => `--allow-fs-read=${join(project, name)}`),
        `--allow-fs-read=${join(compared.directory, "objects")}`,
        "--input-type=module-typescript",
        "--eval",
        script,
      ],
      { cwd: "/", env: {}, encoding: "utf8" },
    );

    expect(child.stderr).toBe("");
    expect(JSON.parse(child.stdout)).toEqual({
      changed: ["topic"],
      files: 60,
      subject: "topic 0",
      other: "ERR_ACCESS_DENIED",
    });
  });

  it("does not follow a folder that borrows files from elsewhere", async () => {
    const compared = await fixture.fetch(fixture.propose());
    const borrower = join(fixture.root, "borrower");
    mkdirSync(join(borrower, "objects", "info"), { recursive: true });
    writeFileSync(join(borrower, "objects", "info", "alternates"), `${join(compared.directory, "objects")}\n`);

    expect(() => openCompared(borrower, compared)).toThrow(expect.objectContaining({ code: "git-object-missing" }));
  });
});
