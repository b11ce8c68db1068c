// Bitbucket Cloud: https://developer.atlassian.com/cloud/bitbucket/rest/
import { mapLimit } from "../../../runtime/parallel.ts";
import { statusOf } from "../check-as-status.ts";
import { cutText, oneLine } from "../cut-text.ts";
import { isChangedSince } from "../edited.ts";
import {
  botIf,
  type Call,
  type Check,
  type CheckAnnotation,
  type CommitStatus,
  type ForgeComment,
  type ForgeLimits,
  type ForgeUser,
  type KeepComment,
  type NewPullRequest,
  type Permission,
  type PublishedCheck,
  type PullRequest,
} from "../forge.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import type { NextPage } from "../http/pages.ts";
import { RepositoryHttp } from "../http/repository-http.ts";
import { keeping } from "../keeping.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";
import { BITBUCKET_LIMITS, BUILD_STATES, keyOf, publishable, SEVERITIES } from "./bitbucket-limits.ts";

const READ = "the scope pullrequest (read:pullrequest:bitbucket)";
const WRITE = "the scope pullrequest:write (write:pullrequest:bitbucket)";
const REPOSITORY = "the scope repository:write (write:repository:bitbucket)";
/** Most full names of commits that are remembered. */
const MOST_NAMES = 2000;

const nextByBody: NextPage = ({ json, url }, request) => {
  const link = json.at("next").textOr(undefined);
  const next = link === undefined ? null : URL.parse(link, url);
  if (next === null) return undefined;
  return { ...request, path: `${url.origin}${url.pathname}${next.search}`, query: {} };
};

const PAGES = {
  size: { pagelen: 50 },
  next: nextByBody,
  entries: ({ json }: ForgeAnswer) => json.at("values").items(),
};

export class BitbucketCloudForge extends RestForge {
  readonly limits: ForgeLimits = BITBUCKET_LIMITS;
  /** Full names of commits by the short ones that pull requests tell. */
  readonly #names = new Map<string, string>();

  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp }) {
    super({ ...options, rest: new RepositoryHttp(options.http, path("repositories", ...options.address.path), PAGES) });
  }

  protected async askUser(call: Call): Promise<ForgeUser> {
    const needs = "the scope account (read:user:bitbucket), or the account to be named in the settings (user)";
    const request = { method: "GET", path: "/user", what: "ask whose credentials these are", needs } as const;
    return readUser((await this.rest.http.send(request, call)).json);
  }

  /** What counts in the end: a person's own rights, and those of groups and the project. */
  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    // Nicknames are not unique, so a name alone says nothing.
    if (user.id === undefined) return "none";
    const [workspace = "", slug = ""] = this.address.path;
    const { json } = await this.rest.http.send(
      {
        method: "GET",
        path: path("workspaces", workspace, "permissions", "repositories", slug),
        query: { q: `user.uuid="${user.id.replace(/["\\]/g, "")}"` },
        what: `ask for the permission of ${user.name}`,
        needs: "the scope repository:admin (admin:repository:bitbucket), to ask for others",
      },
      call,
    );
    const found = json
      .at("values")
      .items()
      .find((one) => one.at("user", "uuid").textOr("") === user.id);
    const granted = found?.at("permission").textOr("");
    return granted === "admin" || granted === "write" || granted === "read" ? granted : "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read pull request ${number}`, needs: READ };
    return this.readPullRequest(await this.rest.send("GET", path("pullrequests", number), request, call), call);
  }

  async openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    const request = { what: "list the pull requests", needs: READ, query: { state: "OPEN" } };
    const all = await this.rest.list(path("pullrequests"), request, call, (json) => json);
    return mapLimit(all, 4, (json) => this.#readPull(json, call));
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
        description: body,
        source: { branch: { name: head } },
        destination: { branch: { name: base } },
        draft,
      },
      accept: EXISTS,
    };
    return this.rest.send("POST", path("pullrequests"), request, call);
  }

  protected readPullRequest({ json }: ForgeAnswer, call: Call): Promise<PullRequest> {
    return this.#readPull(json, call);
  }

  async comments(pullRequest: number, call: Call, keep?: KeepComment): Promise<readonly ForgeComment[]> {
    const query = { sort: "created_on" };
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: READ, query };
    const read = keeping(readComment, keep);
    return this.rest.list(path("pullrequests", pullRequest, "comments"), request, call, (json) =>
      json.at("deleted").isTrue() ? undefined : read(json),
    );
  }

  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const content = { content: { raw: body } };
    const request = { what: `comment on pull request ${pullRequest}`, needs: WRITE, body: content };
    return readComment(
      (await this.rest.send("POST", path("pullrequests", pullRequest, "comments"), request, call)).json,
    );
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const content = { content: { raw: body } };
    const request = { what: `change our comment on pull request ${pullRequest}`, needs: WRITE, body: content };
    const where = path("pullrequests", pullRequest, "comments", comment.id);
    return readComment((await this.rest.send("PUT", where, request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = { what: `delete our comment on pull request ${pullRequest}`, needs: WRITE, accept: [404, 410] };
    await this.rest.send("DELETE", path("pullrequests", pullRequest, "comments", comment.id), request, call);
  }

  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const request = {
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: REPOSITORY,
      body: {
        key: keyOf(status.context),
        name: cutText(status.context, 255),
        state: BUILD_STATES[status.state],
        description: this.describe(status),
        // It has to lead somewhere.
        url: status.url ?? status.pullRequest?.url ?? `${this.url}/commits/${sha}`,
      },
      // Of the same key there is one.
      repeatable: true,
    };
    await this.rest.send("POST", path("commit", sha, "statuses", "build"), request, call);
  }

  /** A report with annotations, and a status: merges are held by statuses alone. */
  override async publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck> {
    const { name, title, summary, url, pullRequest } = check;
    const report = path("commit", sha, "reports", keyOf(name));
    const wanted = publishable(check.annotations);
    const result = check.conclusion === "pending" ? "PENDING" : check.conclusion === "failure" ? "FAILED" : "PASSED";
    const request = {
      what: `publish a report on commit ${sha.slice(0, 7)}`,
      needs: REPOSITORY,
      body: {
        title: cutText(oneLine(name), 450),
        details: cutText(summary === "" ? title : summary, this.limits.check.summary),
        report_type: "BUG",
        reporter: "Flaghoist",
        result,
        ...(url === undefined ? {} : { link: url }),
      },
    };
    await this.rest.send("PUT", report, request, call);
    await this.#annotate(report, wanted, call);
    const state = statusOf(check.conclusion);
    await this.setStatus(
      sha,
      { context: name, state, description: title === "" ? summary : title, url, pullRequest },
      call,
    );
    return { as: "report", annotations: wanted.size };
  }

  /** Adds what is missing by hundreds, and takes away what an earlier report said. */
  async #annotate(report: string, wanted: ReadonlyMap<string, CheckAnnotation>, call: Call): Promise<void> {
    const request = { what: "annotate a report", needs: REPOSITORY };
    const read = (json: JsonReader) => json.at("external_id").textOr(undefined);
    const ids = new Set(await this.rest.list(`${report}/annotations`, request, call, read));
    const missing = [...wanted].filter(([id]) => !ids.has(id));
    for (let start = 0; start < missing.length; start += this.limits.check.annotationsPerCall) {
      const some = missing.slice(start, start + this.limits.check.annotationsPerCall);
      const body = some.map(([id, annotation]) => annotationOf(id, annotation));
      // Of the same id there is one.
      await this.rest.send("POST", `${report}/annotations`, { ...request, body, repeatable: true }, call);
    }
    for (const id of ids) {
      if (wanted.has(id)) continue;
      await this.rest.send("DELETE", `${report}/annotations${path(id)}`, { ...request, accept: [404] }, call);
    }
  }

  async #readPull(json: JsonReader, call: Call): Promise<PullRequest> {
    const number = json.at("id").number();
    const source = json.at("source");
    const fork = source.at("repository", "full_name").textOr(undefined);
    const isFork = fork?.toLowerCase() !== this.repository.toLowerCase();
    const state = json.at("state").text();
    return {
      number,
      title: json.at("title").textOr(""),
      url: json.at("links", "html", "href").textOr(`${this.url}/pull-requests/${number}`),
      author: json.at("author").exists ? readUser(json.at("author")) : { name: "former user" },
      state: state === "OPEN" ? "open" : state === "MERGED" ? "merged" : "closed",
      draft: json.at("draft").isTrue(),
      labels: [],
      head: {
        sha: await this.#fullName(source.at("commit", "hash").text(), fork ?? this.repository, call),
        branch: source.at("branch", "name").text(),
        cloneUrl: fork === undefined ? undefined : `${new URL(this.url).origin}/${fork}.git`,
      },
      base: {
        sha: await this.#fullName(json.at("destination", "commit", "hash").text(), this.repository, call),
        branch: json.at("destination", "branch", "name").text(),
      },
      isFork,
    };
  }

  /** Pull requests tell the first twelve digits. Those of a repository that is hidden stay as they are. */
  async #fullName(short: string, repository: string, call: Call): Promise<string> {
    if (short.length >= 40) return short;
    const known = this.#names.get(`${repository}@${short}`);
    if (known !== undefined) return known;
    const where = `${path("repositories", ...repository.split("/"))}${path("commit", short)}`;
    const request = {
      method: "GET",
      path: where,
      what: `read the commit ${short}`,
      needs: READ,
      accept: [403, 404],
    } as const;
    const { status, json } = await this.rest.http.send(request, call);
    if (status !== 200) return short;
    const full = json.at("hash").text();
    if (this.#names.size >= MOST_NAMES) this.#names.clear();
    this.#names.set(`${repository}@${short}`, full);
    return full;
  }
}

function annotationOf(id: string, { path: file, startLine, level, title, message }: CheckAnnotation): object {
  return {
    external_id: id,
    annotation_type: level === "failure" ? "BUG" : "CODE_SMELL",
    path: file,
    line: startLine,
    severity: SEVERITIES[level],
    summary: cutText(oneLine(title ?? message), 450),
    details: cutText(message, BITBUCKET_LIMITS.check.annotationMessage),
  };
}

function readUser(json: JsonReader): ForgeUser {
  const name = json.at("nickname").textOr(json.at("display_name").textOr("unknown"));
  return { id: json.at("uuid").text(), name, ...botIf(json.at("type").textOr("") === "app_user") };
}

function readComment(json: JsonReader): ForgeComment {
  const createdAt = Date.parse(json.at("created_on").text());
  return {
    id: json.at("id").id(),
    author: json.at("user").exists ? readUser(json.at("user")) : { name: "former user" },
    body: json.at("content", "raw").textOr(""),
    url: json.at("links", "html", "href").textOr(undefined),
    createdAt,
    isEdited: isChangedSince(createdAt, json.at("updated_on").textOr(undefined)),
  };
}
