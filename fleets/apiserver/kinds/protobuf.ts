// Decoding of protobuf request bodies of built-in kinds. Fields are looked up in the type tables; the result is plain
// JSON that the kind's decoder brings into its canonical form.
import { type Json, type JsonObject, setOwn } from "../../../kube/object.ts";
import { formatMicroseconds, formatSeconds } from "./go-values.ts";
import { checkWireType, NO_BYTES, ProtobufError, readFields, readVarint, type WireField } from "./protobuf-wire.ts";
import { type FieldRow, fieldsOf, hasTypeMeta, typeMetaOf, typeNameOf } from "./tables.ts";

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
/** A message within messages: deeper ones no stack of ours holds, and no client of ours sends. */
const MOST_DEPTH = 1000;
const utf8 = new TextDecoder();

function text(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function toNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const rowsByNumber = new Map<string, ReadonlyMap<number, FieldRow>>();

function rowsOf(typeName: string): ReadonlyMap<number, FieldRow> {
  let rows = rowsByNumber.get(typeName);
  if (rows === undefined) {
    rows = new Map(fieldsOf(typeName).map((row) => [row[0], row]));
    rowsByNumber.set(typeName, rows);
  }
  return rows;
}

/** Messages within messages at this moment: decoding is synchronous, so one count serves. */
let depth = 0;

function decodeMessage(typeName: string, bytes: Uint8Array, into: JsonObject = {}): JsonObject {
  depth += 1;
  try {
    if (depth > MOST_DEPTH) throw new ProtobufError("proto: messages are nested too deep");
    return decodeFields(typeName, bytes, into);
  } finally {
    depth -= 1;
  }
}

function decodeFields(typeName: string, bytes: Uint8Array, into: JsonObject): JsonObject {
  const rows = rowsOf(typeName);
  function check(number: number, wireType: number): void {
    const row = rows.get(number);
    if (row !== undefined) checkWireType(wireType, row[2], goFieldName(row[1], row[2]));
  }
  for (const field of readFields(bytes, messageName(typeName), check)) {
    const row = rows.get(field.number);
    if (row === undefined) continue;
    const [, name, code] = row;
    if (name === "") decodeMessage(code.slice(1), field.bytes, into);
    else if (code.startsWith("[")) appendItem(into, name, code.slice(1), field);
    else if (code.startsWith("{")) addEntry(into, name, code.slice(1), field.bytes);
    else into[name] = decodeValue(code, field);
  }
  return into;
}

function messageName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf(".") + 1);
}

/** The name of a field in Go's struct; types that are embedded name their field. */
function goFieldName(name: string, code: string): string {
  if (name === "" || name === "metadata") return messageName(code);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function appendItem(into: JsonObject, name: string, code: string, field: WireField): void {
  const list = into[name];
  const target = Array.isArray(list) ? list : [];
  if (list === undefined) into[name] = target;
  if ((code === "i" || code === "b") && field.bytes.length > 0) {
    target.push(...unpackIntegers(field.bytes, code));
    return;
  }
  const item = decodeValue(code, field);
  // Whole objects inside of others, such as volume claim templates, say their kind; items of lists do not.
  const meta = name === "items" ? undefined : typeMetaOf(code.slice(1));
  target.push(meta === undefined ? item : { ...meta, ...(item as JsonObject) });
}

function unpackIntegers(bytes: Uint8Array, code: string): Json[] {
  const out: Json[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, next] = readVarint(bytes, at);
    out.push(code === "b" ? value !== 0n : toNumber(value));
    at = next;
  }
  return out;
}

function addEntry(into: JsonObject, name: string, code: string, bytes: Uint8Array): void {
  let key = "";
  let value: WireField = { number: 2, wireType: 2, integer: 0n, bytes: NO_BYTES };
  for (const field of readFields(bytes, "entry")) {
    if (field.number === 1) key = text(field.bytes);
    else if (field.number === 2) value = field;
  }
  const present = into[name];
  const map: JsonObject = typeof present === "object" && present !== null && !Array.isArray(present) ? present : {};
  setOwn(map, key, decodeValue(code, value));
  into[name] = map;
}

function decodeValue(code: string, field: WireField): Json {
  switch (code) {
    case "s":
      return text(field.bytes);
    case "i":
      return toNumber(field.integer);
    case "b":
      return field.integer !== 0n;
    case "d":
      return new DataView(field.bytes.buffer, field.bytes.byteOffset, 8).getFloat64(0, true);
    case "y":
      return base64(field.bytes);
  }
  if (code.startsWith(":")) return decodeMessage(code.slice(1), field.bytes);
  if (code.startsWith("w")) return decodeWrapped(code.slice(1), field.bytes);
  return decodeSpecial(code, field.bytes);
}

function decodeWrapped(code: string, bytes: Uint8Array): Json[] {
  const items: Json[] = [];
  for (const field of readFields(bytes, "wrapper")) if (field.number === 1) items.push(decodeValue(code, field));
  return items;
}

function decodeSpecial(code: string, bytes: Uint8Array): Json {
  const fields = new Map<number, WireField>();
  for (const field of readFields(bytes, code)) fields.set(field.number, field);
  const integerOf = (number: number): number => Number(fields.get(number)?.integer ?? 0n);
  const bytesOf = (number: number): Uint8Array => fields.get(number)?.bytes ?? NO_BYTES;
  switch (code) {
    case "Time":
      return fields.size === 0 || isZeroTime(integerOf(1)) ? null : formatSeconds(integerOf(1));
    case "MicroTime":
      return fields.size === 0 || isZeroTime(integerOf(1)) ? null : formatMicroseconds(integerOf(1), integerOf(2));
    case "IntOrString":
      return integerOf(1) === 0 ? integerOf(2) : text(bytesOf(3));
    case "Quantity":
      return text(bytesOf(1)) || "0";
    case "FieldsV1":
    case "RawExtension":
    case "JSON":
      return parseRaw(bytesOf(1));
    case "SchemaOrBool":
      return fields.has(2) ? decodeMessage(SCHEMA_TYPE, bytesOf(2)) : integerOf(1) !== 0;
    case "SchemaOrArray":
      return fields.has(1) ? decodeMessage(SCHEMA_TYPE, bytesOf(1)) : repeated(bytes, 2, `:${SCHEMA_TYPE}`);
    case "SchemaOrStrings":
      return fields.has(1) ? decodeMessage(SCHEMA_TYPE, bytesOf(1)) : repeated(bytes, 2, "s");
    default:
      throw new Error(`unknown type code ${code}`);
  }
}

const SCHEMA_TYPE = "apiextensions/v1.JSONSchemaProps";

function repeated(bytes: Uint8Array, number: number, code: string): Json[] {
  const items: Json[] = [];
  for (const field of readFields(bytes, "JSONSchemaPropsOr"))
    if (field.number === number) items.push(decodeValue(code, field));
  return items;
}

/** Go's zero time is written as a far negative number of seconds. */
function isZeroTime(seconds: number): boolean {
  return seconds === -62135596800;
}

function parseRaw(bytes: Uint8Array): Json {
  if (bytes.length === 0) return null;
  try {
    return JSON.parse(text(bytes)) as Json;
  } catch {
    throw new ProtobufError("embedded object is not JSON");
  }
}

/** The JSON of one message of a table type such as `core/v1.Toleration`, without an envelope. Throws `ProtobufError`. */
export function decodeBareMessage(typeName: string, bytes: Uint8Array): JsonObject {
  return decodeMessage(typeName, bytes);
}

/** Whether a body starts like a protobuf envelope of Kubernetes. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * The JSON of a protobuf body of a built-in kind (DeleteOptions and the like included), not yet canonical: zero values
 * are as sent. Throws `ProtobufError` for bytes that are no envelope, are cut short or name an unknown kind.
 */
export function decodeProtobuf(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (!isProtobuf(bytes)) {
    throw new ProtobufError(
      `provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(" ")}]`,
    );
  }
  if (bytes.length === MAGIC.length) throw new ProtobufError("empty body");
  const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(MAGIC.length));
  const of = { apiVersion, kind };
  // Options are the same in every group; clients name them by the group of the object.
  const typeName = typeNameOf(apiVersion, kind) ?? (kind === "DeleteOptions" ? typeNameOf("v1", kind) : undefined);
  if (typeName === undefined) throw new ProtobufError(unknownKind(apiVersion, kind), of);
  try {
    return decodeMessage(typeName, raw, hasTypeMeta(typeName) ? { kind, apiVersion } : {});
  } catch (error) {
    throw error instanceof ProtobufError ? new ProtobufError(error.message, of) : error;
  }
}

function readEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  let apiVersion = "";
  let kind = "";
  let raw: Uint8Array = NO_BYTES;
  for (const field of readFields(bytes, "Unknown")) {
    if (field.number === 2) raw = field.bytes;
    if (field.number !== 1) continue;
    for (const meta of readFields(field.bytes, "TypeMeta")) {
      if (meta.number === 1) apiVersion = text(meta.bytes);
      else if (meta.number === 2) kind = text(meta.bytes);
    }
  }
  return { apiVersion, kind, raw };
}

/** How the reference says that it has no such kind. */
export function unknownKind(apiVersion: string, kind: string): string {
  return `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`;
}
