// Gitea as its API's description says, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
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

export class FakeGitea extends FakeServer {
  protected readonly root = "/api/v1";

  get cloneUrl(): string {
    return `${this.url}/octo/shop.git`;
  }

  errorBody(_status: number, message: string): unknown {
    return { message, url: `${this.url}/api/swagger` };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    return headers.authorization === `token ${TOKEN}` ? this.me : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, json } = request;
    if (parts[0] === "user") return { status: 200, body: userOf(this.me) };
    const [repos, owner, name, ...below] = parts;
    if (repos !== "repos" || owner !== "octo" || name !== "shop") return undefined;
    const key = `${method} ${below.map((part) => (/^[0-9]+$/.test(part) && below[0] !== "statuses" ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (key) {
      case "GET pulls":
        return this.#page(
          request,
          [...this.pulls.values()].filter((one) => one.state === "open").map((one) => this.#pull(one)),
        );
      case "POST pulls":
        return this.#createPull(request);
      case "GET pulls/*":
        return pull === undefined ? undefined : { status: 200, body: this.#pull(pull) };
      case "GET issues/*/comments":
        // Without pages, whatever is asked for.
        return pull === undefined
          ? undefined
          : {
              status: 200,
              body: pull.comments.map(commentOf),
              headers: { "x-total-count": String(pull.comments.length) },
            };
      case "POST issues/*/comments":
        return pull === undefined
          ? undefined
          : { status: 201, body: commentOf(this.addComment(pull.number, request.user.name, String(json["body"]))) };
      case "POST issues/comments/*/reactions":
        this.reactions.push({ comment: Number(below[2]), content: String(json["content"]) });
        return { status: 201, body: {} };
      case "PATCH issues/comments/*":
      case "DELETE issues/comments/*":
        return this.#oneComment(request, below[2]);
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
      case "PATCH issues/*": {
        const issue = this.issues.find((one) => String(one.number) === below[1]);
        if (issue === undefined) return undefined;
        Object.assign(issue, json);
        return { status: 201, body: this.#issue(issue) };
      }
    }
    if (method === "POST" && below[0] === "statuses") {
      const { context, state, description, target_url: url } = json;
      if (!["pending", "success", "error", "failure", "warning"].includes(String(state)))
        return this.error(422, "invalid state");
      this.setStatus({
        sha: below[1] ?? "",
        context: String(context),
        state: String(state),
        description: String(description),
        url: url as string | undefined,
      });
      return { status: 201, body: { status: state } };
    }
    if (below[0] === "collaborators" && below[2] === "permission") {
      const user = below[1] ?? "";
      if (!this.users.has(user)) return undefined;
      const has = this.permissions.get(user) ?? "none";
      // It knows no maintainers.
      return {
        status: 200,
        body: { permission: has === "maintain" ? "admin" : has, role_name: "", user: { login: user } },
      };
    }
    return undefined;
  }

  #page(request: FakeRequest, all: readonly unknown[]): FakeAnswer {
    const { items, page, last } = pageOf(request, all, this.pageSize, "limit");
    const headers: Record<string, string> = { "x-total-count": String(all.length) };
    // Its address may be another than the one it is reached by.
    if (page < last)
      headers["link"] =
        `<${pageUrl("https://inner.example.com", request, page + 1)}>; rel="next",<${pageUrl("https://inner.example.com", request, last)}>; rel="last"`;
    return { status: 200, body: items, headers };
  }

  #createPull({ json, user }: FakeRequest): FakeAnswer {
    const head = String(json["head"]);
    const open = [...this.pulls.values()].find((one) => one.branch === head && one.state === "open" && !one.fork);
    if (open !== undefined)
      return this.error(409, `pull request already exists for these targets [id: ${open.number}]`);
    const pull = this.addPull({
      number: this.nextId(),
      title: String(json["title"]),
      branch: head,
      base: String(json["base"]),
      author: user,
    });
    return { status: 201, body: this.#pull(pull) };
  }

  #pull(pull: FakePull): unknown {
    return {
      number: pull.number,
      title: pull.title,
      html_url: `${this.url}/octo/shop/pulls/${pull.number}`,
      user: userOf(pull.author),
      state: pull.state === "open" ? "open" : "closed",
      merged: pull.state === "merged",
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

  #oneComment({ method, json }: FakeRequest, id: string | undefined): FakeAnswer | undefined {
    const found = this.comment(id);
    if (found === undefined) return undefined;
    if (method === "DELETE") {
      this.removeComment(id);
      return { status: 204 };
    }
    this.editComment(id, String(json["body"]));
    return { status: 200, body: commentOf(found.comment) };
  }

  #issues({ query }: FakeRequest): readonly FakeIssue[] {
    return this.issues
      .filter((one) => query.get("state") === "all" || one.state === "open")
      .filter((one) => query.get("created_by") === null || one.author.name === query.get("created_by"))
      .toReversed();
  }

  #issue({ number, author, title, body, state }: FakeIssue): unknown {
    return { number, title, body, state, user: userOf(author), html_url: `${this.url}/octo/shop/issues/${number}` };
  }
}

function userOf({ id, name }: FakeUser): object {
  return { id, login: name };
}

function commentOf({ id, author, body, createdAt, editedAt }: FakeComment): unknown {
  return {
    id,
    user: userOf(author),
    body,
    created_at: createdAt,
    updated_at: editedAt ?? createdAt,
    html_url: `https://git.example.com/octo/shop/pulls/1#issuecomment-${id}`,
  };
}
