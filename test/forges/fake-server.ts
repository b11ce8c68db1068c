// What the providers of the tests have in common: a real HTTP server with state, credentials, pages and faults.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeUser {
  readonly id: number;
  readonly name: string;
  /** A program's account, where the provider tells. */
  readonly bot?: boolean;
}

export interface FakeComment {
  readonly id: number;
  readonly author: FakeUser;
  body: string;
  version: number;
  readonly createdAt: string;
  /** When its words were changed last; when it was created, where they never were. */
  editedAt?: string;
  readonly system?: boolean;
}

export interface FakePull {
  readonly number: number;
  title: string;
  readonly author: FakeUser;
  readonly sha: string;
  readonly branch: string;
  readonly base: string;
  readonly baseSha: string;
  readonly fork: boolean;
  readonly draft: boolean;
  readonly labels: readonly string[];
  state: "open" | "closed" | "merged";
  readonly comments: FakeComment[];
}

export interface FakeStatus {
  readonly sha: string;
  readonly context: string;
  state: string;
  description: string;
  url: string | undefined;
}

export interface FakeIssue {
  readonly number: number;
  readonly author: FakeUser;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly isPull?: boolean;
}

export interface FakeAnnotation {
  readonly path: string;
  readonly line: number;
  readonly level: string;
  readonly message: string;
}

export interface FakeCheck {
  readonly id: number;
  readonly sha: string;
  readonly name: string;
  title: string;
  /** As the provider calls it; `undefined` while it runs. */
  conclusion: string | undefined;
  readonly annotations: FakeAnnotation[];
  externalId: string;
}

export interface FakeReaction {
  readonly comment: number;
  readonly content: string;
}

export type FakePermission = "none" | "read" | "write" | "maintain" | "admin";

export interface FakeRequest {
  readonly method: string;
  /** Decoded parts of the path below the API's root. */
  readonly parts: readonly string[];
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly json: Record<string, unknown>;
  readonly user: FakeUser;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What goes wrong with a request. instead: it is not done. lost: it is done, and the connection ends without an answer.
 * cut: it is done, and half of the answer arrives. after: it is done, and a proxy answers this.
 */
export type Fault =
  | { readonly instead: FakeAnswer }
  | { readonly after: FakeAnswer }
  | { readonly how: "lost" | "cut" | "silent" };

interface Planned {
  readonly method: string;
  readonly path: RegExp;
  readonly fault: Fault;
  times: number;
  skip: number;
}

export const TOKEN = "s3cret-token-of-the-bot";
export const HEAD_SHA = "1111111111111111111111111111111111111111";
export const BASE_SHA = "2222222222222222222222222222222222222222";

export abstract class FakeServer {
  readonly me: FakeUser = { id: 900, name: "flaghoist-bot" };
  readonly users = new Map<string, FakeUser>();
  readonly permissions = new Map<string, FakePermission>();
  readonly pulls = new Map<number, FakePull>();
  readonly statuses: FakeStatus[] = [];
  readonly issues: FakeIssue[] = [];
  readonly checks: FakeCheck[] = [];
  readonly reactions: FakeReaction[] = [];
  /** `GET /path?query` as they came, those that failed as well. */
  readonly requests: string[] = [];
  /** What came with those that are no questions, as it came. */
  readonly received: string[] = [];
  /** Most entries of a page, whatever is asked for. */
  pageSize = 3;
  /** What the credentials may not do: method and path. */
  forbidden: RegExp | undefined;
  url = "";
  #server: Server | undefined;
  readonly #planned: Planned[] = [];
  #nextId = 1000;
  #time = Date.UTC(2026, 0, 1);

  constructor() {
    this.users.set(this.me.name, this.me);
    this.permissions.set(this.me.name, "write");
    for (const [index, name] of ["ada", "eve", "guest"].entries()) this.users.set(name, { id: 901 + index, name });
    this.permissions.set("ada", "maintain");
    this.permissions.set("eve", "write");
  }

  /** Where a clone URL of the repository begins. */
  abstract readonly cloneUrl: string;
  /** Answers a request of somebody who is known. `undefined`: there is no such thing. */
  protected abstract answer(request: FakeRequest): FakeAnswer | undefined;
  /** Who is asking; `undefined` for nobody known. */
  protected abstract whoAsks(headers: IncomingMessage["headers"]): FakeUser | undefined;
  /** The path that the API's paths are below. */
  protected abstract readonly root: string;
  /** The body of an answer that is no success. */
  abstract errorBody(status: number, message: string): unknown;

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => this.#take(request, response, Buffer.concat(chunks).toString("utf8")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** The next requests like this one go wrong, after the first `skip`. */
  fail(method: string, path: RegExp, fault: Fault, times = 1, skip = 0): void {
    this.#planned.push({ method, path, fault, times, skip });
  }

  addPull(pull: Partial<FakePull> & { readonly number: number }): FakePull {
    const whole: FakePull = {
      title: `Change ${pull.number}`,
      author: this.user("ada"),
      sha: HEAD_SHA,
      branch: `feature-${pull.number}`,
      base: "main",
      baseSha: BASE_SHA,
      fork: false,
      draft: false,
      labels: [],
      state: "open",
      comments: [],
      ...pull,
    };
    this.pulls.set(whole.number, whole);
    return whole;
  }

  addComment(pull: number, author: string, body: string, more: Partial<FakeComment> = {}): FakeComment {
    const comment = { id: this.nextId(), author: this.user(author), body, version: 0, createdAt: this.time(), ...more };
    this.pulls.get(pull)?.comments.push(comment);
    return comment;
  }

  addIssue(author: string, title: string, body: string, more: Partial<FakeIssue> = {}): FakeIssue {
    const issue: FakeIssue = {
      number: this.issues.length + 1,
      author: this.user(author),
      title,
      body,
      state: "open",
      ...more,
    };
    this.issues.push(issue);
    return issue;
  }

  user(name: string): FakeUser {
    const user = this.users.get(name);
    if (user === undefined) throw new Error(`no user ${name}`);
    return user;
  }

  /** As the provider names a user. */
  idOf(name: string): string {
    return String(this.user(name).id);
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** A second later each time. */
  time(): string {
    this.#time += 1000;
    return new Date(this.#time).toISOString();
  }

  setStatus(status: FakeStatus): FakeStatus {
    const earlier = this.statuses.find((one) => one.sha === status.sha && one.context === status.context);
    if (earlier === undefined) this.statuses.push(status);
    else Object.assign(earlier, status);
    return status;
  }

  comment(id: string | undefined): { readonly pull: FakePull; readonly comment: FakeComment } | undefined {
    for (const pull of this.pulls.values()) {
      const comment = pull.comments.find((one) => String(one.id) === id);
      if (comment !== undefined) return { pull, comment };
    }
    return undefined;
  }

  /** Changes what a comment says, as its author or somebody with rights does. */
  editComment(id: string | undefined, body: string): void {
    const found = this.comment(id)?.comment;
    if (found === undefined) return;
    found.body = body;
    found.version++;
    found.editedAt = this.time();
  }

  removeComment(id: string | undefined): void {
    const found = this.comment(id);
    found?.pull.comments.splice(found.pull.comments.indexOf(found.comment), 1);
  }

  protected error(status: number, message: string, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
    return { status, body: this.errorBody(status, message), headers };
  }

  #take(request: IncomingMessage, response: ServerResponse, text: string): void {
    const line = `${request.method} ${request.url}`;
    this.requests.push(line);
    if (request.method !== "GET" && !/graphql$/.test(request.url ?? "")) this.received.push(`${line}\n${text}`);
    const url = new URL(request.url ?? "/", this.url);
    const fault = this.#faultOf(request.method ?? "", request.url ?? "");
    if (fault !== undefined && "how" in fault && fault.how === "silent") return;
    const done = fault !== undefined && "instead" in fault ? fault.instead : this.#do(request, url, text);
    if (fault === undefined || !("how" in fault)) {
      send(response, fault !== undefined && "after" in fault ? fault.after : done);
      return;
    }
    if (fault.how === "lost") {
      request.socket.destroy();
      return;
    }
    const whole = JSON.stringify(done.body ?? {});
    response.writeHead(done.status, { "content-type": "application/json", "content-length": String(whole.length) });
    response.write(whole.slice(0, Math.ceil(whole.length / 2)), () => request.socket.destroy());
  }

  #faultOf(method: string, url: string): Fault | undefined {
    const planned = this.#planned.find((one) => one.times > 0 && one.method === method && one.path.test(url));
    if (planned === undefined) return undefined;
    if (planned.skip > 0) {
      planned.skip--;
      return undefined;
    }
    planned.times--;
    return planned.fault;
  }

  #do(request: IncomingMessage, url: URL, text: string): FakeAnswer {
    const user = this.whoAsks(request.headers);
    if (user === undefined) return this.error(401, "Bad credentials");
    if (this.forbidden?.test(`${request.method} ${url.pathname}`) === true)
      return this.error(403, "Resource not accessible");
    if (!url.pathname.startsWith(this.root)) return this.error(404, "Not Found");
    const parts = url.pathname
      .slice(this.root.length)
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
    const json = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const asked = {
      method: request.method ?? "",
      parts,
      pathname: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      json,
      user,
    };
    return this.answer(asked) ?? this.error(404, "Not Found");
  }
}

function send(response: ServerResponse, answer: FakeAnswer): void {
  const text =
    answer.body === undefined ? "" : typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...answer.headers });
  response.end(text);
}

/** Entries of a page, and where the next one is, as most providers say it. */
export function pageOf<T>(
  request: FakeRequest,
  all: readonly T[],
  most: number,
  sizeName: string,
): { readonly items: readonly T[]; readonly page: number; readonly last: number } {
  const size = Math.min(Number(request.query.get(sizeName) ?? 30), most);
  const page = Number(request.query.get("page") ?? 1);
  return { items: all.slice((page - 1) * size, page * size), page, last: Math.max(1, Math.ceil(all.length / size)) };
}

/** The URL of another page. */
export function pageUrl(base: string, request: FakeRequest, page: number): string {
  const query = new URLSearchParams(request.query);
  query.set("page", String(page));
  return `${base}${request.pathname}?${query}`;
}
