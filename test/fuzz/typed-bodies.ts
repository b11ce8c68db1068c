// Random bodies of built-in kinds, as JSON and as protobuf, by the same tables that decode them.
import { ProtobufWriter } from "../../fleets/apiserver/kinds/protobuf-writer.ts";
import { fieldsOf, resourceRows, typeNameOf } from "../../fleets/apiserver/kinds/tables.ts";
import { formatApiVersion, type Json, type JsonObject } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";
import { HOSTILE_KEYS } from "./random.ts";

const WORDS = ["a", "web", "", "Always", "RollingUpdate", "Never", "None", "In", "1", "default", "TCP", "é"];
const SCALARS: Readonly<Record<string, readonly Json[]>> = {
  s: WORDS,
  i: [0, 1, -1, 80, 70_000],
  b: [true, false],
  d: [1.5],
  y: ["YQ=="],
  Time: ["2024-01-01T00:00:00Z"],
  MicroTime: ["2024-01-01T00:00:00.000000Z"],
  Quantity: ["1", "1Gi", "500m"],
  IntOrString: [1, "25%", "web"],
  FieldsV1: [{ "f:a": {} }],
  RawExtension: [{ a: 1 }],
  JSON: [{ a: [1] }, 1, "x"],
  SchemaOrArray: [{}],
  SchemaOrBool: [{}, true, false],
  SchemaOrStrings: [{}],
};

export interface TypedBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly typeName: string;
  readonly object: JsonObject;
}

/** A body of some built-in kind. `misfits`: how many of its values have the wrong type. */
export function randomBody(random: Random, misfits = 0): TypedBody {
  const row = random.pick(resourceRows());
  const apiVersion = formatApiVersion(row.group, row.version);
  const typeName = typeNameOf(apiVersion, row.kind);
  if (typeName === undefined) throw new Error(`no type for ${apiVersion} ${row.kind}`);
  const object = { apiVersion, kind: row.kind, ...randomStruct(random, typeName, 0, misfits) };
  return { apiVersion, kind: row.kind, typeName, object };
}

function randomStruct(random: Random, typeName: string, depth: number, misfits: number): JsonObject {
  const out: JsonObject = {};
  for (const [, name, code] of fieldsOf(typeName)) {
    if (name === "") Object.assign(out, randomStruct(random, code.slice(1), depth, misfits));
    else if (random.chance(depth > 5 ? 0.05 : depth > 2 ? 0.2 : 0.5)) {
      out[name] = randomValue(random, code, depth, misfits);
    }
  }
  return out;
}

function randomValue(random: Random, code: string, depth: number, misfits: number): Json {
  if (random.chance(misfits)) return random.pick<Json>([null, 1, "x", true, [], {}, -1, "9999999999999999999"]);
  const inner = code.slice(1);
  if (code.startsWith("[")) return random.list(2, () => randomValue(random, inner, depth + 1, misfits));
  if (code.startsWith("{")) {
    return Object.fromEntries(
      random.list(2, () => [
        random.pick(["k", "app", ...HOSTILE_KEYS]),
        randomValue(random, inner, depth + 1, misfits),
      ]),
    );
  }
  if (code.startsWith(":")) return randomStruct(random, inner, depth + 1, misfits);
  if (code.startsWith("w")) return random.list(2, () => randomValue(random, inner, depth + 1, misfits));
  return random.pick(SCALARS[code] ?? [{}, null]);
}

const SCHEMA = "apiextensions/v1.JSONSchemaProps";
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** The envelope that clients send. Leaves out what the tables cannot say, as other programs' encoders do not. */
export function encodeProtobuf({ apiVersion, kind, typeName, object }: TypedBody): Uint8Array {
  const envelope = new ProtobufWriter()
    .message(1, (meta) => meta.text(1, apiVersion).text(2, kind))
    .message(2, (raw) => writeStruct(raw, typeName, object));
  return Buffer.concat([MAGIC, envelope.finish()]);
}

function writeStruct(out: ProtobufWriter, typeName: string, object: JsonObject): void {
  for (const [number, name, code] of fieldsOf(typeName)) {
    if (name === "") {
      out.message(number, (inner) => writeStruct(inner, code.slice(1), object));
      continue;
    }
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value !== undefined && value !== null) writeField(out, number, code, value);
  }
}

function writeField(out: ProtobufWriter, number: number, code: string, value: Json): void {
  const inner = code.slice(1);
  if (code.startsWith("[") && Array.isArray(value)) {
    for (const item of value) writeField(out, number, inner, item);
  } else if (code.startsWith("{")) {
    for (const [key, item] of Object.entries(value as JsonObject)) {
      out.message(number, (entry) => {
        entry.text(1, key);
        writeField(entry, 2, inner, item as Json);
      });
    }
  } else if (code.startsWith(":")) out.message(number, (message) => writeStruct(message, inner, value as JsonObject));
  else if (code.startsWith("w") && Array.isArray(value)) {
    out.message(number, (message) => {
      for (const item of value) writeField(message, 1, inner, item);
    });
  } else writeScalar(out, number, code, value);
}

function writeScalar(out: ProtobufWriter, number: number, code: string, value: Json): void {
  switch (code) {
    case "s":
      out.text(number, String(value));
      return;
    case "i":
      // The writer knows no negative numbers.
      out.integer(number, Math.abs(Number(value)));
      return;
    case "b":
      out.integer(number, value === true ? 1 : 0);
      return;
    case "d":
      out.double(number, Number(value));
      return;
    case "Quantity":
      out.message(number, (message) => message.text(1, String(value)));
      return;
    case "IntOrString":
      out.message(number, (message) =>
        typeof value === "number"
          ? message.integer(1, 0).integer(2, value)
          : message.integer(1, 1).text(3, String(value)),
      );
      return;
    case "RawExtension":
    case "FieldsV1":
    case "JSON":
      out.message(number, (message) => message.text(1, JSON.stringify(value)));
      return;
    case "Time":
    case "MicroTime":
      out.message(number, (message) => message.integer(1, Date.parse(String(value)) / 1000));
      return;
    case "SchemaOrBool":
      out.message(number, (message) => {
        if (typeof value === "boolean") message.integer(1, value ? 1 : 0);
        else message.integer(1, 1).message(2, (schema) => writeStruct(schema, SCHEMA, value as JsonObject));
      });
      return;
    case "SchemaOrArray":
    case "SchemaOrStrings":
      out.message(number, (message) =>
        message.message(1, (schema) => writeStruct(schema, SCHEMA, value as JsonObject)),
      );
      return;
    default:
      out.text(number, Buffer.from(String(value), "base64").toString());
  }
}
