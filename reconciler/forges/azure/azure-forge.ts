// Azure DevOps, Services and Server: https://learn.microsoft.com/rest/api/azure/devops/git/
import { cutText } from "../cut-text.ts";
import { isChangedSince } from "../edited.ts";
import {
  botIf,
  type Call,
  type CommitStatus,
  type ForgeComment,
  type ForgeLimits,
  type ForgeUser,
  type KeepComment,
  type NewPullRequest,
  type Permission,
  type PullRequest,
  type Reaction,
  type StatusState,
} from "../forge.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import type { NextPage } from "../http/pages.ts";
import { RepositoryHttp } from "../http/repository-http.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";
import { AzurePermissions } from "./azure-permissions.ts";

const LIMITS: ForgeLimits = {
  comment: { size: 150_000, unit: "characters" },
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
  // Work items belong to a project's process, which decides on their kinds, states and fields: none can be counted on.
  issues: false,
  reactions: true,
};

const STATES: Readonly<Record<StatusState, string>> = {
  pending: "pending",
  success: "succeeded",
  failure: "failed",
  error: "error",
};

const READ = "the scope vso.code (Code: read)";
const WRITE = "the scope vso.code_write (Code: read & write), and the right to contribute to pull requests";
const STATUS = "the scope vso.code_status (Code: status)";
const MOST_DESCRIPTION = 4000;
const PAGE_SIZE = 100;

/** By number: a page that is not full is the last. */
const nextBySkip: NextPage = ({ json }, request) => {
  const { $skip = 0, $top } = request.query ?? {};
  const count = json.at("value").items().length;
  if ($top === undefined || count === 0) return undefined;
  return { ...request, query: { ...request.query, $skip: Number($skip) + count } };
};

const PAGES = {
  size: { $top: PAGE_SIZE },
  next: nextBySkip,
  entries: ({ json }: ForgeAnswer) => json.at("value").items(),
};

export class AzureForge extends RestForge {
  readonly limits: ForgeLimits = LIMITS;
  readonly #permissions: AzurePermissions;

  /** `identities`: to the service that knows users, which is another host for Services. */
  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp; readonly identities: ForgeHttp }) {
    const [, project = "", name = ""] = options.address.path;
    const root = path(project, "_apis", "git", "repositories", name);
    super({ ...options, rest: new RepositoryHttp(options.http, root, PAGES) });
    this.#permissions = new AzurePermissions(this.rest, options.identities);
  }

  protected async askUser(call: Call): Promise<ForgeUser> {
    const request = {
      method: "GET",
      path: "/_apis/connectionData",
      headers: { accept: "application/json" },
      what: "ask whose credentials these are",
      needs: "a token of this organization",
    } as const;
    const user = (await this.rest.http.send(request, call)).json.at("authenticatedUser");
    const account = user.at("properties", "Account", "$value").textOr(user.at("providerDisplayName").textOr("unknown"));
    return { id: user.at("id").text(), name: account };
  }

  permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    return this.#permissions.of(user, call);
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read pull request ${number}`, needs: READ };
    const pull = await this.readPullRequest(await this.rest.send("GET", path("pullrequests", number), request, call));
    const labels = await this.rest.send("GET", path("pullrequests", number, "labels"), request, call);
    const active = labels.json
      .at("value")
      .items()
      .filter((label) => label.at("active").value !== false);
    return { ...pull, labels: active.map((label) => label.at("name").text()) };
  }

  openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    return this.#open({}, call);
  }

  override async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const found = await this.#open({ "searchCriteria.sourceRefName": `refs/heads/${headBranch}` }, call);
    return found.find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  protected postPullRequest(
    { title, body, head, base, draft = false }: NewPullRequest,
    call: Call,
  ): Promise<ForgeAnswer> {
    const request = {
      what: `open a pull request of ${head}`,
      needs: WRITE,
      body: {
        title,
        description: cutText(body, MOST_DESCRIPTION),
        sourceRefName: `refs/heads/${head}`,
        targetRefName: `refs/heads/${base}`,
        isDraft: draft,
      },
      accept: EXISTS,
    };
    return this.rest.send("POST", path("pullrequests"), request, call);
  }

  protected readPullRequest({ json }: ForgeAnswer): Promise<PullRequest> {
    return Promise.resolve(this.#readPull(json));
  }

  /** Threads come all at once. Ids are those of the thread and of the comment in it. */
  async comments(pullRequest: number, call: Call, keep: KeepComment = () => true): Promise<readonly ForgeComment[]> {
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: READ };
    const { json } = await this.rest.send("GET", path("pullrequests", pullRequest, "threads"), request, call);
    const all = json
      .at("value")
      .items()
      .filter((thread) => !thread.at("isDeleted").isTrue())
      .flatMap((thread) =>
        thread
          .at("comments")
          .items()
          .filter((one) => !one.at("isDeleted").isTrue() && one.at("commentType").textOr("text") !== "system")
          .map((one) => readComment(thread.at("id").id(), one)),
      );
    return all.filter(keep).toSorted((a, b) => a.createdAt - b.createdAt);
  }

  /** A thread without a status: one that is active would have to be resolved before the merge, one that is closed is folded. */
  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const request = {
      what: `comment on pull request ${pullRequest}`,
      needs: WRITE,
      body: { comments: [{ parentCommentId: 0, content: body, commentType: "text" }] },
    };
    const answer = await this.rest.send("POST", path("pullrequests", pullRequest, "threads"), request, call);
    const first = answer.json.at("comments").items()[0];
    if (first === undefined) throw answer.bad("the answer has no comment");
    return readComment(answer.json.at("id").id(), first);
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const request = {
      what: `change our comment on pull request ${pullRequest}`,
      needs: WRITE,
      body: { content: body },
    };
    const answer = await this.rest.send("PATCH", commentPath(pullRequest, comment.id), request, call);
    return readComment(threadOf(comment.id), answer.json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = { what: `delete our comment on pull request ${pullRequest}`, needs: WRITE, accept: [404] };
    await this.rest.send("DELETE", commentPath(pullRequest, comment.id), request, call);
  }

  /** There is one sign, and it says yes. */
  override async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    if (reaction === "refused") return;
    const request = { what: `react to a comment on pull request ${pullRequest}`, needs: WRITE, repeatable: true };
    await this.rest.send("POST", `${commentPath(pullRequest, commentId)}/likes`, request, call);
  }

  /** On the pull request where it is known: branch policies look there alone. */
  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const { context, state, url, pullRequest } = status;
    const request = {
      what: `set the status of ${pullRequest === undefined ? `commit ${sha.slice(0, 7)}` : `pull request ${pullRequest.number}`}`,
      needs: STATUS,
      body: {
        state: STATES[state],
        description: this.describe(status),
        context: { name: context, genre: "flaghoist" },
        ...(url === undefined ? {} : { targetUrl: url }),
      },
      // Of the same context the last one counts.
      repeatable: true,
    };
    const where = pullRequest === undefined ? path("commits", sha) : path("pullrequests", pullRequest.number);
    await this.rest.send("POST", `${where}/statuses`, request, call);
  }

  override close(): void {
    super.close();
    this.#permissions.close();
  }

  async #open(query: Readonly<Record<string, string>>, call: Call): Promise<readonly PullRequest[]> {
    const all = { ...query, "searchCriteria.status": "active" };
    const request = { what: "list the pull requests", needs: READ, query: all };
    return this.rest.list(path("pullrequests"), request, call, (json) => this.#readPull(json));
  }

  #readPull(json: JsonReader): PullRequest {
    const number = json.at("pullRequestId").number();
    const status = json.at("status").text();
    const fork = json.at("forkSource", "repository");
    const repository = fork.exists ? fork : json.at("repository");
    return {
      number,
      title: json.at("title").textOr(""),
      url: `${this.url}/pullrequest/${number}`,
      author: readUser(json.at("createdBy")),
      state: status === "active" ? "open" : status === "completed" ? "merged" : "closed",
      draft: json.at("isDraft").isTrue(),
      labels: [],
      head: {
        sha: json.at("lastMergeSourceCommit", "commitId").text(),
        branch: withoutHeads(json.at("sourceRefName").text()),
        // It may begin with `organization@`.
        cloneUrl: repository
          .at("remoteUrl")
          .textOr(undefined)
          ?.replace(/^(https?:\/\/)[^/@]*@/, "$1"),
        // The merge that the host made: it has the head as a parent.
        ref: `refs/pull/${number}/merge`,
      },
      base: {
        sha: json.at("lastMergeTargetCommit", "commitId").textOr(undefined),
        branch: withoutHeads(json.at("targetRefName").text()),
      },
      isFork: fork.exists,
    };
  }
}

function threadOf(id: string): string {
  return id.split("/")[0] ?? "";
}

function commentPath(pullRequest: number, id: string): string {
  const [thread = "", comment = ""] = id.split("/");
  return path("pullrequests", pullRequest, "threads", thread, "comments", comment);
}

function withoutHeads(ref: string): string {
  return ref.replace(/^refs\/heads\//, "");
}

function readUser(json: JsonReader): ForgeUser {
  const name = json.at("uniqueName").textOr(json.at("displayName").textOr("unknown"));
  // Accounts of services, such as that of builds.
  return { id: json.at("id").text(), name, ...botIf(json.at("descriptor").textOr("").startsWith("svc.")) };
}

function readComment(thread: string, json: JsonReader): ForgeComment {
  const createdAt = Date.parse(json.at("publishedDate").text());
  return {
    id: `${thread}/${json.at("id").id()}`,
    author: readUser(json.at("author")),
    body: json.at("content").textOr(""),
    createdAt,
    // Other than `lastUpdatedDate`, this is of the words alone.
    isEdited: isChangedSince(createdAt, json.at("lastContentUpdatedDate").textOr(undefined)),
  };
}
