// Plays one recorded case against a server.
import { randomUUID } from "node:crypto";
import type { ApiResponse, Transport, UserInfo } from "../../../kube/client/transport.ts";
import { valueAt } from "../../../kube/json-patch.ts";
import { cloneJson, isObject } from "../../../kube/object.ts";
import { differences } from "../compare.ts";
import { toNormalForm } from "./normal-form.ts";
import { Placeholders } from "./placeholders.ts";
import type {
  PollCondition,
  RecordedCase,
  RecordedEvent,
  RecordedRequest,
  RecordedResponse,
  RecordedStep,
} from "./recorded.ts";

/** The garbage collector of a real cluster looks for new kinds twice a minute. */
const POLL_MS = 60_000;
const POLL_EVERY_MS = 20;
const COLLECT_MS = 4000;

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

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
}

interface Stream {
  readonly events: unknown[];
  ended: boolean;
  readonly abort: AbortController;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs a case in the namespace `namespace`; answers what differed, nothing when all was as recorded. */
export async function playCase(
  target: Target,
  recorded: RecordedCase,
  namespace: string,
  token: string,
): Promise<string[]> {
  const player = new Player(target, recorded.topic, namespace, token);
  try {
    for (const [index, step] of recorded.steps.entries()) {
      const found = await player.play(step);
      if (found.length > 0) {
        const request = step.request === undefined ? "" : ` ${step.request.method} ${step.request.path}`;
        await player.cleanUp(recorded.steps.slice(index + 1));
        return [`step ${index + 1} (${step.op}${request}):`, ...found];
      }
    }
    return [];
  } finally {
    player.close();
  }
}

class Player {
  readonly #target: Target;
  readonly #topic: string;
  readonly #names: Readonly<Record<string, string>>;
  readonly #saved = new Map<string, string>();
  readonly #placeholders = new Placeholders();
  readonly #streams = new Map<string, Stream>();

  constructor(target: Target, topic: string, namespace: string, token: string) {
    this.#target = target;
    this.#topic = topic;
    this.#names = { ns: namespace, id: token, host: target.host };
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.abort.abort();
  }

  /** What the rest of a failed case deletes must not stay: a broken APIService would disturb the cases after it. */
  async cleanUp(rest: readonly RecordedStep[]): Promise<void> {
    for (const { request } of rest) if (request?.method === "DELETE") await this.#send(request);
  }

  async play(step: RecordedStep): Promise<string[]> {
    switch (step.op) {
      case "sleep":
        await pause(step.ms ?? 0);
        return [];
      case "compact":
        // Elsewhere the recording answered from a cache that the compaction of the storage did not touch.
        if (this.#topic === "gone") await this.#target.compact();
        return [];
      case "watch":
        return this.#watch(step);
      case "collect":
        return this.#collect(step);
      default:
        return this.#exchange(step);
    }
  }

  #substitute<T>(value: T): T {
    if (typeof value === "string") {
      const text = value.replace(/\{(ns|id|host|save:[^{}]+|repeat:.:[0-9]+)\}/g, (_all, name: string) => {
        if (name.startsWith("save:")) return this.#saved.get(name.slice(5)) ?? "undefined";
        if (name.startsWith("repeat:")) return name[7]!.repeat(Number(name.slice(9)));
        return this.#names[name]!;
      });
      // A string stays a string.
      return text as T;
    }
    if (Array.isArray(value)) return value.map((item) => this.#substitute(item)) as T;
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, child]) => [this.#substitute(key), this.#substitute(child)]);
    // The same shape by construction.
    return Object.fromEntries(entries) as T;
  }

  async #send(request: RecordedRequest): Promise<Answer> {
    const sent = request.readModifyWrite === undefined ? request : await this.#readModify(request);
    return readAnswer(await this.#transport(request)(this.#encode(sent)));
  }

  #transport(request: RecordedRequest): Transport {
    return request.user === undefined ? this.#target.transport : this.#target.anonymousTransport;
  }

  #encode(request: RecordedRequest) {
    const { method, body } = request;
    // The recorded requests named no agent, so their writes are by "unknown".
    const headers: Record<string, string> = { "user-agent": "unknown", host: this.#target.host, accept: "*/*" };
    for (const [name, value] of Object.entries(request.headers ?? {}))
      headers[name.toLowerCase()] = this.#substitute(value);
    if (request.user !== undefined && request.user !== "")
      headers["authorization"] = `Bearer ${this.#substitute(request.user)}`;
    const given = this.#substitute(body);
    if (given !== undefined && headers["content-type"] === undefined) headers["content-type"] = "application/json";
    return {
      method,
      path: this.#substitute(request.path),
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
    const { body } = await this.#send({ method: "GET", path: from });
    const object = cloneJson(body);
    if (isObject(object)) {
      if (!keepManagedFields && isObject(object["metadata"])) delete object["metadata"]["managedFields"];
      for (const { path, value } of set) setPointer(object, path, this.#substitute(value));
      for (const path of remove) setPointer(object, path, undefined);
    }
    return { method: request.method, path: request.path, headers: request.headers ?? {}, body: object };
  }

  async #exchange(step: RecordedStep): Promise<string[]> {
    const deadline = Date.now() + POLL_MS;
    // The recorded cluster's own controllers wrote all the time, so a list was never at the revision of its objects.
    if (step.op === "list" || step.op === "deletecollection") await this.#writeElsewhere();
    for (;;) {
      const answer = await this.#send(step.request!);
      if (step.poll !== undefined && !holds(step.poll, answer) && Date.now() < deadline) {
        await pause(POLL_EVERY_MS);
        continue;
      }
      this.#save(step, answer);
      return this.#compare(step.response!, withoutOwnAccount(step.request!.path, answer));
    }
  }

  async #writeElsewhere(): Promise<void> {
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "conformance" },
      spec: { holderIdentity: randomUUID() },
    };
    const path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/conformance?fieldManager=c&force=true";
    const headers = { "content-type": "application/apply-patch+yaml" };
    const body = JSON.stringify(lease);
    await readAnswer(await this.#target.transport({ method: "PATCH", path, headers, body }));
  }

  #save(step: RecordedStep, answer: Answer): void {
    for (const [name, source] of Object.entries(step.save ?? {})) {
      const value = source.startsWith("@") ? answer.headers[source.slice(1)] : valueAt(answer.body, source);
      if (value === undefined) this.#saved.delete(name);
      else this.#saved.set(name, String(value));
    }
  }

  #compare(response: RecordedResponse, answer: Answer): string[] {
    const expected: Record<string, unknown> = { code: response.code };
    const actual: Record<string, unknown> = { code: answer.code };
    if (response.contentType !== undefined) {
      expected["contentType"] = response.contentType;
      actual["contentType"] = headerText(answer, "content-type");
    }
    if (response.warning !== undefined) {
      expected["warning"] = response.warning.join(", ");
      actual["warning"] = headerText(answer, "warning");
    }
    for (const [name, value] of Object.entries(response.headers ?? {})) {
      expected[name] = value;
      actual[name] = headerText(answer, name);
    }
    if (response.body !== undefined) {
      expected["body"] = this.#substitute(response.body);
      actual["body"] = answer.body;
    }
    for (const [pointer, value] of Object.entries(response.pick ?? {})) {
      expected[pointer] = this.#substitute(value);
      // Picked from the normal form, which leaves out what identifies a build.
      actual[pointer] = valueAt(toNormalForm(answer.body), pointer);
    }
    return this.#differences(expected, actual);
  }

  #differences(expected: unknown, actual: unknown): string[] {
    const wanted = toNormalForm(expected);
    const found = toNormalForm(actual);
    // Twice: causes are in order only once the values inside them are replaced.
    const filled = this.#placeholders.fill(wanted, found);
    return differences(wanted, filled);
  }

  async #watch(step: RecordedStep): Promise<string[]> {
    const abort = new AbortController();
    const stream: Stream = { events: [], ended: false, abort };
    this.#streams.set(step.id ?? "", stream);
    const response = await this.#transport(step.request!)({ ...this.#encode(step.request!), signal: abort.signal });
    const found = this.#compare(
      {
        code: step.response!.code,
        ...(step.response!.contentType === undefined ? {} : { contentType: step.response!.contentType }),
      },
      { code: response.status, headers: response.headers, body: undefined },
    );
    if (response.status !== 200 || response.body instanceof Uint8Array) {
      // A refusal is read like an event, and has none of its parts.
      stream.events.push({ object: { metadata: {} } });
      stream.ended = true;
    } else void readEvents(response.body, stream);
    return found;
  }

  async #collect(step: RecordedStep): Promise<string[]> {
    const stream = this.#streams.get(step.id ?? "");
    const expected = this.#substitute(step.events ?? []);
    if (stream === undefined) return ["there is no such stream"];
    const deadline = Date.now() + COLLECT_MS;
    const isBookmark = (event: unknown): boolean =>
      isObject(event) && event["type"] === "BOOKMARK" && !JSON.stringify(event).includes("initial-events-end");
    const arrived = (): unknown[] => stream.events.filter((event) => !isBookmark(event));
    while (Date.now() < deadline && (arrived().length < expected.length || (step.ended === true && !stream.ended))) {
      await pause(5);
    }
    // What should not come must have had its chance.
    if (!stream.ended) await pause(15);
    const problems: string[] = [];
    if (step.ended === true && !stream.ended) problems.push("the stream did not end");
    if (step.atLeastOneBookmark === true && !stream.events.some(isBookmark)) problems.push("no bookmark came");
    const events = arrived();
    const cut = events.map((event, index) => cutTo(expected[index], event));
    return [...problems, ...this.#differences(expected, cut)];
  }
}

/** Keeps of an event what the recording kept: whole objects, or some of their fields. */
function cutTo(expected: RecordedEvent | undefined, actual: unknown): unknown {
  if (expected === undefined || !isObject(actual) || !isObject(actual["object"])) return actual;
  const wanted = expected.object;
  const wantedMeta = isObject(wanted["metadata"]) ? wanted["metadata"] : {};
  const isWhole = "creationTimestamp" in wantedMeta || "rows" in wanted || expected.type === "ERROR";
  if (isWhole) return actual;
  const object: Record<string, unknown> = {};
  for (const key of Object.keys(wanted)) object[key] = actual["object"][key];
  const meta = isObject(actual["object"]["metadata"]) ? actual["object"]["metadata"] : {};
  object["metadata"] = Object.fromEntries(
    Object.keys(wantedMeta)
      .filter((key) => key in meta)
      .map((key) => [key, expected.type === "BOOKMARK" && key === "resourceVersion" ? wantedMeta[key] : meta[key]]),
  );
  return { ...actual, object };
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

/** A list without the account that every namespace has of itself: the recordings were made before it was there. */
function withoutOwnAccount(path: string, answer: Answer): Answer {
  const { body } = answer;
  if (!path.includes("/serviceaccounts") || !isObject(body)) return answer;
  const stripped: Record<string, unknown> = { ...body };
  for (const key of ["items", "rows"]) {
    const list = body[key];
    if (Array.isArray(list)) stripped[key] = list.filter((item) => nameOf(item) !== "default");
  }
  return { ...answer, body: stripped };
}

/** The name of a list item or of a table row. */
function nameOf(item: unknown): unknown {
  if (!isObject(item)) return undefined;
  const object = isObject(item["object"]) ? item["object"] : item;
  return isObject(object["metadata"]) ? object["metadata"]["name"] : undefined;
}

function headerText(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return typeof value === "string" || value === undefined ? value : value.join(", ");
}

function holds(condition: PollCondition, answer: Answer): boolean {
  if (condition.code !== undefined) return answer.code === condition.code;
  if (condition.has !== undefined) return valueAt(answer.body, condition.has) !== undefined;
  return JSON.stringify(valueAt(answer.body, condition.ptr ?? "")) === JSON.stringify(condition.value);
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
