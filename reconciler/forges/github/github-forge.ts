// GitHub, also Enterprise Server: https://docs.github.com/rest (version 2022-11-28).
import type { Clock } from "../../../runtime/clock.ts";
import { cutText, oneLine } from "../cut-text.ts";
import {
  type Call,
  type Check,
  type CommitStatus,
  type Forge,
  type ForgeComment,
  type ForgeIssue,
  type ForgeLimits,
  type ForgeUser,
  type IssueChange,
  isSameUser,
  type NewIssue,
  type NewPullRequest,
  type Permission,
  type PublishedCheck,
  type PullRequest,
  type Reaction,
} from "../forge.ts";
import { createOnce } from "../http/create-once.ts";
import { type ForgeAnswer, type ForgeHttp, type ForgeRequest, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { nextByHeader, readPages, wholeAnswer } from "../http/pages.ts";
import { hasMarker, isSameBody } from "../marker.ts";
import { isRecent } from "../recent.ts";
import type { RepositoryAddress } from "../repository-address.ts";
import { GITHUB_LIMITS, publishCheckRun } from "./github-checks.ts";

const REACTIONS: Readonly<Record<Reaction, string>> = { seen: "eyes", done: "+1", refused: "confused" };

export interface GitHubOptions {
  readonly address: RepositoryAddress;
  readonly http: ForgeHttp;
  readonly clock: Clock;
  readonly user?: ForgeUser | undefined;
}

export class GitHubForge implements Forge {
  readonly kind = "github";
  readonly provider = "GitHub";
  readonly repository: string;
  readonly url: string;
  readonly limits: ForgeLimits = GITHUB_LIMITS;
  readonly #http: ForgeHttp;
  readonly #clock: Clock;
  readonly #apiUrl: string;
  readonly #owner: string;
  readonly #root: string;
  #me: ForgeUser | undefined;

  constructor({ address, http, clock, user }: GitHubOptions) {
    this.repository = address.path.join("/");
    this.url = address.webUrl;
    this.#apiUrl = address.apiUrl;
    this.#owner = address.path[0] ?? "";
    this.#root = path("repos", ...address.path);
    this.#http = http;
    this.#clock = clock;
    this.#me = user;
  }

  /** By GraphQL, which answers also installations of an app and the token of a workflow; `GET /user` refuses them. */
  async whoAmI(call: Call): Promise<ForgeUser> {
    if (this.#me !== undefined) return this.#me;
    const { json } = await this.#http.send(
      {
        method: "POST",
        path: graphqlUrl(this.#apiUrl),
        body: { query: "query { viewer { login databaseId } }" },
        repeatable: true,
        what: "ask who we are in the name",
        needs: "a token of a user, an app's installation or a workflow",
      },
      call,
    );
    const viewer = json.at("data", "viewer");
    const id = viewer.at("databaseId").numberOr(undefined);
    this.#me = { name: viewer.at("login").text(), ...(id === undefined ? {} : { id: String(id) }) };
    return this.#me;
  }

  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    const { status, json } = await this.#send(
      "GET",
      path("collaborators", user.name, "permission"),
      {
        what: `ask for the permission of ${user.name} in the collaborators`,
        needs: "the permission metadata: read",
        accept: [404],
      },
      call,
    );
    if (status === 404) return "none";
    // A role of an organization's own making is known by what it grants at least.
    if (json.at("role_name").textOr("") === "maintain") return "maintain";
    const granted = json.at("permission").text();
    return granted === "admin" || granted === "write" || granted === "read" ? granted : "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const { json } = await this.#send(
      "GET",
      path("pulls", number),
      { what: `read pull request ${number}`, needs: PULLS_READ },
      call,
    );
    return this.#readPullRequest(json);
  }

  async openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    const all = await this.#list(
      path("pulls"),
      { state: "open" },
      { what: "list the pull requests", needs: PULLS_READ },
      call,
    );
    return all.map((json) => this.#readPullRequest(json));
  }

  async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const query = { state: "open", head: `${this.#owner}:${headBranch}` };
    const found = await this.#list(
      path("pulls"),
      query,
      { what: "look for the pull request of a branch", needs: PULLS_READ },
      call,
    );
    return found
      .map((json) => this.#readPullRequest(json))
      .find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  async createPullRequest(wanted: NewPullRequest, call: Call): Promise<PullRequest> {
    const earlier = await this.findPullRequest(wanted.head, call);
    if (earlier !== undefined) return earlier;
    const { title, body, head, base, draft = false } = wanted;
    return createOnce(
      async () => {
        const request = {
          what: `open a pull request of ${head}`,
          needs: PULLS_WRITE,
          body: { title, body, head, base, draft },
          accept: [422],
        };
        const answer = await this.#send("POST", path("pulls"), request, call);
        if (answer.status !== 422) return this.#readPullRequest(answer.json);
        // Another instance was quicker, or the branches are the same.
        const other = await this.findPullRequest(head, call);
        if (other === undefined) throw answer.refused();
        return other;
      },
      () => this.findPullRequest(head, call),
    );
  }

  async comments(pullRequest: number, call: Call): Promise<readonly ForgeComment[]> {
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: PULLS_READ };
    const all = await this.#list(path("issues", pullRequest, "comments"), {}, request, call);
    return all.map(readComment);
  }

  createComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const from = this.#clock.now();
    return createOnce(
      async () => {
        const request = { what: `comment on pull request ${pullRequest}`, needs: PULLS_WRITE, body: { body } };
        return readComment((await this.#send("POST", path("issues", pullRequest, "comments"), request, call)).json);
      },
      async () => {
        const me = await this.whoAmI(call);
        const all = await this.comments(pullRequest, call);
        return all.findLast((one) => isSameUser(one.author, me) && isRecent(one, body, from));
      },
    );
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `change our comment on pull request ${pullRequest}`, needs: PULLS_WRITE, body: { body } };
    return readComment((await this.#send("PATCH", path("issues", "comments", comment.id), request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = {
      what: `delete our comment on pull request ${pullRequest}`,
      needs: PULLS_WRITE,
      accept: [404, 410],
    };
    await this.#send("DELETE", path("issues", "comments", comment.id), request, call);
  }

  async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    const request = {
      what: `react to a comment on pull request ${pullRequest}`,
      needs: PULLS_WRITE,
      body: { content: REACTIONS[reaction] },
      repeatable: true,
    };
    await this.#send("POST", path("issues", "comments", commentId, "reactions"), request, call);
  }

  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const { context, state, url } = status;
    const request = {
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: "the permission statuses: write (scope repo:status)",
      body: {
        context,
        state,
        description: cutText(oneLine(status.description), GITHUB_LIMITS.statusDescription),
        ...(url === undefined ? {} : { target_url: url }),
      },
      // The same status twice shows as one.
      repeatable: true,
    };
    await this.#send("POST", path("statuses", sha), request, call);
  }

  publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck> {
    return publishCheckRun({ http: this.#http, root: this.#root, forge: this }, sha, check, call);
  }

  async findIssues(marker: string, call: Call): Promise<readonly ForgeIssue[]> {
    const me = await this.whoAmI(call);
    const query = { state: "all", creator: me.name, sort: "created", direction: "asc" };
    const all = await this.#list(
      path("issues"),
      query,
      { what: "look for our issue in the issues", needs: "the permission issues: read" },
      call,
    );
    return all
      .filter((json) => !json.at("pull_request").exists)
      .map(readIssue)
      .filter(({ author, body }) => isSameUser(author, me) && hasMarker(body, GITHUB_LIMITS.markdown.hidden, marker))
      .toSorted((a, b) => (a.state === b.state ? a.number - b.number : a.state === "open" ? -1 : 1));
  }

  createIssue(issue: NewIssue, call: Call): Promise<ForgeIssue> {
    const request = { what: "open an issue", needs: ISSUES_WRITE, body: { title: issue.title, body: issue.body } };
    return createOnce(
      async () => readIssue((await this.#send("POST", path("issues"), request, call)).json),
      async () => {
        const me = await this.whoAmI(call);
        const query = { state: "open", creator: me.name, sort: "created", direction: "desc" };
        const found = await this.#http.send(
          this.#request("GET", path("issues"), { what: "look for our issue", needs: ISSUES_WRITE, query }),
          call,
        );
        return found.json
          .items()
          .map(readIssue)
          .find((one) => one.title === issue.title && isSameBody(one.body, issue.body));
      },
    );
  }

  async updateIssue(number: number, change: IssueChange, call: Call): Promise<ForgeIssue> {
    const request = { what: `change issue ${number}`, needs: ISSUES_WRITE, body: change };
    return readIssue((await this.#send("PATCH", path("issues", number), request, call)).json);
  }

  close(): void {
    this.#http.close();
  }

  #request(method: ForgeRequest["method"], below: string, rest: Omit<ForgeRequest, "method" | "path">): ForgeRequest {
    return { method, path: `${this.#root}${below}`, ...rest };
  }

  #send(
    method: ForgeRequest["method"],
    below: string,
    rest: Omit<ForgeRequest, "method" | "path">,
    call: Call,
  ): Promise<ForgeAnswer> {
    return this.#http.send(this.#request(method, below, rest), call);
  }

  #list(
    below: string,
    query: Readonly<Record<string, string>>,
    rest: Pick<ForgeRequest, "what" | "needs">,
    call: Call,
  ): Promise<readonly JsonReader[]> {
    const request = this.#request("GET", below, { ...rest, query: { ...query, per_page: 100 } });
    return readPages(this.#http, request, { next: nextByHeader, entries: wholeAnswer }, call);
  }

  #readPullRequest(json: JsonReader): PullRequest {
    const number = json.at("number").number();
    const head = json.at("head");
    const base = json.at("base");
    const cloneUrl = head.at("repo", "clone_url").textOr(undefined);
    return {
      number,
      title: json.at("title").textOr(""),
      url: json.at("html_url").textOr(`${this.url}/pull/${number}`),
      author: readUser(json.at("user")),
      state: json.at("state").text() === "open" ? "open" : json.at("merged_at").exists ? "merged" : "closed",
      draft: json.at("draft").isTrue(),
      labels: json
        .at("labels")
        .items()
        .map((label) => label.at("name").text()),
      head: { sha: head.at("sha").text(), branch: head.at("ref").text(), cloneUrl, ref: `refs/pull/${number}/head` },
      base: { sha: base.at("sha").text(), branch: base.at("ref").text() },
      // A repository that is gone is null: then it was another one.
      isFork: !head.at("repo", "id").exists || head.at("repo", "id").id() !== base.at("repo", "id").id(),
    };
  }
}

const PULLS_READ = "the permission pull requests: read (scope repo)";
const PULLS_WRITE = "the permission pull requests: write (scope repo)";
const ISSUES_WRITE = "the permission issues: write (scope repo)";

/** `https://api.github.com/graphql`; of Enterprise Server `/api/graphql` beside `/api/v3`. */
function graphqlUrl(apiUrl: string): string {
  return apiUrl.endsWith("/api/v3") ? `${apiUrl.slice(0, -"/v3".length)}/graphql` : `${apiUrl}/graphql`;
}

/** Null, or `ghost`, where the account is gone. */
function readUser(json: JsonReader): ForgeUser {
  if (!json.exists) return { name: "ghost" };
  return { id: json.at("id").id(), name: json.at("login").text() };
}

function readComment(json: JsonReader): ForgeComment {
  return {
    id: json.at("id").id(),
    author: readUser(json.at("user")),
    body: json.at("body").textOr(""),
    url: json.at("html_url").textOr(undefined),
    createdAt: Date.parse(json.at("created_at").text()),
  };
}

function readIssue(json: JsonReader): ForgeIssue {
  return {
    number: json.at("number").number(),
    title: json.at("title").textOr(""),
    body: json.at("body").textOr(""),
    state: json.at("state").text() === "open" ? "open" : "closed",
    author: readUser(json.at("user")),
    url: json.at("html_url").textOr(""),
  };
}
