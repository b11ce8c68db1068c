import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../test/git-fixture.ts";
import { type GitServer, type GitServerOptions, hasGit, startGitServer } from "../../test/git-server.ts";
import { type ComparedRequest, type ComparedRevisions, RevisionFetcher } from "./compared-revisions.ts";
import { openCompared } from "./open-compared.ts";

const signal = new AbortController().signal;
const PULL = "refs/pull/7/head";

describe.skipIf(!hasGit())("RevisionFetcher", () => {
  let fixture: GitFixture;
  let server: GitServer;
  let fetcher: RevisionFetcher;

  beforeEach(async () => {
    fixture = new GitFixture();
    await serve();
    fetcher = new RevisionFetcher({ root: root() });
  });
  afterEach(async () => {
    fetcher.close();
    await server.close();
    fixture.remove();
  });

  async function serve(options: Partial<GitServerOptions> = {}): Promise<void> {
    await server?.close();
    server = await startGitServer({ root: fixture.root, ...options });
  }

  function root(): string {
    return join(fixture.root, "pull-requests");
  }

  function request(head: string, options: Partial<ComparedRequest> = {}): ComparedRequest {
    const refs = [PULL, "refs/heads/topic"];
    return {
      owner: "shop/web",
      url: `${server.url}/repo.git`,
      head: { sha: head, refs },
      baseBranch: "main",
      ...options,
    };
  }

  function fetch(head: string, options: Partial<ComparedRequest> = {}): Promise<ComparedRevisions> {
    return fetcher.fetch(request(head, options), { signal });
  }

  function commits(count: number, file: string): string {
    let last = "";
    for (let i = 0; i < count; i++) last = fixture.commit(`${file} ${i}`, { [file]: `${i}` });
    return last;
  }

  /** Commits on a branch of its own that nobody pushed yet. */
  function topic(count: number, file = "topic"): string {
    fixture.git("checkout", "-q", "-B", "topic");
    return commits(count, file);
  }

  it.each([0, 2] as const)("finds where the head left the base branch under version %d", async (protocol) => {
    await serve({ protocol });
    const base = fixture.commit("base", { "a.yaml": "a: 0\n", "dir/b.yaml": "b: 0\n" });
    fixture.push();
    const head = topic(2, "dir/b.yaml");
    fixture.push(`HEAD:${PULL}`);
    fixture.git("checkout", "-q", "main");
    const baseTip = commits(3, "a.yaml");
    fixture.push();

    const compared = await fetch(head);

    expect(compared).toMatchObject({ head, base, baseTip, otherBases: [], unrelated: false });
    const opened = openCompared(compared.directory, compared);
    expect(opened.changedPaths()).toEqual(["dir/b.yaml"]);
    expect(String(opened.head.read("dir/b.yaml"))).toBe("1");
    expect(String(opened.base.read("dir/b.yaml"))).toBe("b: 0\n");
    expect(opened.head.revision).toBe(`sha1:${head}`);
    expect(opened.subjectOf(head)).toBe("dir/b.yaml 1");
    opened.close();
    compared.release();
  });

  it.each([
    { sort: "a head of many commits", ahead: 90, behind: 2 },
    { sort: "a base that went on for long", ahead: 2, behind: 90 },
    { sort: "both", ahead: 70, behind: 80 },
  ])("deepens the history until it meets: $sort", async ({ ahead, behind }) => {
    commits(40, "old");
    const base = fixture.commit("base", { a: "0" });
    fixture.push();
    const head = topic(ahead);
    fixture.push(`HEAD:${PULL}`);
    fixture.git("checkout", "-q", "main");
    commits(behind, "a");
    fixture.push();

    const compared = await fetch(head);

    expect(compared.base).toBe(base);
    expect(openCompared(compared.directory, compared).changedPaths()).toEqual(["topic"]);
    expect(server.requests.filter((line) => line.endsWith("fetch")).length).toBeLessThan(8);
  });
});
