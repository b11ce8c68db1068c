// Bitbucket Data Center (and Server, from 7.4 on): https://developer.atlassian.com/server/bitbucket/rest/
import { statusOf } from "../check-as-status.ts";
import { cutText, oneLine } from "../cut-text.ts";
import {
  botIf,
  type Call,
  type Check,
  type CheckAnnotation,
  type CommitStatus,
  type ForgeComment,
  type ForgeLimits,
  type ForgeUser,
  isSameUser,
  type KeepComment,
  type NewPullRequest,
  type Permission,
  type PublishedCheck,
  type PullRequest,
  type Reaction,
} from "../forge.ts";
import { createOnce } from "../http/create-once.ts";
import { type ForgeAnswer, type ForgeHttp, path } from "../http/forge-http.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { type NextPage, readPages } from "../http/pages.ts";
import { RepositoryHttp } from "../http/repository-http.ts";
import { EXISTS, RestForge, type RestForgeOptions } from "../rest-forge.ts";
import { BITBUCKET_LIMITS, BUILD_STATES, publishable, SEVERITIES } from "./bitbucket-limits.ts";

const LIMITS: ForgeLimits = {
  ...BITBUCKET_LIMITS,
  check: { ...BITBUCKET_LIMITS.check, annotationsPerCall: 1000 },
  reactions: true,
};

const READ = "the permission to read the repository";
const REACTIONS: Readonly<Record<Reaction, string>> = { seen: "eyes", done: "thumbsup", refused: "confused" };
/** From the most to the least. */
const GRANTS = [
  ["REPO_ADMIN", "admin"],
  ["REPO_WRITE", "write"],
  ["REPO_READ", "read"],
] as const;

const nextByStart: NextPage = ({ json }, request) => {
  const start = json.at("nextPageStart").numberOr(undefined);
  if (json.at("isLastPage").value !== false || start === undefined) return undefined;
  return { ...request, query: { ...request.query, start } };
};

const PAGES = {
  size: { limit: 100 },
  next: nextByStart,
  entries: ({ json }: ForgeAnswer) => json.at("values").items(),
};

export class BitbucketDataCenterForge extends RestForge {
  readonly limits: ForgeLimits = LIMITS;
  /** `/projects/KEY/repos/slug`, below each of its APIs. */
  readonly #place: string;

  constructor(options: Omit<RestForgeOptions, "rest"> & { readonly http: ForgeHttp }) {
    const [key = "", slug = ""] = options.address.path;
    const place = path("projects", key, "repos", slug);
    super({ ...options, rest: new RepositoryHttp(options.http, `/api/1.0${place}`, PAGES) });
    this.#place = place;
  }

  /** It has no request for this, and says it in the headers of every answer. */
  protected async askUser(call: Call): Promise<ForgeUser> {
    const request = {
      method: "GET",
      path: "/api/1.0/application-properties",
      what: "ask whose credentials these are",
      needs: READ,
    } as const;
    const answer = await this.rest.http.send(request, call);
    const [name, id] = [answer.headers["x-ausername"], answer.headers["x-auserid"]];
    if (typeof name !== "string" || name === "")
      throw answer.bad("it does not say whose token this is: name the account (user)");
    return { name: decodeURIComponent(name), ...(typeof id === "string" ? { id } : {}) };
  }

  /** What counts in the end: a person's own rights, and those of groups and the project. */
  async permissionOf(user: ForgeUser, call: Call): Promise<Permission> {
    const [key = "", slug = ""] = this.address.path;
    for (const [grant, permission] of GRANTS) {
      const query = {
        filter: user.name,
        "permission.1": grant,
        "permission.1.projectKey": key,
        "permission.1.repositorySlug": slug,
        ...PAGES.size,
      };
      const request = {
        method: "GET",
        path: "/api/1.0/users",
        query,
        what: `look for ${user.name}`,
        needs: READ,
      } as const;
      const read = (json: JsonReader) => (isSameUser(readUser(json), user) ? true : undefined);
      const found = await readPages(this.rest.http, request, { ...PAGES, read, enough: () => true }, call);
      if (found.length > 0) return permission;
    }
    return "none";
  }

  async pullRequest(number: number, call: Call): Promise<PullRequest> {
    const request = { what: `read pull request ${number}`, needs: READ };
    return this.readPullRequest(await this.rest.send("GET", path("pull-requests", number), request, call));
  }

  openPullRequests(call: Call): Promise<readonly PullRequest[]> {
    return this.#open({}, call);
  }

  override async findPullRequest(headBranch: string, call: Call): Promise<PullRequest | undefined> {
    const found = await this.#open({ direction: "OUTGOING", at: `refs/heads/${headBranch}` }, call);
    return found.find(({ head, isFork }) => !isFork && head.branch === headBranch);
  }

  protected postPullRequest(
    { title, body, head, base, draft = false }: NewPullRequest,
    call: Call,
  ): Promise<ForgeAnswer> {
    const [key = "", slug = ""] = this.address.path;
    const repository = { slug, project: { key } };
    const request = {
      what: `open a pull request of ${head}`,
      needs: READ,
      body: {
        title,
        description: body,
        fromRef: { id: `refs/heads/${head}`, repository },
        toRef: { id: `refs/heads/${base}`, repository },
        ...(draft ? { draft } : {}),
      },
      accept: EXISTS,
    };
    return this.rest.send("POST", path("pull-requests"), request, call);
  }

  protected readPullRequest({ json }: ForgeAnswer): Promise<PullRequest> {
    return Promise.resolve(readPull(json));
  }

  /** From the activities: comments have no list of their own. Each stands in several of them, with its replies. */
  async comments(pullRequest: number, call: Call, keep: KeepComment = () => true): Promise<readonly ForgeComment[]> {
    const request = { what: `list the comments of pull request ${pullRequest}`, needs: READ };
    const byId = new Map<string, ForgeComment>();
    const collect = (json: JsonReader, depth: number): void => {
      const comment = readComment(json);
      if (keep(comment)) byId.set(comment.id, comment);
      if (depth < 50) for (const reply of json.at("comments").items()) collect(reply, depth + 1);
    };
    await this.rest.list(path("pull-requests", pullRequest, "activities"), request, call, (activity) => {
      const isDeleted = activity.at("commentAction").textOr("") === "DELETED";
      if (activity.at("action").textOr("") === "COMMENTED" && !isDeleted) collect(activity.at("comment"), 0);
      return undefined;
    });
    return [...byId.values()].toSorted((a, b) => a.createdAt - b.createdAt || Number(a.id) - Number(b.id));
  }

  protected async postComment(pullRequest: number, body: string, call: Call): Promise<ForgeComment> {
    const request = { what: `comment on pull request ${pullRequest}`, needs: READ, body: { text: body } };
    return readComment(
      (await this.rest.send("POST", path("pull-requests", pullRequest, "comments"), request, call)).json,
    );
  }

  async updateComment(pullRequest: number, comment: ForgeComment, body: string, call: Call): Promise<ForgeComment> {
    const content = { text: body, version: Number(comment.revision ?? 0) };
    const request = { what: `change our comment on pull request ${pullRequest}`, needs: READ, body: content };
    const where = path("pull-requests", pullRequest, "comments", comment.id);
    return readComment((await this.rest.send("PUT", where, request, call)).json);
  }

  async deleteComment(pullRequest: number, comment: ForgeComment, call: Call): Promise<void> {
    const request = {
      what: `delete our comment on pull request ${pullRequest}`,
      needs: READ,
      query: { version: comment.revision ?? "0" },
      accept: [404],
    };
    await this.rest.send("DELETE", path("pull-requests", pullRequest, "comments", comment.id), request, call);
  }

  /** Versions that know no such sign answer 400 or 404: then there is none. */
  override async react(pullRequest: number, commentId: string, reaction: Reaction, call: Call): Promise<void> {
    const below = path("pull-requests", pullRequest, "comments", commentId, "reactions", REACTIONS[reaction]);
    const what = `react to a comment on pull request ${pullRequest}`;
    const request = {
      method: "PUT",
      path: `/comment-likes/latest${this.#place}${below}`,
      what,
      needs: READ,
      accept: [400, 404],
    } as const;
    await this.rest.http.send(request, call);
  }

  async setStatus(sha: string, status: CommitStatus, call: Call): Promise<void> {
    const request = {
      what: `set the status of commit ${sha.slice(0, 7)}`,
      needs: READ,
      body: {
        key: cutText(status.context, 255),
        name: cutText(status.context, 255),
        state: BUILD_STATES[status.state],
        description: this.describe(status),
        // It has to lead somewhere, and 450 characters is all it may have.
        url: (status.url ?? status.pullRequest?.url ?? `${this.url}/commits/${sha}`).slice(0, 450),
      },
      // Of the same key there is one.
      repeatable: true,
    };
    await this.rest.send("POST", path("commits", sha, "builds"), request, call);
  }

  /** A report with annotations, and a status: that shows in lists. */
  override async publishCheck(sha: string, check: Check, call: Call): Promise<PublishedCheck> {
    const { name, title, summary, url, pullRequest, conclusion } = check;
    const report = `/insights/1.0${this.#place}${path("commits", sha, "reports", cutText(name, 255))}`;
    const wanted = publishable(check.annotations);
    const body = {
      title: cutText(oneLine(name), 450),
      details: cutText(summary === "" ? title : summary, this.limits.check.summary),
      reporter: "Flaghoist",
      ...(conclusion === "pending" ? {} : { result: conclusion === "failure" ? "FAIL" : "PASS" }),
      ...(url === undefined ? {} : { link: url }),
    };
    const what = `publish a report on commit ${sha.slice(0, 7)}`;
    await this.rest.http.send({ method: "PUT", path: report, body, what, needs: READ }, call);
    await this.#annotate(`${report}/annotations`, wanted, call);
    const description = title === "" ? summary : title;
    await this.setStatus(sha, { context: name, state: statusOf(conclusion), description, url, pullRequest }, call);
    return { as: "report", annotations: wanted.size };
  }

  /** All at once; those of an earlier report go before, unless they say the same. */
  async #annotate(where: string, wanted: ReadonlyMap<string, CheckAnnotation>, call: Call): Promise<void> {
    const about = { path: where, what: "annotate a report", needs: READ };
    const known = async () => {
      const { json } = await this.rest.http.send({ method: "GET", ...about }, call);
      return new Set(
        json
          .at("annotations")
          .items()
          .map((one) => one.at("externalId").textOr("")),
      );
    };
    const isThere = (ids: ReadonlySet<string>) =>
      ids.size === wanted.size && [...wanted.keys()].every((id) => ids.has(id));
    const ids = await known();
    if (isThere(ids)) return;
    if (ids.size > 0) await this.rest.http.send({ method: "DELETE", ...about }, call);
    if (wanted.size === 0) return;
    const annotations = [...wanted].map(([id, annotation]) => annotationOf(id, annotation));
    await createOnce(
      async () => {
        await this.rest.http.send({ method: "POST", ...about, body: { annotations } }, call);
        return true;
      },
      async () => (isThere(await known()) ? true : undefined),
    );
  }

  async #open(query: Readonly<Record<string, string>>, call: Call): Promise<readonly PullRequest[]> {
    const request = { what: "list the pull requests", needs: READ, query: { ...query, state: "OPEN" } };
    return this.rest.list(path("pull-requests"), request, call, readPull);
  }
}

function readPull(json: JsonReader): PullRequest {
  const number = json.at("id").number();
  const from = json.at("fromRef");
  const to = json.at("toRef");
  const state = json.at("state").text();
  const links = from.at("repository", "links", "clone").items();
  const clone = links.find((link) => /^http/.test(link.at("name").textOr("")));
  return {
    number,
    title: json.at("title").textOr(""),
    url: json.at("links", "self").items()[0]?.at("href").textOr("") ?? "",
    author: readUser(json.at("author", "user")),
    state: state === "OPEN" ? "open" : state === "MERGED" ? "merged" : "closed",
    draft: json.at("draft").isTrue(),
    labels: [],
    head: {
      sha: from.at("latestCommit").text(),
      branch: from.at("displayId").text(),
      cloneUrl: clone?.at("href").textOr(undefined),
      ref: `refs/pull-requests/${number}/from`,
    },
    base: { sha: to.at("latestCommit").textOr(undefined), branch: to.at("displayId").text() },
    isFork: from.at("repository", "id").id() !== to.at("repository", "id").id(),
  };
}

function annotationOf(id: string, { path: file, startLine, level, title, message }: CheckAnnotation): object {
  const text = title === undefined ? message : `${oneLine(title)}: ${message}`;
  return {
    externalId: id,
    path: file,
    line: startLine,
    severity: SEVERITIES[level],
    message: cutText(text, LIMITS.check.annotationMessage),
  };
}

function readUser(json: JsonReader): ForgeUser {
  return { id: json.at("id").id(), name: json.at("name").text(), ...botIf(json.at("type").textOr("") === "SERVICE") };
}

function readComment(json: JsonReader): ForgeComment {
  return {
    id: json.at("id").id(),
    author: readUser(json.at("author")),
    body: json.at("text").textOr(""),
    revision: json.at("version").id(),
    createdAt: json.at("createdDate").number(),
    // Every change makes another version; resolving it as well.
    isEdited: json.at("version").number() > 0,
  };
}
