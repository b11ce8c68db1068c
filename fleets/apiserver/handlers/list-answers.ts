// Answers to lists. Large ones are made part by part while they are sent, so that they hold up nobody.
import type { ApiResponse, ByteSource } from "../../../kube/client/transport.ts";
import { formatApiVersion } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { Exchange } from "../request/exchange.ts";
import { encodeJson } from "../storage/json-text.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import {
  answerHeaders,
  answerValue,
  encodeAs,
  LazyResponse,
  type ListMeta,
  represent,
  servedBytes,
  servedHead,
  servedObject,
} from "./answers.ts";

/** Lists of more objects are made while they are sent. */
const LARGE = 256;
const PART_BYTES = 262_144;
/** Objects whose Table rows or metadata make one part. */
const ROWS_A_PART = 64;
const OPEN_BRACE = 0x7b;
const COMMA = 0x2c;
const LIST_END = Buffer.from("]}\n");
const PLACE = "items-go-here";
const YAML_PLACE = `- ${PLACE}\n`;
const JSON_PLACE = `    "${PLACE}"\n`;

/** Answers a list of stored objects of the exchange's kind. */
export function answerList(exchange: Exchange, items: readonly StoredObject[], meta: ListMeta): ApiResponse {
  const { accepted, kind } = exchange;
  const isCompactJson = accepted.mediaType === "application/json" && !accepted.pretty;
  if (accepted.form !== "object") {
    if (isCompactJson && items.length > LARGE) {
      const whole = (): unknown => represented(exchange, items, meta);
      return new ListResponse(exchange, () => representedParts(exchange, items, meta), whole, true);
    }
    return answerValue(exchange, 200, represented(exchange, items, meta));
  }
  const apiVersion = formatApiVersion(kind.group, kind.version);
  // As the reference: lists of custom resources always have the field.
  const metadata = kind.custom ? { continue: "", ...meta } : meta;
  const list = () => ({
    kind: kind.listKind,
    apiVersion,
    metadata,
    items: items.map((item) => servedObject(item, kind)),
  });
  if (!isCompactJson) {
    const parts = () => writtenParts(items, kind, { kind: kind.listKind, apiVersion, metadata }, accepted);
    return new ListResponse(exchange, parts, list, items.length > LARGE);
  }
  const head = `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`;
  return new ListResponse(exchange, () => objectParts(items, kind, head), list, items.length > LARGE);
}

class ListResponse extends LazyResponse {
  /** Absent for small lists, whose length is worth telling. */
  readonly source?: ByteSource;

  constructor(exchange: Exchange, parts: () => Iterable<Buffer>, parse: () => unknown, isLarge: boolean) {
    super(200, answerHeaders(exchange), () => Buffer.concat([...parts()]), parse);
    if (isLarge) this.source = new PartSource(parts);
  }
}

class PartSource implements ByteSource {
  readonly #parts: () => Iterable<Buffer>;
  #iterator: Iterator<Buffer> | undefined;
  state: ByteSource["state"] = "open";

  constructor(parts: () => Iterable<Buffer>) {
    this.#parts = parts;
  }

  read(): Buffer | undefined {
    if (this.state === "ended") return undefined;
    this.#iterator ??= this.#parts()[Symbol.iterator]();
    const next = this.#iterator.next();
    if (next.done !== true) return next.value;
    this.state = "ended";
    return undefined;
  }

  onReady(): void {
    // There is always something, until the end.
  }

  close(): void {
    this.state = "ended";
  }
}

/** Items of built-in kinds are sent without kind and apiVersion. */
function wireItem(item: StoredObject, kind: KindStrategy): unknown {
  const object = servedObject(item, kind);
  if (kind.custom) return object;
  const { apiVersion: _version, kind: _kind, ...rest } = object;
  return rest;
}

/**
 * A list as YAML or indented JSON, an item at a time. The list around the items is encoded with one item that says where
 * they go: in YAML with its keys in order, in JSON at the end.
 */
function* writtenParts(
  items: readonly StoredObject[],
  kind: KindStrategy,
  list: Readonly<Record<string, unknown>>,
  accepted: Exchange["accepted"],
): Generator<Buffer> {
  if (items.length === 0) {
    yield encodeAs({ ...list, items: [] }, accepted);
    return;
  }
  const isYaml = accepted.mediaType === "application/yaml";
  const encode = (value: unknown): string => encodeAs(value, accepted).toString();
  const [start = "", end = ""] = encode({ ...list, items: [PLACE] }).split(isYaml ? YAML_PLACE : JSON_PLACE);
  yield Buffer.from(start);
  const last = items.length - 1;
  for (const [index, item] of items.entries()) {
    const text = encode(isYaml ? [wireItem(item, kind)] : wireItem(item, kind));
    // Texts in JSON have no line ends of their own, so each begins a line of the encoding.
    yield Buffer.from(
      isYaml ? text : `    ${text.trimEnd().replaceAll("\n", "\n    ")}${index === last ? "\n" : ",\n"}`,
    );
  }
  yield Buffer.from(end);
}

function* objectParts(items: readonly StoredObject[], kind: KindStrategy, head: string): Generator<Buffer> {
  yield Buffer.from(head);
  const cut = kind.custom ? 0 : servedHead(kind).length;
  let part = Buffer.allocUnsafeSlow(PART_BYTES);
  let size = 0;
  let isFirst = true;
  for (const item of items) {
    const bytes = servedBytes(item, kind);
    // A comma and an opening brace at most.
    if (size + bytes.length + 2 > PART_BYTES) {
      yield part.subarray(0, size);
      part = Buffer.allocUnsafeSlow(Math.max(PART_BYTES, bytes.length + 2));
      size = 0;
    }
    if (!isFirst) part[size++] = COMMA;
    isFirst = false;
    if (cut > 0) part[size++] = OPEN_BRACE;
    size += bytes.copy(part, size, cut);
  }
  if (size > 0) yield part.subarray(0, size);
  yield LIST_END;
}

function represented(exchange: Exchange, items: readonly StoredObject[], meta: ListMeta): unknown {
  const objects = items.map((item) => servedObject(item, exchange.kind));
  return represent(exchange, objects, { ...meta });
}

/** A Table or a list of metadata: its last field is the list of rows or items. */
function* representedParts(exchange: Exchange, items: readonly StoredObject[], meta: ListMeta): Generator<Buffer> {
  const { rows, items: metadata } = represent(exchange, [], { ...meta });
  const field = rows === undefined ? "items" : "rows";
  if (!Array.isArray(rows ?? metadata)) throw new Error("the form has no list");
  const empty = encodeJson(represent(exchange, [], { ...meta }));
  yield Buffer.from(empty.slice(0, -"]}".length));
  for (let from = 0; from < items.length; from += ROWS_A_PART) {
    const objects = items.slice(from, from + ROWS_A_PART).map((item) => servedObject(item, exchange.kind));
    // Checked above.
    const some = represent(exchange, objects, {})[field] as unknown[];
    yield Buffer.from(`${from === 0 ? "" : ","}${some.map(encodeJson).join(",")}`);
  }
  yield LIST_END;
}
