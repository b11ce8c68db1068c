// A repository with pull requests, served on loopback, and a fetcher of what they compare.

import { join } from "node:path";
import {
  type ComparedRequest,
  type ComparedRevisions,
  RevisionFetcher,
  type RevisionFetcherOptions,
} from "../sources/git/compared-revisions.ts";
import { GitFixture } from "./git-fixture.ts";
import { type GitServer, type GitServerOptions, startGitServer } from "./git-server.ts";

export const PULL = "refs/pull/7/head";

const never = new AbortController().signal;

export class PullRequestFixture extends GitFixture {
  readonly caches: string = join(this.root, "pull-requests");
  fetcher: RevisionFetcher = new RevisionFetcher({ root: this.caches });
  #server: GitServer | undefined;

  get server(): GitServer {
    if (this.#server === undefined) throw new Error("the server is not started");
    return this.#server;
  }

  /** Starts the server, or another in its place. */
  async serve(options: Partial<GitServerOptions> = {}): Promise<void> {
    await this.#server?.close();
    this.#server = await startGitServer({ root: this.root, ...options });
  }

  /** As another process would, or with other options. */
  reopen(options: Partial<RevisionFetcherOptions> = {}): void {
    this.fetcher.close();
    this.fetcher = new RevisionFetcher({ root: this.caches, ...options });
  }

  async stop(): Promise<void> {
    this.fetcher.close();
    await this.#server?.close();
    this.remove();
  }

  request(head: string, options: Partial<ComparedRequest> = {}): ComparedRequest {
    const refs = [PULL, "refs/heads/topic"];
    const url = `${this.server.url}/repo.git`;
    return { owner: "shop/web", url, head: { sha: head, refs }, baseBranch: "main", ...options };
  }

  fetch(head: string, options: Partial<ComparedRequest> = {}, signal = never): Promise<ComparedRevisions> {
    return this.fetcher.fetch(this.request(head, options), { signal });
  }

  /** Commits that change one file; the last one. */
  commits(count: number, file: string): string {
    let last = "";
    for (let i = 0; i < count; i++) last = this.commit(`${file} ${i}`, { [file]: `${i}\n` });
    return last;
  }

  checkout(branch: string): void {
    this.git("checkout", "-q", branch);
  }

  /** Commits on a new branch `topic` of the place that is checked out, pushed as `ref`; then `main` is checked out again. */
  propose(count = 1, { ref = PULL, file = "topic" } = {}): string {
    this.git("checkout", "-q", "-B", "topic");
    const head = this.commits(count, file);
    this.push(`+HEAD:${ref}`);
    this.checkout("main");
    return head;
  }

  /** How often a Git command was asked for: `fetch` or `ls-refs`. */
  asked(command: string): number {
    return this.server.requests.filter((line) => line.endsWith(` ${command}`)).length;
  }
}
