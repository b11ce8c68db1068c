// Typed verbs over a transport. Works the same on the embedded server (in-process) and on any other (HTTP).
import { Turn } from "../../runtime/turn.ts";
import { parseJson } from "../json.ts";
import { type KubeObject, type ObjectRef, refOf } from "../object.ts";
import { parseWhole } from "./answer-body.ts";
import { type ResourceInfo, RestMapper } from "./rest-mapper.ts";
import { ApiStatusError, failureStatus, isNotFound, retryAfterMs } from "./status-error.ts";
import type { ApiResponse, Transport } from "./transport.ts";

/** Objects that are asked for at a time, and read in one turn of the event loop. */
const PAGE = 250;

export type PatchType = "json" | "merge" | "strategic";

const PATCH_MEDIA_TYPE: Readonly<Record<PatchType, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly subresource?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  readonly signal?: AbortSignal;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** What is kept of each object, so that a long list never holds all of them whole. */
  readonly keep?: ((object: KubeObject) => KubeObject) | undefined;
  readonly signal?: AbortSignal;
}

export interface ListResult<T extends KubeObject> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T }
  | {
      readonly type: "ERROR";
      readonly status: { readonly code: number; readonly message: string; readonly reason: string };
    };

export interface WatchOptions extends ListOptions {
  readonly resourceVersion?: string;
  readonly timeoutSeconds?: number;
  /** Called when the server has accepted the watch, which may be long before its first event. */
  readonly onOpen?: () => void;
}

/** A client of one API server. All methods throw `ApiStatusError` for a refusal and `api-unreachable` when none answered. */
export class KubeClient {
  readonly transport: Transport;
  readonly mapper: RestMapper;

  constructor(transport: Transport, mapper: RestMapper = new RestMapper(transport)) {
    this.transport = transport;
    this.mapper = mapper;
  }

  async get<T extends KubeObject = KubeObject>(ref: ObjectRef, signal?: AbortSignal): Promise<T> {
    return this.#object<T>("GET", await this.#path(ref), undefined, undefined, signal);
  }

  /** As `get`, undefined when the object does not exist. A kind that is not served is an error still. */
  async find<T extends KubeObject = KubeObject>(ref: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.get<T>(ref, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject = KubeObject>(
    apiVersion: string,
    kind: string,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    const info = await this.mapper.get(apiVersion, kind);
    const items: T[] = [];
    let next: string | undefined;
    const turn = new Turn();
    for (;;) {
      // A server in this process answers without leaving the turn.
      if (turn.isOver) await turn.next();
      const query = { ...selectorQuery(options), limit: String(PAGE), continue: next };
      const page = await this.#json(
        "GET",
        withQuery(collectionPath(info, options.namespace), query),
        undefined,
        undefined,
        options.signal,
      );
      // A list of the kind that was asked for.
      const list = page as { items: T[] | null; metadata: { resourceVersion: string; continue?: string } };
      for (const item of list.items ?? []) {
        // Items of built-in kinds come without their kind; answers may be shared, so they are not written to.
        const whole = item.kind === undefined ? { ...item, apiVersion, kind } : item;
        // What is kept of an object of this kind is one of this kind.
        items.push(options.keep === undefined ? whole : (options.keep(whole) as T));
      }
      next = list.metadata.continue;
      if (next === undefined || next === "") return { items, resourceVersion: list.metadata.resourceVersion };
    }
  }

  /** The revision at which the server's store is, as far as it concerns a kind. */
  async revision(apiVersion: string, kind: string, options: ListOptions = {}): Promise<string> {
    const info = await this.mapper.get(apiVersion, kind);
    const path = withQuery(collectionPath(info, options.namespace), {
      fieldSelector: options.fieldSelector,
      limit: "1",
    });
    const page = await this.#json("GET", path, undefined, undefined, options.signal);
    // A list of the kind that was asked for.
    return (page as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  }

  async create<T extends KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const info = await this.mapper.get(object.apiVersion, object.kind);
    const path = collectionPath(info, object.metadata.namespace);
    return this.#object<T>("POST", withQuery(path, writeQuery(options)), "application/json", object, options.signal);
  }

  async update<T extends KubeObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const path = await this.#path(refOf(object), options.subresource);
    return this.#object<T>("PUT", withQuery(path, writeQuery(options)), "application/json", object, options.signal);
  }

  async patch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    patch: unknown,
    type: PatchType,
    options: WriteOptions = {},
  ): Promise<T> {
    const path = await this.#path(ref, options.subresource);
    return this.#object<T>(
      "PATCH",
      withQuery(path, writeQuery(options)),
      PATCH_MEDIA_TYPE[type],
      patch,
      options.signal,
    );
  }

  /** Server-side apply: creates the object or merges into it what `object` states. */
  async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const path = await this.#path(refOf(object), options.subresource);
    const query = { ...writeQuery(options), force: options.force === true ? "true" : undefined };
    return this.#object<T>("PATCH", withQuery(path, query), "application/apply-patch+yaml", object, options.signal);
  }

  /** Asks for deletion. Answers false when the object was not there. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const preconditions =
      options.uid === undefined && options.resourceVersion === undefined
        ? undefined
        : { uid: options.uid, resourceVersion: options.resourceVersion };
    const body = {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: options.propagationPolicy ?? "Background",
      preconditions,
    };
    try {
      await this.#json("DELETE", await this.#path(ref), "application/json", body, options.signal);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /**
   * Opens a watch; ends when the server ends it or `signal` aborts. Lines that do not parse end it with an error:
   * going on would lose an event.
   */
  async *watch<T extends KubeObject = KubeObject>(
    apiVersion: string,
    kind: string,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const info = await this.mapper.get(apiVersion, kind);
    const query = {
      ...selectorQuery(options),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds === undefined ? undefined : String(options.timeoutSeconds),
    };
    const path = withQuery(collectionPath(info, options.namespace), query);
    const answer = await this.transport({
      method: "GET",
      path,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (answer.events === undefined && answer.body instanceof Uint8Array)
      throw new ApiStatusError(failureStatus(answer.status, answer.body), `GET ${path}`);
    options.onOpen?.();
    for await (const event of eventsOf<T>(answer)) {
      if (event.type === "ERROR") {
        const status = event.object as unknown as { code?: number; message?: string; reason?: string };
        yield {
          type: "ERROR",
          status: { code: status.code ?? 500, message: status.message ?? "", reason: status.reason ?? "" },
        };
      } else {
        yield { type: event.type, object: event.object };
      }
    }
  }

  /** Sends any request and answers with the parsed JSON body. */
  async raw(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#json(method, path, body === undefined ? undefined : "application/json", body);
  }

  async #path(ref: ObjectRef, subresource?: string): Promise<string> {
    const info = await this.mapper.get(ref.apiVersion, ref.kind);
    const path = `${collectionPath(info, ref.namespace)}/${encodeURIComponent(ref.name)}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }

  async #object<T extends KubeObject>(
    method: string,
    path: string,
    contentType: string | undefined,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // The server answers a request for an object with that object.
    return (await this.#json(method, path, contentType, body, signal)) as T;
  }

  async #json(
    method: string,
    path: string,
    contentType: string | undefined,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const answer = await this.transport({
      method,
      path,
      ...(contentType === undefined ? {} : { headers: { "content-type": contentType } }),
      ...(body === undefined ? {} : { object: body }),
      ...(signal === undefined ? {} : { signal }),
    });
    return parseAnswer(answer, method, path);
  }
}

async function* eventsOf<T>(
  answer: ApiResponse,
): AsyncGenerator<{ type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"; object: T }> {
  if (answer.events !== undefined) {
    // Objects of the watched kind.
    for await (const event of answer.events) yield { type: event.type, object: event.object as T };
  } else if (!(answer.body instanceof Uint8Array)) {
    // The protocol: one JSON event a line.
    for await (const line of lines(answer.body)) yield parseJson(line) as { type: "ADDED"; object: T };
  }
}

async function parseAnswer(answer: ApiResponse, method: string, path: string): Promise<unknown> {
  if (answer.parsed !== undefined && answer.status < 300) return answer.parsed;
  // What the embedded server passes on from another one comes in parts.
  const body = answer.body instanceof Uint8Array ? answer.body : await collected(answer.body);
  if (answer.status >= 300) {
    const status = failureStatus(answer.status, body);
    const waitMs = retryAfterMs(answer.headers["retry-after"], status);
    throw new ApiStatusError(status, `${method} ${path.split("?")[0]}`, waitMs);
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  return text === "" ? undefined : parseWhole(text, `${method} ${path.split("?")[0]}`);
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The path of a kind's collection, in a namespace when the kind has them and one is given. */
export function collectionPath(info: ResourceInfo, namespace: string | undefined): string {
  const base = info.group === "" ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const inNamespace = info.namespaced && namespace !== undefined && namespace !== "";
  return inNamespace ? `${base}/namespaces/${namespace}/${info.plural}` : `${base}/${info.plural}`;
}

function selectorQuery(options: {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}): Record<string, string | undefined> {
  return { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun === true ? "All" : undefined,
    fieldValidation: options.fieldValidation,
  };
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  let text = "";
  for (const name in query) {
    const value = query[name];
    if (value !== undefined && value !== "") text += `${text === "" ? "?" : "&"}${name}=${encodeURIComponent(value)}`;
  }
  return path + text;
}

/** Splits a byte stream at newlines; a chunk may hold part of a line or several. */
async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      const tail = bytes.subarray(start, end);
      const line = parts.length === 0 ? tail : Buffer.concat([...parts, tail]);
      parts = [];
      start = end + 1;
      if (line.length > 0) yield line.toString("utf8");
    }
    if (start < bytes.length) parts.push(bytes.subarray(start));
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString("utf8");
}
