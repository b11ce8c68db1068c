// Sends the requests of one case: fills in names and saved values, and reads the answers.
import type { ApiRequest, ApiResponse, Transport, UserInfo } from "../../../kube/client/transport.ts";
import { valueAt } from "../../../kube/json-patch.ts";
import { cloneJson, isObject } from "../../../kube/object.ts";
import type { RecordedRequest } from "./recorded.ts";

/** The server under test. */
export interface Target {
  readonly transport: Transport;
  /** The same server without the administrator's credentials, for requests that bring a token or none. */
  readonly anonymousTransport: Transport;
  /** Forgets the history. */
  compact(): Promise<void>;
  /** Host and port, as links in answers name them. */
  readonly host: string;
  /** Who sends requests without credentials, and with the administrator's; undefined where the transport knows. */
  readonly anonymous: UserInfo | undefined;
  readonly administrator: UserInfo | undefined;
}

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Parsed JSON, or the text of anything else. */
  readonly body: unknown;
}

/** An open watch, with the events that came so far. */
export interface Stream {
  readonly events: unknown[];
  ended: boolean;
  readonly abort: AbortController;
}

export class CaseClient {
  readonly #target: Target;
  readonly #names: Readonly<Record<string, string>>;
  readonly #saved = new Map<string, string>();

  constructor(target: Target, namespace: string, token: string) {
    this.#target = target;
    this.#names = { ns: namespace, id: token, host: target.host };
  }

  /** The value with `{ns}`, `{id}`, `{save:x}` and `{repeat:c:n}` replaced in every string. */
  substitute<T>(value: T): T {
    if (typeof value === "string") {
      const text = value.replace(/\{(ns|id|host|save:[^{}]+|repeat:.:[0-9]+)\}/g, (_all, name: string) => {
        if (name.startsWith("save:")) return this.#saved.get(name.slice(5)) ?? "undefined";
        if (name.startsWith("repeat:")) return name[7]!.repeat(Number(name.slice(9)));
        return this.#names[name]!;
      });
      // A string stays a string.
      return text as T;
    }
    if (Array.isArray(value)) return value.map((item) => this.substitute(item)) as T;
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, child]) => [this.substitute(key), this.substitute(child)]);
    // The same shape by construction.
    return Object.fromEntries(entries) as T;
  }

  async send(request: RecordedRequest): Promise<Answer> {
    const sent = request.readModifyWrite === undefined ? request : await this.#readModify(request);
    return readAnswer(await this.#transport(request)(this.#encode(sent)));
  }

  /** Opens a watch; the events collect in the stream. */
  async open(request: RecordedRequest): Promise<{ readonly response: ApiResponse; readonly stream: Stream }> {
    const abort = new AbortController();
    const stream: Stream = { events: [], ended: false, abort };
    const response = await this.#transport(request)({ ...this.#encode(request), signal: abort.signal });
    if (response.status !== 200 || response.body instanceof Uint8Array) {
      // A refusal is read like an event, and has none of its parts.
      stream.events.push({ object: { metadata: {} } });
      stream.ended = true;
    } else void readEvents(response.body, stream);
    return { response, stream };
  }

  /** Keeps values of an answer under the names that a step gives them. */
  save(sources: Readonly<Record<string, string>> | undefined, answer: Answer): void {
    for (const [name, source] of Object.entries(sources ?? {})) {
      const value = source.startsWith("@") ? answer.headers[source.slice(1)] : valueAt(answer.body, source);
      if (value === undefined) this.#saved.delete(name);
      else this.#saved.set(name, String(value));
    }
  }

  #transport(request: RecordedRequest): Transport {
    return request.user === undefined ? this.#target.transport : this.#target.anonymousTransport;
  }

  #encode(request: RecordedRequest): ApiRequest {
    const { method, body } = request;
    // The recorded requests named no agent, so their writes are by "unknown".
    const headers: Record<string, string> = { "user-agent": "unknown", host: this.#target.host, accept: "*/*" };
    for (const [name, value] of Object.entries(request.headers ?? {}))
      headers[name.toLowerCase()] = this.substitute(value);
    if (request.user !== undefined && request.user !== "")
      headers["authorization"] = `Bearer ${this.substitute(request.user)}`;
    const given = this.substitute(body);
    if (given !== undefined && headers["content-type"] === undefined) headers["content-type"] = "application/json";
    return {
      method,
      path: this.substitute(request.path),
      headers,
      ...(given === undefined ? {} : { body: typeof given === "string" ? given : JSON.stringify(given) }),
      ...this.#user(request.user),
    };
  }

  #user(token: string | undefined): { readonly user?: UserInfo } {
    const user = token === undefined ? this.#target.administrator : token === "" ? this.#target.anonymous : undefined;
    return user === undefined ? {} : { user };
  }

  async #readModify(request: RecordedRequest): Promise<RecordedRequest> {
    const { from, keepManagedFields, set = [], remove = [] } = request.readModifyWrite!;
    const { body } = await this.send({ method: "GET", path: from });
    const object = cloneJson(body);
    if (isObject(object)) {
      if (!keepManagedFields && isObject(object["metadata"])) delete object["metadata"]["managedFields"];
      for (const { path, value } of set) setPointer(object, path, this.substitute(value));
      for (const path of remove) setPointer(object, path, undefined);
    }
    return { method: request.method, path: request.path, headers: request.headers ?? {}, body: object };
  }
}

async function readEvents(body: AsyncIterable<Uint8Array>, stream: Stream): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line !== "") stream.events.push(JSON.parse(line));
    }
  } catch {
    // The case is over and the stream aborted.
  }
  stream.ended = true;
}

async function readAnswer(response: ApiResponse): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  if (response.body instanceof Uint8Array) chunks.push(response.body);
  else for await (const chunk of response.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Plain text and YAML are compared as text.
  }
  return { code: response.status, headers: response.headers, body };
}

/** Sets the value at a pointer, making objects on the way; undefined removes it. */
function setPointer(document: Record<string, unknown>, pointer: string, value: unknown): void {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop()!;
  let at: unknown = document;
  for (const key of keys) {
    if (!isObject(at) && !Array.isArray(at)) return;
    // Lists are reached by their index, objects by key.
    const parent = at as Record<string, unknown>;
    if (typeof parent[key] !== "object" || parent[key] === null) parent[key] = {};
    at = parent[key];
  }
  if (Array.isArray(at)) {
    if (value === undefined) at.splice(Number(last), 1);
    else if (last === "-") at.push(value);
    else at[Number(last)] = value;
  } else if (isObject(at)) {
    if (value === undefined) delete at[last];
    else at[last] = value;
  }
}
