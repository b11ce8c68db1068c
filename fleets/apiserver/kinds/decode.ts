// Decoders of the built-in types, compiled once from the field tables. A decoder checks JSON types with Go's error
// texts, drops and reports unknown fields, and answers the canonical form: what the server would print.
import type { Json, JsonObject } from "../../../kube/object.ts";
import { formatQuantity, quantityFromJson } from "../../../kube/quantity.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { canonicalBase64, canonicalMicroTime, canonicalTime, DecodeError } from "./go-values.ts";
import { definitionName, fieldsOf, hasTypeMeta, schemaOf } from "./tables.ts";

/** Where a decoder stands, and what it found so far. One per body. */
class Cursor {
  /** Field names and `[index]` or map keys down to the present value. */
  readonly path: string[] = [];
  /** Only field names, as Go prints them for wrong types. */
  readonly fields: string[] = [];
  readonly strictErrors: string[] = [];
  /** Go name of the innermost struct. */
  struct = "";

  wrongType(value: Json | undefined, goType: string): DecodeError {
    const target = this.fields.length === 0 ? "value" : `struct field ${this.struct}.${this.fields.join(".")}`;
    return new DecodeError(`json: cannot unmarshal ${describeJson(value)} into Go ${target} of type ${goType}`);
  }

  unknown(name: string): void {
    this.strictErrors.push(`unknown field "${this.path.length === 0 ? name : `${joinPath(this.path)}.${name}`}"`);
  }
}

function joinPath(path: readonly string[]): string {
  let text = "";
  for (const part of path) text += text === "" || part.startsWith("[") ? part : `.${part}`;
  return text;
}

/** A JSON value as Go names it in type errors; numbers that do not fit carry their text. */
function describeJson(value: Json | undefined): string {
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return "object";
  }
}

/** Decodes a value that is not null. */
type Decode = (value: Json, cursor: Cursor) => Json;

interface Decoder {
  readonly decode: Decode;
  /** What null or a missing value becomes where the field is not optional: `""`, `0`, a struct's zero, null for lists. */
  zero(): Json;
  /** Whether omitempty drops the value. */
  isEmpty(value: Json): boolean;
  readonly goType: string;
}

interface StructField {
  readonly name: string;
  readonly decoder: Decoder;
  readonly index: number;
  /** Absent stays absent. */
  readonly optional: boolean;
  readonly dropEmpty: boolean;
  /** omitzero: a null time is dropped. */
  readonly dropNull: boolean;
  readonly pointer: boolean;
}

interface StructType {
  readonly goName: string;
  readonly fields: readonly StructField[];
  readonly byName: ReadonlyMap<string, StructField>;
}

const structs = new Map<string, StructType>();
const decoders = new Map<string, Decoder>();

function structOf(typeName: string): StructType {
  const known = structs.get(typeName);
  if (known !== undefined) return known;
  const fields: StructField[] = [];
  const byName = new Map<string, StructField>();
  const goName = typeName.slice(typeName.lastIndexOf(".") + 1);
  const type: StructType = { goName, fields, byName };
  // Registered before its fields: types recurse.
  structs.set(typeName, type);
  if (hasTypeMeta(typeName)) {
    addField(fields, byName, "kind", decoderOf("s"), "o");
    addField(fields, byName, "apiVersion", decoderOf("s"), "o");
  }
  collectFields(typeName, fields, byName);
  return type;
}

function collectFields(typeName: string, fields: StructField[], byName: Map<string, StructField>): void {
  for (const [, name, code, flags] of fieldsOf(typeName)) {
    if (name === "") collectFields(code.slice(1), fields, byName);
    else addField(fields, byName, name, lazyDecoder(code, typeName, name), flags);
  }
}

function addField(
  fields: StructField[],
  byName: Map<string, StructField>,
  name: string,
  decoder: Decoder,
  flags: string,
): void {
  const pointer = flags.includes("p");
  const optional = flags.includes("o");
  const dropNull = flags.includes("z");
  const field = {
    name,
    decoder,
    index: fields.length,
    optional,
    dropEmpty: optional && !pointer,
    dropNull,
    pointer,
  };
  fields.push(field);
  byName.set(name, field);
}

/** Messages are resolved on first use: types refer to each other in circles. */
function lazyDecoder(code: string, typeName: string, fieldName: string): Decoder {
  if (code === "i" || code === "[i") return integerDecoder(code, typeName, fieldName);
  return decoderOf(code);
}

function decoderOf(code: string): Decoder {
  let decoder = decoders.get(code);
  if (decoder === undefined) {
    decoder = makeDecoder(code);
    decoders.set(code, decoder);
  }
  return decoder;
}

function makeDecoder(code: string): Decoder {
  switch (code.charAt(0)) {
    case "[":
      return listDecoder(decoderOf(code.slice(1)));
    case "{":
      return mapDecoder(decoderOf(code.slice(1)), code);
    case ":":
      return structDecoder(code.slice(1));
    case "w":
      // A named list type: in JSON it is the list itself.
      return listDecoder(decoderOf(code.slice(1)));
  }
  const scalar = SCALARS[code];
  if (scalar === undefined) throw new Error(`unknown type code ${code}`);
  return scalar;
}

function integerDecoder(code: string, typeName: string, fieldName: string): Decoder {
  const properties = schemaOf(definitionName(typeName))?.["properties"] as
    | Record<string, { format?: string; items?: { format?: string } } | undefined>
    | undefined;
  const schema = properties?.[fieldName];
  const format = code === "i" ? schema?.format : schema?.items?.format;
  const decoder = format === "int64" ? INT64 : INT32;
  return code === "i" ? decoder : listDecoder(decoder);
}

function structDecoder(typeName: string): Decoder {
  let type: StructType | undefined;
  const resolve = (): StructType => {
    type ??= structOf(typeName);
    return type;
  };
  return {
    goType: typeName.slice(typeName.lastIndexOf("/") + 1),
    isEmpty: () => false,
    zero: () => decodeStruct(resolve(), {}, new Cursor()),
    decode(value, cursor) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw cursor.wrongType(value, this.goType);
      }
      return decodeStruct(resolve(), value, cursor);
    },
  };
}

function decodeStruct(type: StructType, value: JsonObject, cursor: Cursor): JsonObject {
  const { fields, byName } = type;
  const found: (Json | undefined)[] = new Array(fields.length);
  const outer = cursor.struct;
  for (const name in value) {
    const field = byName.get(name);
    if (field === undefined) {
      cursor.unknown(name);
      continue;
    }
    const item = value[name];
    if (item === null || item === undefined) continue;
    cursor.struct = type.goName;
    cursor.path.push(name);
    cursor.fields.push(name);
    found[field.index] = field.decoder.decode(item, cursor);
    cursor.path.pop();
    cursor.fields.pop();
  }
  cursor.struct = outer;
  const out: JsonObject = {};
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    const item = found[index] ?? absentValue(field);
    if (item === undefined || (field.dropEmpty && field.decoder.isEmpty(item))) continue;
    if (item === null && field.dropNull) continue;
    out[field.name] = item;
  }
  return out;
}

function absentValue(field: StructField): Json | undefined {
  if (field.pointer) return field.optional ? undefined : null;
  return field.decoder.zero();
}

function listDecoder(item: Decoder): Decoder {
  return {
    goType: `[]${item.goType}`,
    isEmpty: (value) => value === null || (Array.isArray(value) && value.length === 0),
    zero: () => null,
    decode(value, cursor) {
      if (!Array.isArray(value)) throw cursor.wrongType(value, this.goType);
      const out: Json[] = new Array(value.length);
      for (let index = 0; index < value.length; index++) {
        const element = value[index];
        if (element === null || element === undefined) {
          out[index] = item.zero();
          continue;
        }
        cursor.path.push(`[${index}]`);
        out[index] = item.decode(element, cursor);
        cursor.path.pop();
      }
      return out;
    },
  };
}

function mapDecoder(item: Decoder, code: string): Decoder {
  return {
    goType: code === "{Quantity" ? "v1.ResourceList" : `map[string]${item.goType}`,
    isEmpty: (value) => value === null || isEmptyObject(value),
    zero: () => null,
    decode(value, cursor) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw cursor.wrongType(value, this.goType);
      }
      const out: JsonObject = {};
      for (const key in value) {
        const element = value[key];
        if (element === null || element === undefined) {
          out[key] = item.zero();
          continue;
        }
        cursor.path.push(key);
        out[key] = item.decode(element, cursor);
        cursor.path.pop();
      }
      return out;
    },
  };
}

function isEmptyObject(value: Json): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const _ in value) return false;
  return true;
}

function integer(goType: string, lowest: bigint, highest: bigint): Decoder {
  const low = Number(lowest);
  const high = Number(highest);
  return {
    goType,
    zero: () => 0,
    isEmpty: (value) => value === 0,
    decode(value, cursor) {
      if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
      if (typeof value === "bigint" && value >= lowest && value <= highest) return value;
      if (typeof value !== "number" && typeof value !== "bigint") throw cursor.wrongType(value, goType);
      throw new DecodeError(cursor.wrongType(value, goType).message.replace("number", `number ${value}`));
    },
  };
}

const INT32 = integer("int32", -(2n ** 31n), 2n ** 31n - 1n);
const INT64 = integer("int64", -(2n ** 63n), 2n ** 63n - 1n);

const STRING: Decoder = {
  goType: "string",
  zero: () => "",
  isEmpty: (value) => value === "",
  decode(value, cursor) {
    if (typeof value !== "string") throw cursor.wrongType(value, "string");
    return value;
  },
};

/** Values with a parser of their own report a wrong type without a path, as Go does. */
function expectString(value: Json): string {
  if (typeof value === "string") return value;
  throw new DecodeError(`json: cannot unmarshal ${describeJson(value)} into Go value of type string`);
}

function time(goType: string, canonical: (text: string) => string): Decoder {
  return {
    goType,
    zero: () => null,
    // A time is a struct to Go: omitempty does not drop it.
    isEmpty: () => false,
    decode: (value) => canonical(expectString(value)),
  };
}

/** Raw JSON that is kept as it came. */
const RAW: Decoder = {
  goType: "runtime.RawExtension",
  zero: () => null,
  isEmpty: () => false,
  decode: (value) => value,
};

const JSON_SCHEMA = ":apiextensions/v1.JSONSchemaProps";

/** A schema, or something that is no object (a boolean, a list) and is decoded by `other`. */
function schemaOr(goType: string, other: Decode): Decoder {
  return {
    goType,
    zero: () => null,
    isEmpty: (value) => value === null,
    decode(value, cursor) {
      const isSchema = typeof value === "object" && value !== null && !Array.isArray(value);
      return isSchema ? decoderOf(JSON_SCHEMA).decode(value, cursor) : other(value, cursor);
    },
  };
}

const SCALARS: Readonly<Record<string, Decoder>> = {
  s: STRING,
  i: INT32,
  b: {
    goType: "bool",
    zero: () => false,
    isEmpty: (value) => value === false,
    decode(value, cursor) {
      if (typeof value !== "boolean") throw cursor.wrongType(value, "bool");
      return value;
    },
  },
  d: {
    goType: "float64",
    zero: () => 0,
    isEmpty: (value) => value === 0,
    decode(value, cursor) {
      if (typeof value !== "number" && typeof value !== "bigint") throw cursor.wrongType(value, "float64");
      return value;
    },
  },
  y: {
    goType: "[]uint8",
    zero: () => null,
    isEmpty: (value) => value === null || value === "",
    decode(value, cursor) {
      if (typeof value !== "string") throw cursor.wrongType(value, "[]uint8");
      return canonicalBase64(value);
    },
  },
  Time: time("v1.Time", canonicalTime),
  MicroTime: time("v1.MicroTime", canonicalMicroTime),
  Quantity: {
    goType: "resource.Quantity",
    zero: () => "0",
    isEmpty: () => false,
    decode(value) {
      const isText = typeof value === "string" || typeof value === "number" || typeof value === "bigint";
      try {
        return formatQuantity(quantityFromJson(isText ? value : "?"));
      } catch (error) {
        throw new DecodeError(messageOf(error));
      }
    },
  },
  IntOrString: {
    goType: "intstr.IntOrString",
    zero: () => 0,
    isEmpty: () => false,
    decode(value) {
      if (typeof value === "string") return value;
      if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
      const what = typeof value === "number" || typeof value === "bigint" ? `number ${value}` : describeJson(value);
      throw new DecodeError(`json: cannot unmarshal ${what} into Go value of type int32`);
    },
  },
  RawExtension: RAW,
  JSON: RAW,
  FieldsV1: RAW,
  SchemaOrArray: schemaOr("v1.JSONSchemaPropsOrArray", (value, cursor) =>
    decoderOf(`[${JSON_SCHEMA}`).decode(value, cursor),
  ),
  SchemaOrBool: schemaOr("v1.JSONSchemaPropsOrBool", (value) => {
    if (typeof value === "boolean") return value;
    throw new DecodeError("boolean or JSON schema expected");
  }),
  SchemaOrStrings: schemaOr("v1.JSONSchemaPropsOrStringArray", (value, cursor) =>
    decoderOf("[s").decode(value, cursor),
  ),
};

export interface TypedValue {
  readonly value: JsonObject;
  /** `unknown field "spec.x"`, in document order. */
  readonly strictErrors: readonly string[];
}

/**
 * Decodes a value of a table type. `prefix` goes before the paths of unknown fields. Throws `DecodeError` for a value
 * of the wrong JSON type.
 */
export function decodeTyped(typeName: string, value: JsonObject, prefix?: string): TypedValue {
  const cursor = new Cursor();
  if (prefix !== undefined) {
    cursor.path.push(prefix);
    cursor.fields.push(prefix);
  }
  const decoded = decoderOf(`:${typeName}`).decode(value, cursor);
  // A struct decodes to an object.
  return { value: decoded as JsonObject, strictErrors: cursor.strictErrors };
}
