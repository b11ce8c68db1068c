// Decoders of the built-in types, compiled once from the field tables. A decoder checks JSON types with Go's error
// texts, drops and reports unknown fields, and answers the canonical form: what the server would print.
import { type Json, type JsonObject, setOwn } from "../../../kube/object.ts";
import { Cursor, type Decode, type Decoder, INT32, INT64, SCALARS } from "./decode-scalars.ts";
import { DecodeError } from "./go-values.ts";
import { definitionName, fieldsOf, hasTypeMeta, schemaOf } from "./tables.ts";

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

function namedString(goType: string): Decode {
  return (value, cursor) => {
    if (typeof value !== "string") throw cursor.wrongType(value, goType);
    return value;
  };
}

interface StringType {
  readonly name: string;
  /** The types whose field has this Go type; all when absent. */
  readonly owners?: RegExp;
}

/** Go types of texts that are no plain strings: type errors name them. */
const STRING_TYPES: Readonly<Record<string, StringType>> = {
  uid: { name: "types.UID" },
  dnsPolicy: { name: "v1.DNSPolicy" },
  restartPolicy: { name: "v1.RestartPolicy", owners: /PodSpec$/ },
  imagePullPolicy: { name: "v1.PullPolicy" },
  terminationMessagePolicy: { name: "v1.TerminationMessagePolicy" },
  protocol: { name: "v1.Protocol" },
  scheme: { name: "v1.URIScheme" },
  sessionAffinity: { name: "v1.ServiceAffinity" },
  externalTrafficPolicy: { name: "v1.ServiceExternalTrafficPolicy" },
  internalTrafficPolicy: { name: "v1.ServiceInternalTrafficPolicy" },
  ipFamilyPolicy: { name: "v1.IPFamilyPolicy" },
  concurrencyPolicy: { name: "v1.ConcurrencyPolicy" },
  completionMode: { name: "v1.CompletionMode" },
  podManagementPolicy: { name: "v1.PodManagementPolicyType" },
  preemptionPolicy: { name: "v1.PreemptionPolicy" },
  volumeMode: { name: "v1.PersistentVolumeMode" },
  persistentVolumeReclaimPolicy: { name: "v1.PersistentVolumeReclaimPolicy" },
  reclaimPolicy: { name: "v1.PersistentVolumeReclaimPolicy" },
  volumeBindingMode: { name: "v1.VolumeBindingMode" },
  pathType: { name: "v1.PathType" },
  failurePolicy: { name: "v1.FailurePolicyType", owners: /Webhook$/ },
  effect: { name: "v1.TaintEffect" },
  nodeName: { name: "types.NodeName", owners: /AttachedVolume$/ },
  propagationPolicy: { name: "v1.DeletionPropagation" },
};

/** Messages are resolved on first use: types refer to each other in circles. */
function lazyDecoder(code: string, typeName: string, fieldName: string): Decoder {
  const goName = STRING_TYPES[fieldName];
  if (code === "s" && goName !== undefined && (goName.owners === undefined || goName.owners.test(typeName))) {
    return { ...decoderOf("s"), goType: goName.name, decode: namedString(goName.name) };
  }
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
  const scalar = SCALARS[code] ?? SCHEMAS[code];
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
          setOwn(out, key, item.zero());
          continue;
        }
        cursor.path.push(key);
        setOwn(out, key, item.decode(element, cursor));
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

const SCHEMAS: Readonly<Record<string, Decoder>> = {
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
  }
  const decoded = decoderOf(`:${typeName}`).decode(value, cursor);
  // A struct decodes to an object.
  return { value: decoded as JsonObject, strictErrors: cursor.strictErrors };
}
