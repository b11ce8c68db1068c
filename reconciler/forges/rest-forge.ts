import type { Clock } from "../../runtime/clock.ts";
import { publishAsStatus } from "./check-as-status.ts";
import { cutText, oneLine, titleOf } from "./cut-text.ts";
import { forgeUnsupported } from "./errors.ts";
import {
  type Call,
  type Check,
  type CommitStatus,
  type Forge,
  type ForgeComment,
  type ForgeIssue,
  type ForgeKind,
  type ForgeLimits,
  type ForgeUser,
  type IssueChange,
  isSameUser,
  type KeepComment,
  type NewIssue,
  type NewPullRequest,
  type Permission,
  type PublishedCheck,
  type PullRequest,
  type Reaction,
} from "./forge.ts";
import { createOnce } from "./http/create-once.ts";
import type { ForgeAnswer } from "./http/forge-http.ts";
import type { RepositoryHttp } from "./http/repository-http.ts";
import { hasMarker, isSameBody } from "./marker.ts";
import { PROVIDERS, type RepositoryAddress } from "./repository-address.ts";

export interface RestForgeOptions {
  readonly address: RepositoryAddress;
  readonly rest: RepositoryHttp;
  readonly clock: Clock;
  /** Whose credentials these are, where that is known. */
  readonly user?: ForgeUser | undefined;
}

/** How much the provider's clock may lag behind ours. */
const SKEW_MS = 120_000;

/** What all providers do alike: things are created once, our own are told from those of others. */
export abstract class RestForge implements Forge {
  readonly kind: ForgeKind;
  readonly provider: string;
  readonly repository: string;
  readonly url: string;
  abstract readonly limits: ForgeLimits;
  protected readonly address: RepositoryAddress;
  protected readonly rest: RepositoryHttp;
  readonly #clock: Clock;
  #me: ForgeUser | undefined;

  constructor({ address, rest, clock, user }: RestForgeOptions) {
    this.kind = address.kind;
    this.provider = PROVIDERS[address.kind];
    this.repository = address.path.join("/");
    this.url = address.webUrl;
    this.address = address;
    this.rest = rest;
    this.#clock = clock;
    this.#me = user;
  }

  abstract permissionOf(user: ForgeUser, call: Call): Promise<Permission>;
  abstract pullRequest(number: number, call: Call): Promise<PullRequest>;
  abstract openPullRequests(call: Call): Promise<readonly PullRequest[]>;
  abstract comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]>;
  abstract updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment>;
  abstract deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void>;
  abstract setStatus(sha: string, status: CommitStatus, call: Call): Promise<void>;

  protected abstract askUser(call: Call): Promise<ForgeUser>;
  protected abstract postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment>;
  /** Answers with `EXISTS` when there is one already, or the branches do not make one. */
  protected abstract postPullRequest(wanted: NewPullRequest, call: Call): Promise<ForgeAnswer>;
  protected abstract readPullRequest(answer: ForgeAnswer, call: Call): Promise<PullRequest>;

  async whoAmI(call: Call): Promise<ForgeUser> {
    this.#me ??= await this.askUser(call);
    return this.#me;
  }

  createComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const from = this.#clock.now();
    return createOnce(
      () => this.postComment(pullRequest, body, call),
      async () => {
        const me = await this.whoAmI(call);
        const isIt = (one: ForgeComment) =>
          isSameUser(one.author, me) && isSameBody(one.body, body) && one.createdAt >= from - SKEW_MS;
        return (await this.comments(pullRequest, call, isIt)).at(-1);
      },
    );
  }

  async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const open = await this.openPullRequests(call);
    return open.find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  async createPullRequest(wanted: NewPullRequest, call: Call): Promise<PullRequest> {
    const find = () => this.findPullRequest(wanted.head, call);
    const content = { ...wanted, title: titleOf(wanted.title), body: cutText(wanted.body, this.limits.comment.size) };
    const create = async () => {
      const answer = await this.postPullRequest(content, call);
      if (answer.status < 300) return this.readPullRequest(answer, call);
      // Another instance was quicker, or it is refused for another reason.
      const other = await find();
      if (other === undefined) throw answer.refused();
      return other;
    };
    return (await find()) ?? (await createOnce(create, find));
  }

  publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck> {
    return publishAsStatus(this, sha, check, call);
  }

  react(_pullRequest: number, _commentId: string, _reaction: Reaction, _call: Call): Promise<void> {
    return Promise.resolve();
  }

  async findIssues(marker: string, call: Call): Promise<readonly ForgeIssue[]> {
    const me = await this.whoAmI(call);
    const all = await this.listIssues(me, call);
    const { hidden } = this.limits.markdown;
    return all
      .filter(({ author, body }) => isSameUser(author, me) && hasMarker(body, hidden, marker))
      .toSorted((a, b) => (a.state === b.state ? a.number - b.number : a.state === "open" ? -1 : 1));
  }

  createIssue(wanted: NewIssue, call: Call): Promise<ForgeIssue> {
    const issue = { ...wanted, title: titleOf(wanted.title) };
    return createOnce(
      () => this.postIssue(issue, call),
      async () => {
        const all = await this.listIssues(await this.whoAmI(call), call);
        return all.findLast(
          ({ state, title, body }) => state === "open" && title === issue.title && isSameBody(body, issue.body),
        );
      },
    );
  }

  updateIssue(_number: number, _change: IssueChange, _call: Call): Promise<ForgeIssue> {
    return Promise.reject(this.#noIssues());
  }

  /** Those that this user opened, the oldest first, open and closed. */
  protected listIssues(_author: ForgeUser, _call: Call): Promise<readonly ForgeIssue[]> {
    return Promise.reject(this.#noIssues());
  }

  protected postIssue(_issue: NewIssue, _call: Call): Promise<ForgeIssue> {
    return Promise.reject(this.#noIssues());
  }

  /** A status' description as the provider keeps it. */
  protected describe(status: CommitStatus): string {
    return cutText(oneLine(status.description), this.limits.statusDescription);
  }

  close(): void {
    this.rest.close();
  }

  #noIssues(): Error {
    return forgeUnsupported(
      this.provider,
      "issues in a repository",
      "post to a pull request, or send the report elsewhere",
    );
  }
}

/** Statuses by which providers refuse a pull request that exists. */
export const EXISTS = [400, 409, 422] as const;
