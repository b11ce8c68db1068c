// The `http` object by which isomorphic-git reaches one repository: GitHttp below it keeps the rules of HTTP, this keeps
// what is known of the server and notices what the library would pass over.

import git, { type GitHttpRequest, type GitHttpResponse, type HttpClient } from "isomorphic-git";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { gitCorrupt, gitInvalidRepository, gitObjectMissing } from "../errors.ts";
import type { GitHttp } from "./http.ts";

const UPLOAD_PACK = "git-upload-pack";
/** The first line of a list of references, which says what the server can do, is within this. */
const MAX_FIRST_LINE_BYTES = 64 << 10;

/** What a server said it can do; kept as long as its repository is open, so that it is asked once. */
export interface ServerKnowledge {
  /** The whole answer under version 2 of the protocol, which names no references. */
  version2?: Buffer | undefined;
  /** The words under version 0, by which isomorphic-git fetches. */
  capabilities?: string | undefined;
}

export interface HttpOperation {
  readonly signal: AbortSignal;
  /** Of the list of references; of what answers a POST. */
  readonly maxRefsBytes: number;
  readonly maxBytes: number;
  /** The commit that is fetched; `undefined` for anything but a fetch. */
  readonly commit?: string | undefined;
  /** Whether the fetched pack may build upon what is here. */
  readonly thin?: boolean | undefined;
}

/** For one call of isomorphic-git. `run` gives its result, or throws the first thing that went wrong on the way. */
export class GitHttpClient implements HttpClient {
  readonly #http: GitHttp;
  readonly #known: ServerKnowledge;
  readonly #operation: HttpOperation;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #failures: unknown[] = [];
  readonly #bodies: object[] = [];
  #unread = 0;

  constructor(http: GitHttp, known: ServerKnowledge, operation: HttpOperation) {
    this.#http = http;
    this.#known = known;
    this.#operation = operation;
    this.#signal = AbortSignal.any([operation.signal, this.#end.signal]);
  }

  /** What the library itself throws is the cause of the error that this throws. */
  async run<T>(call: (http: HttpClient) => Promise<T>): Promise<T> {
    try {
      const result = await call(this);
      // The library takes a list that ends in an error for a whole one: it notes the error on the body, and reads no more.
      if (this.#failures.length > 0) throw this.#failures[0];
      if (this.#unread > 0 || this.#bodies.some((body) => "error" in body)) {
        throw gitCorrupt(`the answer of ${this.#http.url} is not in Git's format`);
      }
      return result;
    } catch (error) {
      this.#operation.signal.throwIfAborted();
      throw this.#failures.length > 0 ? this.#failures[0] : translate(this.#http.url, error);
    } finally {
      // What the library left unread must not hold its connection.
      if (this.#unread > 0) this.#end.abort();
    }
  }

  async request(request: GitHttpRequest): Promise<GitHttpResponse> {
    try {
      const service = /git-(?:upload|receive)-pack$/.exec(request.url)?.[0] ?? "";
      const asksForRefs = request.method === "GET";
      const contentType = `application/x-${service}-${asksForRefs ? "advertisement" : "result"}`;
      const body = asksForRefs
        ? chunksOf(await this.#advertisement(request, contentType, service))
        : await this.#send(request, contentType);
      this.#bodies.push(body);
      return {
        url: request.url,
        statusCode: 200,
        statusMessage: "OK",
        headers: { "content-type": contentType },
        body,
      };
    } catch (error) {
      this.#failures.push(error);
      throw error;
    }
  }

  async #advertisement(request: GitHttpRequest, contentType: string, service: string): Promise<Buffer> {
    const known = this.#known;
    const { commit } = this.#operation;
    if (commit !== undefined) {
      known.capabilities ??= capabilitiesOf(await this.#read(request, contentType, MAX_FIRST_LINE_BYTES));
      if (known.capabilities === undefined) {
        throw gitInvalidRepository(this.#http.url, "lists references in an unknown form");
      }
      return advertisement(service, `${commit} HEAD`, known.capabilities);
    }
    if (service === UPLOAD_PACK && known.version2 !== undefined) return known.version2;
    const answer = await this.#read(request, contentType, Number.POSITIVE_INFINITY);
    const start = answer.toString("latin1", 0, 64);
    const isVersion2 = start.includes("version 2\n");
    const capabilities = capabilitiesOf(answer);
    const format = /object-format=(\w+)/.exec(isVersion2 ? answer.toString("latin1") : (capabilities ?? ""))?.[1];
    if (format !== undefined && format !== "sha1") {
      throw gitInvalidRepository(this.#http.url, `names its objects by ${format}, and only sha1 can be read`);
    }
    if (service === UPLOAD_PACK) {
      if (isVersion2) known.version2 = answer;
      else known.capabilities = capabilities;
    }
    // The library takes the list of an empty repository, as Git wrote it up to 2.40, for version 2.
    const isEmpty = /^(?:[0-9a-f]{4}# service=[\w-]+\n)?(?:0000)+$/.test(start);
    return isEmpty ? advertisement(service, `${"0".repeat(40)} capabilities^{}`, "") : answer;
  }

  /** The answer's beginning: at least `enough` bytes, or all of it. */
  async #read(request: GitHttpRequest, contentType: string, enough: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of await this.#send(request, contentType)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length < enough) continue;
      this.#unread = 0;
      break;
    }
    return Buffer.concat(chunks);
  }

  async #send(request: GitHttpRequest, contentType: string): Promise<AsyncIterableIterator<Uint8Array>> {
    const parts: Uint8Array[] = [];
    for await (const part of request.body ?? []) parts.push(part);
    const body = Buffer.concat(parts);
    const chunks = await this.#http.send({
      suffix: request.url.slice(this.#http.url.length),
      headers: request.headers ?? {},
      ...(request.method === "POST" ? { body: this.#asksThin ? askingThin(body) : body } : {}),
      contentType,
      maxBytes: request.method === "POST" ? this.#operation.maxBytes : this.#operation.maxRefsBytes,
      signal: this.#signal,
    });
    this.#unread++;
    return this.#watch(chunks);
  }

  get #asksThin(): boolean {
    return this.#operation.thin === true && / thin-pack(?: |$)/.test(` ${this.#known.capabilities ?? ""}`);
  }

  async *#watch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let tail = "";
    let first = true;
    try {
      for await (const chunk of chunks) {
        if (first) this.#checkRefusal(chunk);
        first = false;
        tail = (tail + Buffer.from(chunk.subarray(-4)).toString("latin1")).slice(-4);
        yield chunk;
      }
      // Every whole answer ends so, also one that a proxy closed politely in the middle would not.
      if (tail !== "0000") throw gitCorrupt(`the answer of ${this.#http.url} was cut short`);
      this.#unread--;
    } catch (error) {
      this.#failures.push(error);
      throw error;
    }
  }

  #checkRefusal(chunk: Uint8Array): void {
    const start = Buffer.from(chunk.subarray(0, 300)).toString("utf8");
    const words = /^(?:[0-9a-f]{4}# service=[\w-]+\n0000)?[0-9a-f]{4}ERR ([^\n]*)/.exec(start)?.[1];
    if (words === undefined) return;
    const { commit } = this.#operation;
    if (commit !== undefined && /not our ref|not a valid object|unadvertised|no such/i.test(words)) {
      throw gitObjectMissing(commit);
    }
    throw gitInvalidRepository(this.#http.url, `answers: ${words.slice(0, 200)}`);
  }
}

/** The words after the first reference under version 0; an empty repository may have none. */
function capabilitiesOf(answer: Buffer): string | undefined {
  return /\0([^\n]*)/.exec(answer.toString("latin1", 0, MAX_FIRST_LINE_BYTES))?.[1];
}

/**
 * A list of references with one line. For a fetch that is the wanted commit: isomorphic-git asks for all references
 * before each fetch, which a large repository answers with megabytes, and fails when the default branch has no commit.
 */
function advertisement(service: string, line: string, capabilities: string): Buffer {
  return Buffer.from(`${packet(`# service=${service}\n`)}0000${packet(`${line}\0${capabilities}\n`)}0000`);
}

/** The library never asks for a thin pack: adds the word to the first line, which says what the client can do. */
function askingThin(body: Buffer): Buffer {
  const length = Number.parseInt(body.toString("latin1", 0, 4), 16);
  const line = body.toString("latin1", 4, length);
  if (!line.startsWith("want ")) return body;
  return Buffer.concat([Buffer.from(packet(`${line.trimEnd()} thin-pack\n`)), body.subarray(length)]);
}

function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
}

/** The library's words may repeat what a server sent, but never a secret: it knows none. */
function translate(url: string, error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  if (error instanceof git.Errors.RemoteCapabilityError) {
    return gitInvalidRepository(url, "cannot cut its history by depth or date", error);
  }
  return gitCorrupt(`the answer of ${url} cannot be read: ${messageOf(error).slice(0, 200)}`, error);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
