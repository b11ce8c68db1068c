// GitLab, also self-managed: https://docs.gitlab.com/api/rest/
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
  type StatusState,
} from "../forge.ts";
import { createOnce } from "../http/create-once.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { headerPages, RepositoryHttp } from "../http/repository-http.ts";
import { keeping } from "../keeping.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";

const LIMITS: ForgeLimits = {
  comment: { size: 1_000_000, unit: "characters" },
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
    quickActions: true,
  },
  issues: true,
  reactions: true,
};

const REACTIONS: Readonly<Record<Reaction, string>> = { seen: "eyes", done: "thumbsup", refused: "confused" };
/** A job that was announced is a job that runs: GitLab does not let a pending one be done. */
const STATES: Readonly<Record<StatusState, string>> = {
  pending: "running",
  success: "success",
  failure: "failed",
  error: "failed",
};

const READ = "the scope read_api and the role Reporter";
const WRITE = "the scope api and the role Developer";

export class GitLabForge extends RestForge {
  readonly limits: ForgeLimits = LIMITS;
  readonly #isJob: boolean;

  /** `isJob`: the credentials are those of a job, whose user is asked for in another way. */
  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp; readonly isJob: boolean }) {
    const project = path("projects", options.address.path.join("/"));
    super({ ...options, rest: new RepositoryHttp(options.http, project, headerPages("per_page", 100)) });
    this.#isJob = options.isJob;
  }

  protected async askUser(call: Call): Promise<ForgeUser> {
    const request = {
      method: "GET",
      path: this.#isJob ? "/job" : "/user",
      what: "ask whose credentials these are",
      needs: READ,
    } as const;
    const { json } = await this.rest.http.send(request, call);
    return readUser(this.#isJob ? json.at("user") : json);
  }

  /** `none` for guests, who may not read the code of a private project. */
  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    const id = user.id ?? (await this.#idOf(user.name, call));
    if (id === undefined) return "none";
    const request = { what: `ask for the role of ${user.name}`, needs: READ, accept: [404] };
    const { status, json } = await this.rest.send("GET", path("members", "all", id), request, call);
    if (status === 404 || json.at("state").textOr("active") !== "active") return "none";
    const level = json.at("access_level").number();
    if (level >= 50) return "admin";
    if (level >= 40) return "maintain";
    if (level >= 30) return "write";
    return level >= 20 ? "read" : "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read merge request ${number}`, needs: READ };
    return this.readPullRequest(await this.rest.send("GET", path("merge_requests", number), request, call));
  }

  openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    return this.#open({}, call);
  }

  override async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const found = await this.#open({ source_branch: headBranch }, call);
    return found.find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  protected postPullRequest(
    { title, body, head, base, draft = false }: NewPullRequest,
    call: Call,
  ): Promise<ForgeAnswer> {
    const request = {
      what: `open a merge request of ${head}`,
      needs: WRITE,
      body: { title: draft ? `Draft: ${title}` : title, description: body, source_branch: head, target_branch: base },
      accept: EXISTS,
    };
    return this.rest.send("POST", path("merge_requests"), request, call);
  }

  protected readPullRequest({ json }: ForgeAnswer): Promise<PullRequest> {
    return Promise.resolve(this.#readMerge(json));
  }

  async comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]> {
    const query = { sort: "asc", order_by: "created_at" };
    const request = { what: `list the comments of merge request ${pullRequest}`, needs: READ, query };
    const read = keeping(readNote, keep);
    return this.rest.list(path("merge_requests", pullRequest, "notes"), request, call, (json) =>
      json.at("system").isTrue() ? undefined : read(json),
    );
  }

  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `comment on merge request ${pullRequest}`, needs: WRITE, body: { body } };
    return readNote((await this.rest.send("POST", path("merge_requests", pullRequest, "notes"), request, call)).json);
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `change our comment on merge request ${pullRequest}`, needs: WRITE, body: { body } };
    const where = path("merge_requests", pullRequest, "notes", comment.id);
    return readNote((await this.rest.send("PUT", where, request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = { what: `delete our comment on merge request ${pullRequest}`, needs: WRITE, accept: [404] };
    await this.rest.send("DELETE", path("merge_requests", pullRequest, "notes", comment.id), request, call);
  }

  override async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    const request = {
      what: `react to a comment on merge request ${pullRequest}`,
      needs: WRITE,
      body: { name: REACTIONS[reaction] },
      repeatable: true,
      // Also what GitLab says of a sign that is there already.
      accept: [404],
    };
    const where = path("merge_requests", pullRequest, "notes", commentId, "award_emoji");
    await this.rest.send("POST", where, request, call);
  }

  /**
   * Sets the status of the job of this name in the newest pipeline of the commit, or in one that GitLab makes for it.
   * A status that is there already is not sent: GitLab refuses to start what runs, and lists what ends twice as two.
   */
  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const wanted = { state: STATES[status.state], description: this.describe(status), url: status.url };
    const isSet = async () => ((await this.#isLatest(sha, status.context, wanted, call)) ? true : undefined);
    if ((await isSet()) === true) return;
    await createOnce(() => this.#postStatus(sha, status, wanted, call), isSet);
  }

  async #postStatus(sha: string, { context, pullRequest }: CommitStatus, wanted: Job, call: Call): Promise<true> {
    const { state, description, url } = wanted;
    const request = (ref: string | undefined, accept: readonly number[]) => ({
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: WRITE,
      body: {
        state,
        name: context,
        description,
        ...(url === undefined ? {} : { target_url: url.slice(0, 255) }),
        ...(ref === undefined ? {} : { ref }),
      },
      accept,
    });
    const answer = await this.rest.send("POST", path("statuses", sha), request(undefined, [400, 404]), call);
    if (answer.status < 300) return true;
    const ref = pullRequest?.head.ref;
    if (answer.status === 404 && ref !== undefined) {
      // No branch here has the commit: it is a fork's. The merge request's own ref has it.
      const again = await this.rest.send("POST", path("statuses", sha), request(ref, [400]), call);
      if (again.status < 300 || isRunning(again, state)) return true;
      throw again.refused();
    }
    if (isRunning(answer, state)) return true;
    throw answer.refused();
  }

  async #isLatest(sha: string, name: string, wanted: Job, call: Call): Promise<boolean> {
    const request = {
      what: `read the statuses of commit ${sha.slice(0, 7)}`,
      needs: READ,
      query: { name },
      accept: [404],
    };
    const { json, status } = await this.rest.send("GET", path("repository", "commits", sha, "statuses"), request, call);
    if (status === 404) return false;
    const latest = json
      .items()
      .filter((one) => one.at("name").textOr("") === name)
      .toSorted((a, b) => b.at("id").number() - a.at("id").number())[0];
    return (
      latest !== undefined &&
      latest.at("status").textOr("") === wanted.state &&
      latest.at("description").textOr("") === wanted.description &&
      latest.at("target_url").textOr(undefined) === wanted.url
    );
  }

  protected override async listIssues(author: ForgeUser, call: Call): Promise<readonly ForgeIssue[]> {
    const who = author.id === undefined ? { author_username: author.name } : { author_id: author.id };
    const query = { ...who, scope: "all", state: "all", order_by: "created_at", sort: "asc" };
    const request = { what: "look for our issue", needs: READ, query };
    return this.rest.list(path("issues"), request, call, readIssue);
  }

  protected override async postIssue({ title, body }: NewIssue, call: Call): Promise<ForgeIssue> {
    const request = { what: "open an issue", needs: WRITE, body: { title, description: body } };
    return readIssue((await this.rest.send("POST", path("issues"), request, call)).json);
  }

  override async updateIssue(number: number, { title, body, state }: IssueChange, call: Call): Promise<ForgeIssue> {
    const change = {
      ...(title === undefined ? {} : { title }),
      ...(body === undefined ? {} : { description: body }),
      ...(state === undefined ? {} : { state_event: state === "open" ? "reopen" : "close" }),
    };
    const request = { what: `change issue ${number}`, needs: WRITE, body: change };
    return readIssue((await this.rest.send("PUT", path("issues", number), request, call)).json);
  }

  async #open(query: Readonly<Record<string, string>>, call: Call): Promise<readonly PullRequest[]> {
    const request = {
      what: "list the merge requests",
      needs: READ,
      query: { ...query, state: "opened", scope: "all" },
    };
    return this.rest.list(path("merge_requests"), request, call, (json) => this.#readMerge(json));
  }

  async #idOf(username: string, call: Call): Promise<string | undefined> {
    const request = {
      method: "GET",
      path: "/users",
      query: { username },
      what: `look for the user ${username}`,
      needs: READ,
    } as const;
    const { json } = await this.rest.http.send(request, call);
    return json.items()[0]?.at("id").id();
  }

  #readMerge(json: JsonReader): PullRequest {
    const number = json.at("iid").number();
    const isFork = json.at("source_project_id").value !== json.at("target_project_id").value;
    const state = json.at("state").text();
    return {
      number,
      title: json.at("title").textOr(""),
      url: json.at("web_url").textOr(""),
      author: readUser(json.at("author")),
      // Locked: it is being merged.
      state: state === "opened" || state === "locked" ? "open" : state === "merged" ? "merged" : "closed",
      draft: json.at("draft").isTrue() || json.at("work_in_progress").isTrue(),
      labels: json
        .at("labels")
        .items()
        .map((label) => label.text()),
      head: {
        sha: json.at("sha").text(),
        branch: json.at("source_branch").text(),
        cloneUrl: isFork ? undefined : `${this.url}.git`,
        ref: `refs/merge-requests/${number}/head`,
      },
      base: { sha: json.at("diff_refs", "base_sha").textOr(undefined), branch: json.at("target_branch").text() },
      isFork,
    };
  }
}

interface Job {
  readonly state: string;
  readonly description: string;
  readonly url: string | undefined;
}

/** Another instance set the same state meanwhile: "Cannot transition status via :run from :running". */
function isRunning(answer: ForgeAnswer, state: string): boolean {
  return answer.status === 400 && state === "running" && /from :running/.test(JSON.stringify(answer.json.value));
}

function readUser(json: JsonReader): ForgeUser {
  const name = json.at("username").text();
  // Users that belong to an access token of a project or group; nothing else of a note's author says so.
  return { id: json.at("id").id(), name, ...botIf(/^(?:project|group)_\d+_bot(?:_|$)/.test(name)) };
}

function readNote(json: JsonReader): ForgeComment {
  const createdAt = Date.parse(json.at("created_at").text());
  return {
    id: json.at("id").id(),
    author: readUser(json.at("author")),
    body: json.at("body").textOr(""),
    createdAt,
    isEdited: isChangedSince(createdAt, json.at("updated_at").textOr(undefined)),
  };
}

function readIssue(json: JsonReader): ForgeIssue {
  return {
    number: json.at("iid").number(),
    title: json.at("title").textOr(""),
    body: json.at("description").textOr(""),
    state: json.at("state").text() === "opened" ? "open" : "closed",
    author: readUser(json.at("author")),
    url: json.at("web_url").textOr(""),
  };
}
