// Gitea and Forgejo: https://docs.gitea.com/api/ and /api/swagger of every installation.
import { isChangedSince } from "../edited.ts";
import {
  botIf,
  type Call,
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
  type PullRequest,
  type Reaction,
} from "../forge.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { headerPages, RepositoryHttp } from "../http/repository-http.ts";
import { keeping } from "../keeping.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";

const LIMITS: ForgeLimits = {
  // No limit is documented; more makes its pages slow.
  comment: { size: 262_144, unit: "characters" },
  statusDescription: 255,
  check: {
    as: "status",
    summary: 255,
    text: 0,
    markdown: false,
    annotationsPerCall: 0,
    annotations: 0,
    annotationMessage: 0,
  },
  markdown: {
    html: true,
    collapsible: true,
    tables: true,
    taskLists: true,
    hidden: "html comment",
    quickActions: false,
  },
  issues: true,
  reactions: true,
};

const REACTIONS: Readonly<Record<Reaction, string>> = { seen: "eyes", done: "+1", refused: "confused" };
/** The most that an installation gives unless it is set otherwise. */
const PAGE_SIZE = 50;

const READ = "the scope read:repository";
const WRITE = "the scopes write:repository and write:issue, and the right to write there";

export class GiteaForge extends RestForge {
  readonly limits: ForgeLimits = LIMITS;

  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp }) {
    const rest = new RepositoryHttp(
      options.http,
      path("repos", ...options.address.path),
      headerPages("limit", PAGE_SIZE),
    );
    super({ ...options, rest });
  }

  protected async askUser(call: Call): Promise<ForgeUser> {
    const request = {
      method: "GET",
      path: "/user",
      what: "ask whose credentials these are",
      needs: "the scope read:user",
    } as const;
    return readUser((await this.rest.http.send(request, call)).json);
  }

  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    const what = `ask for the permission of ${user.name}`;
    const request = { what, needs: "to be an administrator of the repository, to ask for others", accept: [404] };
    const { status, json } = await this.rest.send("GET", path("collaborators", user.name, "permission"), request, call);
    if (status === 404) return "none";
    const granted = json.at("permission").text();
    if (granted === "owner" || granted === "admin") return "admin";
    return granted === "write" || granted === "read" ? granted : "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read pull request ${number}`, needs: READ };
    return this.readPullRequest(await this.rest.send("GET", path("pulls", number), request, call));
  }

  async openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    const request = { what: "list the pull requests", needs: READ, query: { state: "open" } };
    return this.rest.list(path("pulls"), request, call, readPull);
  }

  protected postPullRequest(
    { title, body, head, base, draft = false }: NewPullRequest,
    call: Call,
  ): Promise<ForgeAnswer> {
    const what = `open a pull request of ${head}`;
    const content = { title: draft ? `WIP: ${title}` : title, body, head, base };
    return this.rest.send("POST", path("pulls"), { what, needs: WRITE, body: content, accept: EXISTS }, call);
  }

  protected readPullRequest({ json }: ForgeAnswer): Promise<PullRequest> {
    return Promise.resolve(readPull(json));
  }

  /** All come at once: this list has no pages. */
  async comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]> {
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: READ };
    return this.rest.list(path("issues", pullRequest, "comments"), request, call, keeping(readComment, keep));
  }

  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `comment on pull request ${pullRequest}`, needs: WRITE, body: { body } };
    return readComment((await this.rest.send("POST", path("issues", pullRequest, "comments"), request, call)).json);
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `change our comment on pull request ${pullRequest}`, needs: WRITE, body: { body } };
    return readComment((await this.rest.send("PATCH", path("issues", "comments", comment.id), request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = { what: `delete our comment on pull request ${pullRequest}`, needs: WRITE, accept: [404] };
    await this.rest.send("DELETE", path("issues", "comments", comment.id), request, call);
  }

  override async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    const what = `react to a comment on pull request ${pullRequest}`;
    const request = { what, needs: WRITE, body: { content: REACTIONS[reaction] }, repeatable: true };
    await this.rest.send("POST", path("issues", "comments", commentId, "reactions"), request, call);
  }

  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const { context, state, url } = status;
    const request = {
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: WRITE,
      body: { context, state, description: this.describe(status), ...(url === undefined ? {} : { target_url: url }) },
      // Of the same context the last one counts.
      repeatable: true,
    };
    await this.rest.send("POST", path("statuses", sha), request, call);
  }

  protected override async listIssues(author: ForgeUser, call: Call): Promise<readonly ForgeIssue[]> {
    const query = { state: "all", type: "issues", created_by: author.name };
    const request = { what: "look for our issue", needs: "the scope read:issue", query };
    const all = await this.rest.list(path("issues"), request, call, readIssue);
    return all.toSorted((a, b) => a.number - b.number);
  }

  protected override async postIssue({ title, body }: NewIssue, call: Call): Promise<ForgeIssue> {
    const request = { what: "open an issue", needs: WRITE, body: { title, body } };
    return readIssue((await this.rest.send("POST", path("issues"), request, call)).json);
  }

  override async updateIssue(number: number, change: IssueChange, call: Call): Promise<ForgeIssue> {
    const request = { what: `change issue ${number}`, needs: WRITE, body: change };
    return readIssue((await this.rest.send("PATCH", path("issues", number), request, call)).json);
  }
}

function readPull(json: JsonReader): PullRequest {
  const number = json.at("number").number();
  const head = json.at("head");
  const base = json.at("base");
  const title = json.at("title").textOr("");
  return {
    number,
    title,
    url: json.at("html_url").textOr(""),
    author: readUser(json.at("user")),
    state: json.at("state").text() === "open" ? "open" : json.at("merged").isTrue() ? "merged" : "closed",
    // Older versions tell by the title alone.
    draft: json.at("draft").isTrue() || /^(?:WIP:|\[WIP\])/i.test(title),
    labels: json
      .at("labels")
      .items()
      .map((label) => label.at("name").text()),
    head: {
      sha: head.at("sha").text(),
      branch: head.at("ref").text(),
      cloneUrl: head.at("repo", "clone_url").textOr(undefined),
      ref: `refs/pull/${number}/head`,
    },
    base: { sha: base.at("sha").textOr(undefined), branch: base.at("ref").text() },
    isFork: !head.at("repo", "id").exists || head.at("repo", "id").id() !== base.at("repo", "id").id(),
  };
}

/** Null, or `Ghost`, where the account is gone. */
function readUser(json: JsonReader): ForgeUser {
  if (!json.exists) return { name: "Ghost" };
  const id = json.at("id").id();
  // Users of the server's own, such as that of its Actions.
  return { id, name: json.at("login").text(), ...botIf(id.startsWith("-")) };
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
