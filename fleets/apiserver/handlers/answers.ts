// From objects to the bytes of an answer: plain, Table, PartialObjectMetadata; JSON or YAML.
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { sortKeys } from "../../../kube/json.ts";
import { formatApiVersion, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { badRequest } from "../registry/status-error.ts";
import type { Exchange } from "../request/exchange.ts";
import type { Accepted } from "../request/negotiation.ts";
import { deepFreeze, encodeJson, encodePrettyJson } from "../storage/json-text.ts";
import { StoredObject } from "../storage/stored-object.ts";
import { ConcurrentChange } from "./concurrent-change.ts";

const NEWLINE = Buffer.from("\n");

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** An answer whose bytes are made only when somebody reads them. */
export class LazyResponse implements ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly #encode: () => Uint8Array;
  readonly #parse: () => unknown;
  #bytes: Uint8Array | undefined;
  #parsed: unknown;

  constructor(status: number, headers: Headers, encode: () => Uint8Array, parse: () => unknown) {
    this.status = status;
    this.headers = headers;
    this.#encode = encode;
    this.#parse = parse;
  }

  get body(): Uint8Array {
    this.#bytes ??= this.#encode();
    return this.#bytes;
  }

  get parsed(): unknown {
    this.#parsed ??= this.#parse();
    return this.#parsed;
  }
}

/** An answer of JSON data, in JSON whatever the client prefers. */
export function jsonResponse(status: number, value: unknown, headers: Headers = {}): ApiResponse {
  return new LazyResponse(
    status,
    { "cache-control": "no-cache, private", "content-type": "application/json", ...headers },
    () => Buffer.from(`${encodeJson(value)}\n`),
    () => value,
  );
}

export function textResponse(status: number, text: string, headers: Headers = {}): ApiResponse {
  return {
    status,
    headers: { "cache-control": "no-cache, private", "content-type": "text/plain; charset=utf-8", ...headers },
    body: Buffer.from(text),
  };
}

const MOST_WARNING_TEXT = 4096;
const LONGEST_CUT_WARNING = 256;
const CONTROL = /\p{Cc}/u;

/**
 * The `Warning` header values of texts. As the reference: texts that no header can carry are left out; when they are long
 * together each is cut, and what is too much left out.
 */
export function warningHeaders(warnings: readonly string[]): Headers {
  if (warnings.length === 0) return {};
  let texts = warnings.filter((text) => !CONTROL.test(text));
  if (texts.reduce((sum, text) => sum + text.length, 0) > MOST_WARNING_TEXT) {
    texts = texts.map((text) => text.slice(0, LONGEST_CUT_WARNING)).slice(0, MOST_WARNING_TEXT / LONGEST_CUT_WARNING);
  }
  if (texts.length === 0) return {};
  return { warning: texts.map((text) => `299 - "${text.replace(/["\\]/g, "\\$&")}"`) };
}

/** Headers of an answer in the form that the client accepts. */
export function answerHeaders(exchange: Exchange): Headers {
  return {
    "cache-control": "no-cache, private",
    "content-type": exchange.accepted.mediaType,
    ...warningHeaders(exchange.warnings),
  };
}

/** Encodes JSON data in the form a client accepts. */
export function encodeAs(value: unknown, accepted: Accepted): Buffer {
  if (accepted.mediaType === "application/yaml") return Buffer.from(stringifyYaml(sortKeys(value)));
  return Buffer.from(accepted.pretty ? `${encodePrettyJson(value)}\n` : `${encodeJson(value)}\n`);
}

/** Answers JSON data as it is, in the encoding the client accepts. */
export function answerValue(exchange: Exchange, status: number, value: unknown): ApiResponse {
  return new LazyResponse(
    status,
    answerHeaders(exchange),
    () => encodeAs(value, exchange.accepted),
    () => value,
  );
}

/** The stored object in the form of a kind that shares its storage. Frozen and shared. */
export function servedObject(stored: StoredObject, kind: KindStrategy): KubeObject {
  const { object } = stored;
  const apiVersion = formatApiVersion(kind.group, kind.version);
  if (object.apiVersion === apiVersion) return object;
  if (kind.converter === undefined) return deepFreeze(kind.convert(object));
  const form = kind.converter.known(stored, apiVersion);
  // It was converted before the request came here, unless somebody wrote it since.
  if (form === undefined) throw new ConcurrentChange("the object changed while it was converted");
  return form.object;
}

/** As `servedObject`, encoded. */
export function servedBytes(stored: StoredObject, kind: KindStrategy): Buffer {
  const head = servedHead(kind);
  const { bytes } = stored;
  if (bytes.length > head.length && bytes.compare(head, 0, head.length, 0, head.length) === 0) return bytes;
  // Versions of a custom resource differ in nothing else.
  if (kind.custom && kind.converter === undefined) return Buffer.concat([head, stored.tail]);
  const { apiVersion, kind: name, ...rest } = servedObject(stored, kind);
  return Buffer.from(encodeJson({ apiVersion, kind: name, ...rest }));
}

const heads = new WeakMap<KindStrategy, Buffer>();

/** The beginning of every stored object of the kind: `{"apiVersion":"v1","kind":"Pod",`. */
export function servedHead(kind: KindStrategy): Buffer {
  let head = heads.get(kind);
  if (head === undefined) {
    const apiVersion = JSON.stringify(formatApiVersion(kind.group, kind.version));
    head = Buffer.from(`{"apiVersion":${apiVersion},"kind":${JSON.stringify(kind.kind)},`);
    heads.set(kind, head);
  }
  return head;
}

/** Answers one object of the exchange's kind. */
export function answerObject(exchange: Exchange, status: number, object: KubeObject | StoredObject): ApiResponse {
  const { accepted, kind } = exchange;
  // Asking for its bytes would make them, for callers in this process that never read them.
  const stored = object instanceof StoredObject ? object : undefined;
  const plain = object instanceof StoredObject ? undefined : object;
  const whole = (): KubeObject => plain ?? servedObject(stored!, kind);
  if (accepted.form !== "object")
    return answerValue(exchange, status, represent(exchange, [whole()], whole().metadata));
  const isCompactJson = accepted.mediaType === "application/json" && !accepted.pretty;
  const encode =
    stored !== undefined && isCompactJson
      ? () => Buffer.concat([servedBytes(stored, kind), NEWLINE])
      : () => encodeAs(whole(), accepted);
  return new LazyResponse(status, answerHeaders(exchange), encode, whole);
}

/** Metadata of a list answer. */
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** The Table or PartialObjectMetadata form of objects. `meta` is the metadata of a list, or of the single object. */
export function represent(exchange: Exchange, objects: readonly KubeObject[], meta: object): JsonObject {
  const { accepted } = exchange;
  const apiVersion = `meta.k8s.io/${accepted.metaVersion}`;
  if (accepted.form === "table") {
    const { resourceVersion, continue: token, remainingItemCount } = meta as ListMeta;
    return {
      kind: "Table",
      apiVersion,
      metadata: {
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(token === undefined ? {} : { continue: token }),
        ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
      },
      // Columns are JSON data.
      columnDefinitions: exchange.kind.columns as unknown as JsonObject[],
      rows: tableRows(exchange, objects),
    };
  }
  if (accepted.form === "metadata") return partialMetadata(objects[0]!, apiVersion);
  return {
    kind: "PartialObjectMetadataList",
    apiVersion,
    metadata: { ...meta } as JsonObject,
    // As the reference, which never makes an empty list of these.
    items: objects.length === 0 ? null : objects.map((object) => partialMetadata(object, apiVersion)),
  };
}

function partialMetadata(object: KubeObject, apiVersion: string): JsonObject {
  // Metadata of a stored object is JSON data.
  return { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata as unknown as JsonObject };
}

/** A bookmark has no name, and its cell is empty rather than absent. */
function cellsOf(kind: KindStrategy, object: KubeObject, nowMs: number): readonly unknown[] {
  const cells = kind.cells(object, nowMs);
  return object.metadata.name === undefined ? ["", ...cells.slice(1)] : cells;
}

/** The rows of a Table; `includeObject` of the query says what each carries. */
export function tableRows(exchange: Exchange, objects: readonly KubeObject[]): JsonObject[] {
  const include = exchange.query.get("includeObject") ?? "Metadata";
  if (include !== "None" && include !== "Metadata" && include !== "Object" && include !== "") {
    const why = "must be 'Metadata', 'Object', 'None', or empty";
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: ${why}`,
    );
  }
  const nowMs = exchange.server.clock.now();
  const apiVersion = `meta.k8s.io/${exchange.accepted.metaVersion}`;
  return objects.map((object) => ({
    // Cells are JSON data by the strategy's contract.
    cells: cellsOf(exchange.kind, object, nowMs) as JsonObject[],
    object:
      include === "None"
        ? null
        : include === "Object"
          ? (object as unknown as JsonObject)
          : partialMetadata(object, apiVersion),
  }));
}
