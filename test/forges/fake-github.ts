// GitHub Enterprise Server as https://docs.github.com/rest describes it, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
  type FakeCheck,
  type FakeComment,
  type FakeIssue,
  type FakePull,
  type FakeRequest,
  FakeServer,
  type FakeUser,
  pageOf,
  pageUrl,
  TOKEN,
} from "./fake-server.ts";

export class FakeGitHub extends FakeServer {
  protected readonly root = "/api";
  /** Whether the token is one of an app's installation: those may write check runs, and may not ask for their user. */
  isApp = true;
  /** Whether issues can be asked for by who opened them. */
  filtersIssues = true;
  /** Tokens beside the usual one, of the bot. */
  readonly tokens = new Set([TOKEN]);
  /** Requests that apps make as themselves. */
  asApp: ((request: FakeRequest, claim: string) => FakeAnswer | undefined) | undefined;

  get cloneUrl(): string {
    return `${this.url}/octo/shop.git`;
  }

  errorBody(_status: number, message: string): unknown {
    return { message, documentation_url: "https://docs.github.com/rest" };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    return this.tokens.has(token) || token.split(".").length === 3 ? this.me : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, json } = request;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!this.tokens.has(token)) return this.asApp?.(request, token);
    if (parts[0] === "graphql") {
      if (!String(json["query"]).includes("viewer { login databaseId }"))
        return { status: 200, body: { errors: [{ message: "Parse error" }] } };
      return { status: 200, body: { data: { viewer: { login: this.me.name, databaseId: this.me.id } } } };
    }
    const [version, repos, owner, name, ...below] = parts;
    if (version !== "v3" || repos !== "repos" || owner !== "octo" || name !== "shop") return undefined;
    const key = `${method} ${below.map((part, index) => (index > 0 && /^[0-9a-f]+$/.test(part) ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (key) {
      case "GET pulls":
        return this.#page(
          request,
          this.#pulls(request).map((one) => this.#pull(one)),
        );
      case "POST pulls":
        return this.#createPull(request);
      case "GET pulls/*":
        return pull === undefined ? undefined : { status: 200, body: this.#pull(pull) };
      case "GET issues/*/comments":
        return pull === undefined
          ? undefined
          : this.#page(
              request,
              pull.comments.map((one) => this.#comment(one)),
            );
      case "POST issues/*/comments": {
        if (pull === undefined) return undefined;
        const body = String(json["body"]);
        if (body.length > 65_536) return this.#invalid("Body is too long (maximum is 65536 characters)");
        return { status: 201, body: this.#comment(this.addComment(pull.number, request.user.name, body)) };
      }
      case "GET issues":
        return this.#page(
          request,
          this.#issues(request).map((one) => this.#issue(one)),
        );
      case "POST issues":
        return {
          status: 201,
          body: this.#issue(this.addIssue(request.user.name, String(json["title"]), String(json["body"]))),
        };
      case "PATCH issues/*":
        return this.#changeIssue(request, below[1]);
      case "POST check-runs":
      case "PATCH check-runs/*":
      case "GET check-runs/*":
        return this.#checkRun(request, below[1]);
      case "GET commits/*/check-runs":
        return this.#checkRuns(request, below[1] ?? "");
    }
    if (below[0] === "issues" && below[1] === "comments") return this.#oneComment(request, below);
    if (below[0] === "statuses") return this.#status(request, below[1] ?? "");
    if (below[0] === "collaborators" && below[2] === "permission") return this.#permission(below[1] ?? "");
    return undefined;
  }

  #page(request: FakeRequest, all: readonly unknown[]): FakeAnswer {
    const { items, page, last } = pageOf(request, all, this.pageSize, "per_page");
    const link =
      page < last
        ? `<${pageUrl(this.url, request, page + 1)}>; rel="next", <${pageUrl(this.url, request, last)}>; rel="last"`
        : "";
    return { status: 200, body: items, headers: link === "" ? {} : { link } };
  }

  #invalid(message: string): FakeAnswer {
    return {
      status: 422,
      body: { message: "Validation Failed", errors: [{ resource: "Any", code: "custom", message }] },
    };
  }

  #pulls(request: FakeRequest): readonly FakePull[] {
    const state = request.query.get("state") ?? "open";
    const head = request.query.get("head");
    return [...this.pulls.values()]
      .filter((one) => state === "all" || (one.state === "open") === (state === "open"))
      .filter((one) => head === null || head === `${one.fork ? "eve" : "octo"}:${one.branch}`)
      .toReversed();
  }

  #createPull({ json, user }: FakeRequest): FakeAnswer {
    const { title, head, base, draft } = json;
    if (head === base) return this.#invalid(`No commits between ${base} and ${head}`);
    const open = [...this.pulls.values()].find((one) => one.branch === head && one.state === "open" && !one.fork);
    if (open !== undefined) return this.#invalid(`A pull request already exists for octo:${head}.`);
    const number = this.nextId();
    const pull = this.addPull({
      number,
      title: String(title),
      branch: String(head),
      base: String(base),
      draft: draft === true,
      author: user,
    });
    return { status: 201, body: this.#pull(pull) };
  }

  #pull(pull: FakePull): unknown {
    return {
      number: pull.number,
      title: pull.title,
      html_url: `${this.url}/octo/shop/pull/${pull.number}`,
      user: { id: pull.author.id, login: pull.author.name },
      state: pull.state === "open" ? "open" : "closed",
      merged_at: pull.state === "merged" ? "2026-01-01T00:00:00Z" : null,
      draft: pull.draft,
      labels: pull.labels.map((name) => ({ name })),
      head: {
        ref: pull.branch,
        sha: pull.sha,
        repo: pull.fork ? { id: 2, clone_url: `${this.url}/eve/shop.git` } : { id: 1, clone_url: this.cloneUrl },
      },
      base: { ref: pull.base, sha: pull.baseSha, repo: { id: 1 } },
    };
  }

  #comment(comment: FakeComment): unknown {
    const { id, author, body, createdAt, editedAt } = comment;
    return {
      id,
      user: { id: author.id, login: author.name, type: author.bot === true ? "Bot" : "User" },
      body,
      created_at: createdAt,
      updated_at: editedAt ?? createdAt,
      html_url: `${this.url}/octo/shop/pull/1#issuecomment-${id}`,
    };
  }

  #oneComment({ method, json, user }: FakeRequest, below: readonly string[]): FakeAnswer | undefined {
    const found = this.comment(below[2]);
    if (found === undefined) return undefined;
    if (method === "POST" && below[3] === "reactions") {
      this.reactions.push({ comment: found.comment.id, content: String(json["content"]) });
      return { status: 201, body: { id: 1 } };
    }
    if (found.comment.author.id !== user.id && this.permissions.get(user.name) === "read")
      return this.error(403, "Must have write access");
    if (method === "DELETE") {
      this.removeComment(below[2]);
      return { status: 204 };
    }
    this.editComment(below[2], String(json["body"]));
    return { status: 200, body: this.#comment(found.comment) };
  }

  #status({ method, json }: FakeRequest, sha: string): FakeAnswer | undefined {
    if (method !== "POST") return undefined;
    const { context, state, description, target_url: url } = json;
    if (!["error", "failure", "pending", "success"].includes(String(state)))
      return this.#invalid("State is not included in the list");
    if (String(description).length > 140) return this.#invalid("description is too long (maximum is 140 characters)");
    this.setStatus({
      sha,
      context: String(context),
      state: String(state),
      description: String(description),
      url: url as string | undefined,
    });
    return { status: 201, body: { state } };
  }

  #permission(name: string): FakeAnswer | undefined {
    if (!this.users.has(name)) return undefined;
    const has = this.permissions.get(name) ?? "none";
    const legacy = has === "maintain" ? "write" : has;
    return { status: 200, body: { permission: legacy, role_name: has, user: { login: name } } };
  }

  #issues({ query }: FakeRequest): readonly FakeIssue[] {
    const found = this.issues
      .filter((one) => query.get("state") === "all" || one.state === "open")
      .filter(
        (one) => !this.filtersIssues || query.get("creator") === null || one.author.name === query.get("creator"),
      );
    return query.get("direction") === "asc" ? found : found.toReversed();
  }

  #issue({ number, author, title, body, state, isPull }: FakeIssue): unknown {
    return {
      number,
      title,
      body,
      state,
      user: { id: author.id, login: author.name },
      html_url: `${this.url}/octo/shop/issues/${number}`,
      ...(isPull === true ? { pull_request: { url: "" } } : {}),
    };
  }

  #changeIssue({ json }: FakeRequest, number: string | undefined): FakeAnswer | undefined {
    const issue = this.issues.find((one) => String(one.number) === number);
    if (issue === undefined) return undefined;
    Object.assign(issue, json);
    return { status: 200, body: this.#issue(issue) };
  }

  #checkRun({ method, json }: FakeRequest, id: string | undefined): FakeAnswer | undefined {
    if (!this.isApp) return this.error(403, "You must authenticate via a GitHub App.");
    if (method === "POST") {
      const check: FakeCheck = {
        id: this.nextId(),
        sha: String(json["head_sha"]),
        name: String(json["name"]),
        title: "",
        conclusion: undefined,
        annotations: [],
        externalId: "",
      };
      this.checks.push(check);
      return this.#changeCheck(check, json, 201);
    }
    const check = this.checks.find((one) => String(one.id) === id);
    if (check === undefined) return undefined;
    return method === "GET" ? { status: 200, body: this.#check(check) } : this.#changeCheck(check, json, 200);
  }

  #changeCheck(check: FakeCheck, json: Record<string, unknown>, status: number): FakeAnswer {
    const output = (json["output"] ?? {}) as {
      title?: string;
      summary?: string;
      annotations?: Record<string, unknown>[];
    };
    if ((output.annotations?.length ?? 0) > 50) return this.#invalid("annotations: no more than 50 items");
    if ((output.summary?.length ?? 0) > 65_535)
      return this.#invalid("summary exceeds a maximum character limit of 65535");
    check.title = output.title ?? check.title;
    check.externalId = String(json["external_id"] ?? check.externalId);
    if (json["status"] === "completed") check.conclusion = String(json["conclusion"]);
    // Appended to those of earlier calls, as documented.
    for (const one of output.annotations ?? []) {
      check.annotations.push({
        path: String(one["path"]),
        line: Number(one["start_line"]),
        level: String(one["annotation_level"]),
        message: String(one["message"]),
      });
    }
    return { status, body: this.#check(check) };
  }

  #check(check: FakeCheck): unknown {
    return {
      id: check.id,
      external_id: check.externalId,
      status: check.conclusion === undefined ? "in_progress" : "completed",
      conclusion: check.conclusion ?? null,
      html_url: `${this.url}/octo/shop/runs/${check.id}`,
      output: { title: check.title, annotations_count: check.annotations.length },
    };
  }

  #checkRuns(request: FakeRequest, sha: string): FakeAnswer {
    if (!this.isApp) return this.error(403, "You must authenticate via a GitHub App.");
    const name = request.query.get("check_name");
    const latest = this.checks.findLast((one) => one.sha === sha && (name === null || one.name === name));
    const all = latest === undefined ? [] : [latest];
    return { status: 200, body: { total_count: all.length, check_runs: all.map((one) => this.#check(one)) } };
  }
}
