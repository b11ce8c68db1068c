// Bitbucket Cloud as https://developer.atlassian.com/cloud/bitbucket/rest/ describes it, as far as our client asks.
import type { IncomingMessage } from "node:http";
import {
  type FakeAnswer,
  type FakeCheck,
  type FakeComment,
  type FakePull,
  type FakeRequest,
  FakeServer,
  type FakeUser,
  pageOf,
  pageUrl,
  TOKEN,
} from "./fake-server.ts";

const STATES = { open: "OPEN", closed: "DECLINED", merged: "MERGED" } as const;

export class FakeBitbucketCloud extends FakeServer {
  protected readonly root = "/2.0";
  /** Whether the token may ask for its own account. */
  knowsItself = true;

  get cloneUrl(): string {
    return `${this.url}/acme/shop.git`;
  }

  /** Users are named by UUIDs there. */
  static uuid(id: number | string): string {
    return `{${id}}`;
  }

  override idOf(name: string): string {
    return FakeBitbucketCloud.uuid(this.user(name).id);
  }

  errorBody(_status: number, message: string): unknown {
    return { type: "error", error: { message } };
  }

  protected whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined {
    return headers.authorization === `Bearer ${TOKEN}` ? this.me : undefined;
  }

  protected answer(request: FakeRequest): FakeAnswer | undefined {
    const { method, parts, json } = request;
    if (parts[0] === "user")
      return this.knowsItself
        ? { status: 200, body: userOf(this.me) }
        : this.error(403, "Your credentials lack one or more required privilege scopes.");
    if (parts.join("/") === "workspaces/acme/permissions/repositories/shop") return this.#permissions(request);
    const [repositories, workspace, slug, ...below] = parts;
    if (repositories !== "repositories" || slug !== "shop") return undefined;
    if (workspace !== "acme" && below[0] !== "commit") return undefined;
    const key = `${method} ${below.map((part) => (/^[0-9]+$/.test(part) ? "*" : part)).join("/")}`;
    const pull = this.pulls.get(Number(below[1]));
    switch (key) {
      case "GET pullrequests":
        return this.#page(
          request,
          [...this.pulls.values()]
            .filter((one) => STATES[one.state] === request.query.get("state"))
            .map((one) => this.#pull(one)),
        );
      case "POST pullrequests":
        return this.#createPull(request);
      case "GET pullrequests/*":
        return pull === undefined ? undefined : { status: 200, body: this.#pull(pull) };
      case "GET pullrequests/*/comments":
        return pull === undefined ? undefined : this.#page(request, pull.comments.map(commentOf));
      case "POST pullrequests/*/comments":
        if (pull === undefined) return undefined;
        return { status: 201, body: commentOf(this.addComment(pull.number, request.user.name, rawOf(json))) };
      case "PUT pullrequests/*/comments/*":
      case "DELETE pullrequests/*/comments/*":
        return this.#oneComment(request, below[3]);
    }
    if (below[0] === "commit") return this.#commit(request, below.slice(1));
    return undefined;
  }

  #page(request: FakeRequest, all: readonly unknown[]): FakeAnswer {
    const { items, page, last } = pageOf(request, all, this.pageSize, "pagelen");
    const next = page < last ? { next: pageUrl(this.url, request, page + 1) } : {};
    return { status: 200, body: { values: items, page, pagelen: this.pageSize, size: all.length, ...next } };
  }

  #permissions({ query }: FakeRequest): FakeAnswer {
    const uuid = /^user\.uuid="(.*)"$/.exec(query.get("q") ?? "")?.[1];
    const user = [...this.users.values()].find((one) => FakeBitbucketCloud.uuid(one.id) === uuid);
    const has = user === undefined ? undefined : this.permissions.get(user.name);
    if (user === undefined || has === undefined || has === "none") return { status: 200, body: { values: [] } };
    const permission = has === "maintain" ? "admin" : has;
    return { status: 200, body: { values: [{ permission, user: userOf(user) }] } };
  }

  #createPull({ json, user }: FakeRequest): FakeAnswer {
    const branch = (json["source"] as { branch: { name: string } }).branch.name;
    const base = (json["destination"] as { branch: { name: string } }).branch.name;
    const pull = this.addPull({ number: this.nextId(), title: String(json["title"]), branch, base, author: user });
    return { status: 201, body: this.#pull(pull) };
  }

  #pull(pull: FakePull): unknown {
    return {
      id: pull.number,
      title: pull.title,
      state: STATES[pull.state],
      draft: pull.draft,
      author: userOf(pull.author),
      links: { html: { href: `${this.url}/acme/shop/pull-requests/${pull.number}` } },
      source: {
        branch: { name: pull.branch },
        commit: { hash: pull.sha.slice(0, 12) },
        repository: { full_name: pull.fork ? "eve/shop" : "acme/shop" },
      },
      destination: {
        branch: { name: pull.base },
        commit: { hash: pull.baseSha.slice(0, 12) },
        repository: { full_name: "acme/shop" },
      },
    };
  }

  #oneComment({ method, json, user }: FakeRequest, id: string | undefined): FakeAnswer | undefined {
    const found = this.comment(id);
    if (found === undefined) return undefined;
    if (found.comment.author.id !== user.id) return this.error(403, "This comment is not yours");
    if (method === "DELETE") {
      this.removeComment(id);
      return { status: 204 };
    }
    this.editComment(id, rawOf(json));
    return { status: 200, body: commentOf(found.comment) };
  }

  #commit(request: FakeRequest, [sha = "", what, id, ...rest]: readonly string[]): FakeAnswer | undefined {
    const { method, json } = request;
    if (what === undefined) {
      const all = [...this.pulls.values()].flatMap((one) => [one.sha, one.baseSha]);
      const full = all.find((one) => one.startsWith(sha));
      return full === undefined ? undefined : { status: 200, body: { hash: full } };
    }
    if (what === "statuses" && id === "build" && method === "POST") {
      const { key, state, description, url, name } = json;
      if (typeof url !== "string" || !url.startsWith("http")) return this.error(400, "url: required key not provided");
      if (String(key).length > 40) return this.error(400, "key: too long");
      this.setStatus({ sha, context: String(name), state: String(state), description: String(description), url });
      return { status: 201, body: { key, state } };
    }
    if (what !== "reports" || id === undefined) return undefined;
    let check = this.checks.find((one) => one.sha === sha && one.externalId === id);
    if (rest[0] === undefined && method === "PUT") {
      if (String(json["details"]).length > 2000) return this.error(400, "details: too long");
      check ??= this.#addCheck(sha, id);
      check.title = String(json["title"]);
      check.conclusion = json["result"] === "PENDING" ? undefined : String(json["result"]);
      return { status: 200, body: { external_id: id } };
    }
    if (check === undefined || rest[0] !== "annotations") return undefined;
    if (method === "GET")
      return this.#page(
        request,
        check.annotations.map((one) => ({ external_id: one.message.split("|")[0], path: one.path })),
      );
    if (method === "DELETE") {
      const at = check.annotations.findIndex((one) => one.message.startsWith(`${rest[1]}|`));
      if (at >= 0) check.annotations.splice(at, 1);
      return { status: 204 };
    }
    return this.#annotate(check, json as unknown as Record<string, unknown>[]);
  }

  #addCheck(sha: string, id: string): FakeCheck {
    const check: FakeCheck = {
      id: this.nextId(),
      sha,
      name: id,
      title: "",
      conclusion: undefined,
      annotations: [],
      externalId: id,
    };
    this.checks.push(check);
    return check;
  }

  /** Of the same id there is one. */
  #annotate(check: FakeCheck, all: readonly Record<string, unknown>[]): FakeAnswer {
    if (all.length > 100) return this.error(400, "no more than 100 annotations");
    if (all.some((one) => String(one["summary"]).length > 450))
      return this.error(400, "The summary field cannot contain more than 450 characters.");
    for (const one of all) {
      const id = String(one["external_id"]);
      const annotation = {
        path: String(one["path"]),
        line: Number(one["line"]),
        level: String(one["severity"]),
        message: `${id}|${one["details"]}`,
      };
      const at = check.annotations.findIndex((known) => known.message.startsWith(`${id}|`));
      if (at >= 0) check.annotations[at] = annotation;
      else check.annotations.push(annotation);
    }
    return { status: 200, body: [] };
  }
}

function rawOf(json: Record<string, unknown>): string {
  return String((json["content"] as { raw?: unknown } | undefined)?.raw);
}

function userOf({ id, name, bot }: FakeUser): object {
  const type = bot === true ? "app_user" : "user";
  return { type, uuid: FakeBitbucketCloud.uuid(id), nickname: name, display_name: name };
}

function commentOf({ id, author, body, createdAt, editedAt }: FakeComment): unknown {
  return {
    id,
    user: userOf(author),
    content: { raw: body, markup: "markdown" },
    deleted: false,
    created_on: createdAt,
    updated_on: editedAt ?? createdAt.replace("000Z", "000412+00:00"),
  };
}
