// GitLab as https://docs.gitlab.com/api/rest/ describes it, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
  type FakeComment,
  type FakeIssue,
  type FakePermission,
  type FakePull,
  type FakeRequest,
  FakeServer,
  type FakeUser,
  pageOf,
  pageUrl,
  TOKEN,
} from "./fake-server.ts";

const LEVELS: Readonly<Record<FakePermission, number>> = { none: 0, read: 20, write: 30, maintain: 40, admin: 50 };

export class FakeGitLab extends FakeServer {
  protected readonly root = "/api/v4";
  /** Whether pages are told by `Link`, or by `x-next-page` alone. */
  linkHeader = true;
  /** Every job that statuses made, as GitLab keeps them. */
  readonly jobs: {
    readonly id: number;
    readonly sha: string;
    readonly name: string;
    status: string;
    description: string;
    url: string | null;
    readonly ref: string;
  }[] = [];
  /** Commits that no branch of the project has. */
  readonly foreign = new Set<string>();

  get cloneUrl(): string {
    return `${this.url}/group/sub/shop.git`;
  }

  errorBody(status: number, message: string): unknown {
    return { message: status === 401 ? "401 Unauthorized" : message };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    return headers["private-token"] === TOKEN ||
      headers["job-token"] === TOKEN ||
      headers.authorization === `Bearer ${TOKEN}`
      ? this.me
      : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, json } = request;
    if (parts[0] === "user")
      return request.headers["job-token"] === undefined ? { status: 200, body: userOf(this.me) } : this.error(401, "");
    if (parts[0] === "job" && request.headers["job-token"] !== undefined)
      return { status: 200, body: { id: 1, user: userOf(this.me) } };
    if (parts[0] === "users") {
      const user = this.users.get(request.query.get("username") ?? "");
      return { status: 200, body: user === undefined ? [] : [userOf(user)] };
    }
    const [projects, project, ...below] = parts;
    if (projects !== "projects" || project !== "group/sub/shop") return this.error(404, "404 Project Not Found");
    const key = `${method} ${below.map((part) => (/^[0-9]+$/.test(part) ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (key) {
      case "GET merge_requests":
        return this.#page(
          request,
          this.#merges(request).map((one) => this.#merge(one, false)),
        );
      case "POST merge_requests":
        return this.#createMerge(request);
      case "GET merge_requests/*":
        return pull === undefined ? undefined : { status: 200, body: this.#merge(pull, true) };
      case "GET merge_requests/*/notes": {
        if (pull === undefined) return undefined;
        const notes = request.query.get("sort") === "asc" ? pull.comments : pull.comments.toReversed();
        return this.#page(request, notes.map(noteOf));
      }
      case "POST merge_requests/*/notes":
        if (pull === undefined) return undefined;
        if (String(json["body"]).length > 1_000_000)
          return { status: 400, body: { message: { note: ["is too long (maximum is 1000000 characters)"] } } };
        return { status: 201, body: noteOf(this.addComment(pull.number, request.user.name, String(json["body"]))) };
      case "GET issues":
        return this.#page(
          request,
          this.#issues(request).map((one) => this.#issue(one)),
        );
      case "POST issues":
        return {
          status: 201,
          body: this.#issue(this.addIssue(request.user.name, String(json["title"]), String(json["description"]))),
        };
      case "PUT issues/*":
        return this.#changeIssue(json, below[1]);
    }
    if (below[0] === "merge_requests" && below[2] === "notes") return this.#oneNote(request, below);
    if (below[0] === "statuses" && method === "POST") return this.#status(json, below[1] ?? "");
    if (below[0] === "repository" && below[3] === "statuses") {
      const found = this.jobs.filter((one) => one.sha === below[2] && one.name === request.query.get("name"));
      return {
        status: 200,
        body: found.map((one) => ({
          id: one.id,
          name: one.name,
          status: one.status,
          description: one.description,
          target_url: one.url,
        })),
      };
    }
    if (below[0] === "members" && below[1] === "all") return this.#member(below[2]);
    return undefined;
  }

  #page(request: FakeRequest, all: readonly unknown[]): FakeAnswer {
    const { items, page, last } = pageOf(request, all, this.pageSize, "per_page");
    const next = page < last ? String(page + 1) : "";
    const link = next === "" || !this.linkHeader ? undefined : `<${pageUrl(this.url, request, page + 1)}>; rel="next"`;
    return {
      status: 200,
      body: items,
      headers: { "x-page": String(page), "x-next-page": next, ...(link === undefined ? {} : { link }) },
    };
  }

  #merges({ query }: FakeRequest): readonly FakePull[] {
    return [...this.pulls.values()]
      .filter((one) => query.get("state") !== "opened" || one.state === "open")
      .filter((one) => query.get("source_branch") === null || one.branch === query.get("source_branch"))
      .toReversed();
  }

  #createMerge({ json, user }: FakeRequest): FakeAnswer {
    const branch = String(json["source_branch"]);
    const open = [...this.pulls.values()].find((one) => one.branch === branch && one.state === "open" && !one.fork);
    if (open !== undefined)
      return {
        status: 409,
        body: { message: [`Another open merge request already exists for this source branch: !${open.number}`] },
      };
    const title = String(json["title"]);
    const pull = this.addPull({
      number: this.nextId(),
      title,
      branch,
      base: String(json["target_branch"]),
      draft: title.startsWith("Draft:"),
      author: user,
    });
    return { status: 201, body: this.#merge(pull, true) };
  }

  #merge(pull: FakePull, whole: boolean): unknown {
    return {
      iid: pull.number,
      title: pull.title,
      web_url: `${this.url}/group/sub/shop/-/merge_requests/${pull.number}`,
      author: userOf(pull.author),
      state: pull.state === "open" ? "opened" : pull.state,
      draft: pull.draft,
      labels: pull.labels,
      sha: pull.sha,
      source_branch: pull.branch,
      target_branch: pull.base,
      source_project_id: pull.fork ? 2 : 1,
      target_project_id: 1,
      ...(whole ? { diff_refs: { base_sha: pull.baseSha, head_sha: pull.sha, start_sha: pull.baseSha } } : {}),
    };
  }

  #oneNote({ method, json, user }: FakeRequest, below: readonly string[]): FakeAnswer | undefined {
    const found = this.comment(below[3]);
    if (found === undefined) return this.error(404, "404 Not found");
    if (method === "POST" && below[4] === "award_emoji") {
      const given = { comment: found.comment.id, content: String(json["name"]) };
      if (this.reactions.some((one) => one.comment === given.comment && one.content === given.content)) {
        return this.error(404, "404 Award Emoji Name has already been taken Not Found");
      }
      this.reactions.push(given);
      return { status: 201, body: { id: 1 } };
    }
    if (found.comment.author.id !== user.id) return this.error(403, "403 Forbidden");
    if (method === "DELETE") {
      this.removeComment(below[3]);
      return { status: 204 };
    }
    this.editComment(below[3], String(json["body"]));
    return { status: 200, body: noteOf(found.comment) };
  }

  /** As GitLab: a job per status, which cannot be started twice, and another one after it has ended. */
  #status(json: Record<string, unknown>, sha: string): FakeAnswer {
    const state = String(json["state"]);
    const ref =
      json["ref"] ?? this.jobs.findLast((one) => one.sha === sha)?.ref ?? (this.foreign.has(sha) ? undefined : "main");
    if (ref === undefined) return this.error(404, "404 References for commit Not Found");
    if (!["pending", "running", "success", "failed", "canceled", "skipped"].includes(state))
      return this.error(400, "state does not have a valid value");
    const description = String(json["description"]);
    if (description.length > 255) return this.error(400, "description is too long");
    const name = String(json["name"]);
    const url = (json["target_url"] as string | undefined) ?? null;
    const open = this.jobs.find((one) => one.sha === sha && one.name === name && one.status === "running");
    if (open?.status === state)
      return this.error(
        400,
        'Cannot transition status via :run from :running (Reason(s): Status cannot transition via "run")',
      );
    if (open === undefined)
      this.jobs.push({ id: this.nextId(), sha, name, status: state, description, url, ref: String(ref) });
    else Object.assign(open, { status: state, description, url });
    this.setStatus({ sha, context: name, state, description, url: url ?? undefined });
    return { status: 201, body: { status: state } };
  }

  #member(id: string | undefined): FakeAnswer | undefined {
    const user = [...this.users.values()].find((one) => String(one.id) === id);
    const has = user === undefined ? undefined : this.permissions.get(user.name);
    if (user === undefined || has === undefined || has === "none") return this.error(404, "404 Not found");
    return { status: 200, body: { ...userOf(user), state: "active", access_level: LEVELS[has] } };
  }

  #issues({ query }: FakeRequest): readonly FakeIssue[] {
    const found = this.issues
      .filter((one) => query.get("state") === "all" || one.state === "open")
      .filter((one) => query.get("author_id") === null || String(one.author.id) === query.get("author_id"));
    return query.get("sort") === "asc" ? found : found.toReversed();
  }

  #issue({ number, author, title, body, state }: FakeIssue): unknown {
    return {
      iid: number,
      title,
      description: body,
      state: state === "open" ? "opened" : "closed",
      author: userOf(author),
      web_url: `${this.url}/group/sub/shop/-/issues/${number}`,
    };
  }

  #changeIssue(json: Record<string, unknown>, number: string | undefined): FakeAnswer | undefined {
    const issue = this.issues.find((one) => String(one.number) === number);
    if (issue === undefined) return undefined;
    if (json["title"] !== undefined) issue.title = String(json["title"]);
    if (json["description"] !== undefined) issue.body = String(json["description"]);
    if (json["state_event"] !== undefined) issue.state = json["state_event"] === "close" ? "closed" : "open";
    return { status: 200, body: this.#issue(issue) };
  }
}

function userOf({ id, name }: FakeUser): object {
  return { id, username: name };
}

function noteOf({ id, author, body, createdAt, editedAt, system }: FakeComment): unknown {
  return {
    id,
    author: userOf(author),
    body,
    created_at: createdAt,
    updated_at: editedAt ?? createdAt,
    system: system === true,
  };
}
