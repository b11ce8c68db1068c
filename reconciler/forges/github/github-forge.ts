// GitHub, also Enterprise Server: https://docs.github.com/rest (version 2022-11-28).
import { isChangedSince } from "../edited.ts";
import {
  botIf,
  type Call,
  type Check,
  type CommitStatus,
  type ForgeComment,
  type ForgeIssue,
  type ForgeLimits,
  type ForgeUser,
  type IssueChange,
  type KeepComment,
  type NewIssue,
  type NewPullRequest,
  type Permission,
  type PublishedCheck,
  type PullRequest,
  type Reaction,
} from "../forge.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { headerPages, RepositoryHttp } from "../http/repository-http.ts";
import { keeping } from "../keeping.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";
import { GITHUB_LIMITS, publishCheckRun } from "./github-checks.ts";

const REACTIONS: Readonly<Record<Reaction, string>> = { seen: "eyes", done: "+1", refused: "confused" };

const PULLS_READ = "the permission pull requests: read (scope repo)";
const PULLS_WRITE = "the permission pull requests: write (scope repo)";
const ISSUES_WRITE = "the permission issues: write (scope repo)";

export class GitHubForge extends RestForge {
  readonly limits: ForgeLimits = GITHUB_LIMITS;

  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp }) {
    const rest = new RepositoryHttp(options.http, path("repos", ...options.address.path), headerPages("per_page", 100));
    super({ ...options, rest });
  }

  /** By GraphQL, which answers also installations of an app and the token of a workflow; `GET /user` refuses them. */
  protected async askUser(call: Call): Promise<ForgeUser> {
    const { json } = await this.rest.http.send(
      {
        method: "POST",
        path: graphqlUrl(this.address.apiUrl),
        body: { query: "query { viewer { login databaseId } }" },
        repeatable: true,
        what: "ask whose credentials these are",
        needs: "a token of a user, an app's installation or a workflow",
      },
      call,
    );
    const viewer = json.at("data", "viewer");
    const id = viewer.at("databaseId").numberOr(undefined);
    return { name: viewer.at("login").text(), ...(id === undefined ? {} : { id: String(id) }) };
  }

  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    const what = `ask for the permission of ${user.name}`;
    const request = { what, needs: "the permission metadata: read", accept: [404] };
    const { status, json } = await this.rest.send("GET", path("collaborators", user.name, "permission"), request, call);
    if (status === 404) return "none";
    // A role of an organization's own making is known by what it grants at least.
    if (json.at("role_name").textOr("") === "maintain") return "maintain";
    const granted = json.at("permission").text();
    return granted === "admin" || granted === "write" || granted === "read" ? granted : "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read pull request ${number}`, needs: PULLS_READ };
    return this.readPullRequest(await this.rest.send("GET", path("pulls", number), request, call));
  }

  async openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    const request = { what: "list the pull requests", needs: PULLS_READ, query: { state: "open" } };
    return await this.rest.list(path("pulls"), request, call, readPull);
  }

  override async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const query = { state: "open", head: `${this.address.path[0]}:${headBranch}` };
    const request = { what: "look for the pull request of a branch", needs: PULLS_READ, query };
    const found = await this.rest.list(path("pulls"), request, call, readPull);
    return found.find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  protected postPullRequest(
    { title, body, head, base, draft = false }: NewPullRequest,
    call: Call,
  ): Promise<ForgeAnswer> {
    const what = `open a pull request of ${head}`;
    const request = { what, needs: PULLS_WRITE, body: { title, body, head, base, draft }, accept: EXISTS };
    return this.rest.send("POST", path("pulls"), request, call);
  }

  protected readPullRequest({ json }: ForgeAnswer): Promise<PullRequest> {
    return Promise.resolve(readPull(json));
  }

  async comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]> {
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: PULLS_READ };
    return this.rest.list(path("issues", pullRequest, "comments"), request, call, keeping(readComment, keep));
  }

  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `comment on pull request ${pullRequest}`, needs: PULLS_WRITE, body: { body } };
    return readComment((await this.rest.send("POST", path("issues", pullRequest, "comments"), request, call)).json);
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `change our comment on pull request ${pullRequest}`, needs: PULLS_WRITE, body: { body } };
    return readComment((await this.rest.send("PATCH", path("issues", "comments", comment.id), request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const what = `delete our comment on pull request ${pullRequest}`;
    const request = { what, needs: PULLS_WRITE, accept: [404, 410] };
    await this.rest.send("DELETE", path("issues", "comments", comment.id), request, call);
  }

  override async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    const what = `react to a comment on pull request ${pullRequest}`;
    const request = { what, needs: PULLS_WRITE, body: { content: REACTIONS[reaction] }, repeatable: true };
    await this.rest.send("POST", path("issues", "comments", commentId, "reactions"), request, call);
  }

  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const { context, state, url } = status;
    const request = {
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: "the permission statuses: write (scope repo:status)",
      body: { context, state, description: this.describe(status), ...(url === undefined ? {} : { target_url: url }) },
      // The same status twice shows as one.
      repeatable: true,
    };
    await this.rest.send("POST", path("statuses", sha), request, call);
  }

  override publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck> {
    return publishCheckRun({ http: this.rest.http, root: this.rest.root, forge: this }, sha, check, call);
  }

  protected override async listIssues(author: ForgeUser, call: Call): Promise<readonly ForgeIssue[]> {
    const query = { state: "all", creator: author.name, sort: "created", direction: "asc" };
    const request = { what: "look for our issue", needs: "the permission issues: read", query };
    const read = (json: JsonReader) => (json.at("pull_request").exists ? undefined : readIssue(json));
    return this.rest.list(path("issues"), request, call, read);
  }

  protected override async postIssue({ title, body }: NewIssue, call: Call): Promise<ForgeIssue> {
    const request = { what: "open an issue", needs: ISSUES_WRITE, body: { title, body } };
    return readIssue((await this.rest.send("POST", path("issues"), request, call)).json);
  }

  override async updateIssue(number: number, change: IssueChange, call: Call): Promise<ForgeIssue> {
    const request = { what: `change issue ${number}`, needs: ISSUES_WRITE, body: change };
    return readIssue((await this.rest.send("PATCH", path("issues", number), request, call)).json);
  }
}

/** `https://api.github.com/graphql`; of Enterprise Server `/api/graphql` beside `/api/v3`. */
function graphqlUrl(apiUrl: string): string {
  return apiUrl.endsWith("/api/v3") ? `${apiUrl.slice(0, -"/v3".length)}/graphql` : `${apiUrl}/graphql`;
}

function readPull(json: JsonReader): PullRequest {
  const number = json.at("number").number();
  const head = json.at("head");
  const base = json.at("base");
  const cloneUrl = head.at("repo", "clone_url").textOr(undefined);
  const labels = json.at("labels").items();
  return {
    number,
    title: json.at("title").textOr(""),
    url: json.at("html_url").textOr(""),
    author: readUser(json.at("user")),
    state: json.at("state").text() === "open" ? "open" : json.at("merged_at").exists ? "merged" : "closed",
    draft: json.at("draft").isTrue(),
    labels: labels.map((label) => label.at("name").text()),
    head: { sha: head.at("sha").text(), branch: head.at("ref").text(), cloneUrl, ref: `refs/pull/${number}/head` },
    base: { sha: base.at("sha").text(), branch: base.at("ref").text() },
    // A repository that is gone is null: then it was another one.
    isFork: !head.at("repo", "id").exists || head.at("repo", "id").id() !== base.at("repo", "id").id(),
  };
}

/** Null, or `ghost`, where the account is gone. */
function readUser(json: JsonReader): ForgeUser {
  if (!json.exists) return { name: "ghost" };
  return { id: json.at("id").id(), name: json.at("login").text(), ...botIf(json.at("type").textOr("") === "Bot") };
}

function readComment(json: JsonReader): ForgeComment {
  const createdAt = Date.parse(json.at("created_at").text());
  return {
    id: json.at("id").id(),
    author: readUser(json.at("user")),
    body: json.at("body").textOr(""),
    url: json.at("html_url").textOr(undefined),
    createdAt,
    isEdited: isChangedSince(createdAt, json.at("updated_at").textOr(undefined)),
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
