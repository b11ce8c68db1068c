// Bitbucket Data Center as https://developer.atlassian.com/server/bitbucket/rest/ describes it, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
  type FakeCheck,
  type FakeComment,
  type FakePermission,
  type FakePull,
  type FakeRequest,
  FakeServer,
  type FakeUser,
  TOKEN,
} from "./fake-server.ts";

const STATES = { open: "OPEN", closed: "DECLINED", merged: "MERGED" } as const;
const GRANTS: Readonly<Record<string, readonly FakePermission[]>> = {
  REPO_ADMIN: ["admin", "maintain"],
  REPO_WRITE: ["admin", "maintain", "write"],
  REPO_READ: ["admin", "maintain", "write", "read"],
};

export class FakeBitbucketDataCenter extends FakeServer {
  protected readonly root = "/rest";
  /** Comments with replies, which cannot be deleted. */
  readonly answered = new Set<number>();

  get cloneUrl(): string {
    return `${this.url}/scm/prj/shop.git`;
  }

  errorBody(_status: number, message: string): unknown {
    return { errors: [{ context: null, message, exceptionName: "com.atlassian.bitbucket.Exception" }] };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    return headers.authorization === `Bearer ${TOKEN}` ? this.me : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, json } = request;
    const [api, version, ...rest] = parts;
    if (api === "api" && rest[0] === "application-properties") {
      return {
        status: 200,
        body: { version: "9.4.0" },
        headers: { "x-ausername": this.me.name, "x-auserid": String(this.me.id) },
      };
    }
    if (api === "api" && rest[0] === "users") return this.#usersWith(request);
    const [projects, key, repos, slug, ...below] = rest;
    if (projects !== "projects" || key !== "PRJ" || repos !== "repos" || slug !== "shop") {
      return this.error(404, "Repository PRJ/shop does not exist.");
    }
    if (api === "comment-likes" && version === "latest" && method === "PUT") {
      this.reactions.push({ comment: Number(below[3]), content: below[5] ?? "" });
      return { status: 200, body: {} };
    }
    if (api === "insights") return this.#insights(request, below);
    const route = `${method} ${below.map((part) => (/^[0-9]+$/.test(part) && part.length < 40 ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (route) {
      case "GET pull-requests":
        return this.#page(
          request,
          this.#pulls(request).map((one) => this.#pull(one)),
        );
      case "POST pull-requests":
        return this.#createPull(request);
      case "GET pull-requests/*":
        return pull === undefined
          ? this.error(404, "The pull request does not exist.")
          : { status: 200, body: this.#pull(pull) };
      case "GET pull-requests/*/activities":
        return pull === undefined ? undefined : this.#page(request, activitiesOf(pull));
      case "POST pull-requests/*/comments":
        if (pull === undefined) return undefined;
        if (String(json["text"]).length > 32_768)
          return this.error(400, "Please enter a comment of at most 32768 characters");
        return { status: 201, body: commentOf(this.addComment(pull.number, request.user.name, String(json["text"]))) };
      case "PUT pull-requests/*/comments/*":
      case "DELETE pull-requests/*/comments/*":
        return this.#oneComment(request, below[3]);
    }
    if (method === "POST" && below[0] === "commits" && below[2] === "builds") {
      const { name, state, description, url } = json;
      if (typeof url !== "string" || url.length > 450) return this.error(400, "url is required");
      if (String(description).length > 255) return this.error(400, "description is too long");
      this.setStatus({
        sha: below[1] ?? "",
        context: String(name),
        state: String(state),
        description: String(description),
        url,
      });
      return { status: 204 };
    }
    return undefined;
  }

  #page(request: FakeRequest, all: readonly unknown[]): FakeAnswer {
    const limit = Math.min(Number(request.query.get("limit") ?? 25), this.pageSize);
    const start = Number(request.query.get("start") ?? 0);
    const isLastPage = start + limit >= all.length;
    const values = all.slice(start, start + limit);
    return {
      status: 200,
      body: { values, size: values.length, limit, start, isLastPage, nextPageStart: isLastPage ? null : start + limit },
    };
  }

  #usersWith(request: FakeRequest): FakeAnswer {
    const { query } = request;
    if (query.get("permission.1.projectKey") !== "PRJ" || query.get("permission.1.repositorySlug") !== "shop")
      return this.error(400, "unknown repository");
    const grants = GRANTS[query.get("permission.1") ?? ""] ?? [];
    const all = [...this.users.values()]
      .filter(({ name }) => name.includes(query.get("filter") ?? ""))
      .filter(({ name }) => grants.includes(this.permissions.get(name) ?? "none"));
    return this.#page(request, all.map(userOf));
  }

  #pulls({ query }: FakeRequest): readonly FakePull[] {
    const at = query.get("at");
    return [...this.pulls.values()]
      .filter((one) => STATES[one.state] === (query.get("state") ?? "OPEN"))
      .filter((one) => at === null || (!one.fork && `refs/heads/${one.branch}` === at));
  }

  #createPull({ json, user }: FakeRequest): FakeAnswer {
    const idOf = (name: string) => String((json[name] as { id: string }).id).replace("refs/heads/", "");
    const branch = idOf("fromRef");
    const open = [...this.pulls.values()].find((one) => one.branch === branch && one.state === "open" && !one.fork);
    if (open !== undefined)
      return this.error(409, "Only one pull request may be open for a given source and target branch");
    const pull = this.addPull({
      number: this.nextId(),
      title: String(json["title"]),
      branch,
      base: idOf("toRef"),
      author: user,
    });
    return { status: 201, body: this.#pull(pull) };
  }

  #pull(pull: FakePull): unknown {
    const links = (name: string) => ({
      clone: [
        { name: "ssh", href: "ssh://git@x/y" },
        { name: "http", href: `${this.url}/scm/${name}/shop.git` },
      ],
    });
    return {
      id: pull.number,
      version: 0,
      title: pull.title,
      state: STATES[pull.state],
      draft: pull.draft,
      author: { user: userOf(pull.author) },
      links: { self: [{ href: `${this.url}/projects/PRJ/repos/shop/pull-requests/${pull.number}` }] },
      fromRef: {
        id: `refs/heads/${pull.branch}`,
        displayId: pull.branch,
        latestCommit: pull.sha,
        repository: { id: pull.fork ? 2 : 1, slug: "shop", links: links(pull.fork ? "~eve" : "prj") },
      },
      toRef: {
        id: `refs/heads/${pull.base}`,
        displayId: pull.base,
        latestCommit: pull.baseSha,
        repository: { id: 1, slug: "shop" },
      },
    };
  }

  #oneComment({ method, json, query, user }: FakeRequest, id: string | undefined): FakeAnswer | undefined {
    const found = this.comment(id);
    if (found === undefined) return this.error(404, "The comment does not exist.");
    if (found.comment.author.id !== user.id) return this.error(403, "You are not permitted to change this comment");
    const version = method === "DELETE" ? Number(query.get("version")) : Number(json["version"]);
    if (version !== found.comment.version)
      return this.error(409, "You are attempting to modify a comment based on out-of-date information.");
    if (method === "DELETE") {
      if (this.answered.has(found.comment.id)) return this.error(409, "The comment has replies");
      this.removeComment(id);
      return { status: 204 };
    }
    this.editComment(id, String(json["text"]));
    return { status: 200, body: commentOf(found.comment) };
  }

  #insights(
    { method, json }: FakeRequest,
    [commits, sha = "", reports, key = "", annotations]: readonly string[],
  ): FakeAnswer | undefined {
    if (commits !== "commits" || reports !== "reports") return undefined;
    let check = this.checks.find((one) => one.sha === sha && one.name === key);
    if (annotations === undefined && method === "PUT") {
      if (String(json["details"]).length > 2000) return this.error(400, "details is too long");
      if (check === undefined) {
        check = {
          id: this.nextId(),
          sha,
          name: key,
          title: "",
          conclusion: undefined,
          annotations: [],
          externalId: "",
        } satisfies FakeCheck;
        this.checks.push(check);
      }
      check.title = String(json["title"]);
      check.conclusion = json["result"] as string | undefined;
      return { status: 200, body: { key } };
    }
    if (check === undefined || annotations !== "annotations") return this.error(404, "There is no such report");
    const known = check.annotations;
    if (method === "GET") {
      const all = known.map((one) => ({ externalId: one.message.split("|")[0], path: one.path }));
      return { status: 200, body: { totalCount: all.length, annotations: all } };
    }
    if (method === "DELETE") {
      known.splice(0);
      return { status: 204 };
    }
    for (const one of json["annotations"] as Record<string, unknown>[]) {
      known.push({
        path: String(one["path"]),
        line: Number(one["line"]),
        level: String(one["severity"]),
        message: `${one["externalId"]}|${one["message"]}`,
      });
    }
    return { status: 204 };
  }
}

function userOf({ id, name, bot }: FakeUser): object {
  return { id, name, slug: name, displayName: name, type: bot === true ? "SERVICE" : "NORMAL" };
}

function commentOf({ id, author, body, createdAt, version }: FakeComment): unknown {
  return { id, version, text: body, author: userOf(author), createdDate: Date.parse(createdAt), comments: [] };
}

/** Newest first, among what else happened. A comment that was changed stands in two of them. */
function activitiesOf(pull: FakePull): readonly unknown[] {
  const comments = pull.comments.flatMap((one) => {
    const added = { action: "COMMENTED", commentAction: "ADDED", comment: commentOf(one) };
    return one.version > 0 ? [added, { ...added, commentAction: "EDITED" }] : [added];
  });
  return [{ action: "OPENED" }, ...comments, { action: "APPROVED" }].toReversed();
}
