// Types of expressions for data that a schema describes.
import type { FieldTypes } from "./declarations.ts";
import { escapeName, isReservedWord } from "./escaping.ts";
import type { Range } from "./estimates.ts";
import { type FieldViews, JsonList, JsonMap, JsonObjectValue, type View } from "./json-values.ts";
import { durationOfFormat, timestampOfDate, timestampOfFormat } from "./times.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  struct,
  TIMESTAMP,
} from "./types.ts";
import { fail, type Value } from "./values.ts";

/** The keywords of a schema that types depend on. */
export interface DataSchema {
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly items?: DataSchema;
  readonly properties?: Readonly<Record<string, DataSchema>>;
  readonly additionalProperties?: DataSchema | boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
}

/** A schema as type, with the sizes that its data may have and the way to look at it. */
export interface DataType {
  readonly kind: "scalar" | "list" | "map" | "object";
  /** The type when the object types within are named from `name` on. */
  typeAt(name: string): CelType;
  /** Of objects, by escaped name. */
  readonly fields: ReadonlyMap<string, DataType>;
  /** Of lists and maps. */
  readonly element: DataType | undefined;
  /** Characters, items or entries at most. */
  readonly maxElements: number;
  /** Bytes of its shortest JSON. */
  readonly minSize: number;
  readonly view: View;
}

/** Bytes of the largest request; no data is larger. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const NO_FIELDS: ReadonlyMap<string, DataType> = new Map();
const LONGEST_TIME = 32;
const DATE_SIZE = 12;

function scalar(type: CelType, minSize: number, maxElements: number, view: View): DataType {
  return { kind: "scalar", typeAt: () => type, fields: NO_FIELDS, element: undefined, maxElements, minSize, view };
}

/** Every view answers null for null, where the schema allows it. */
function orNull(schema: DataSchema, view: View): View {
  const nullable = schema.nullable === true;
  return (json) => {
    if (json !== null && json !== undefined) return view(json);
    return nullable ? null : fail("invalid data, got null for schema with nullable=false");
  };
}

/**
 * The type of data of a schema; undefined when expressions cannot see it, as data of unknown form. `root`: the object
 * has a kind, an apiVersion and a name.
 */
export function dataType(schema: DataSchema, root = false): DataType | undefined {
  const type = bareDataType(schema, root);
  return type === undefined ? undefined : { ...type, view: orNull(schema, type.view) };
}

function bareDataType(schema: DataSchema, root: boolean): DataType | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) {
    const longest = schema.maxLength === undefined ? MAX_REQUEST_BYTES - 2 : Math.max(0, schema.maxLength) * 4;
    return scalar(DYN, 1, longest, viewIntOrString);
  }
  switch (schema.type) {
    case "array":
      return listType(schema);
    case "object":
      return typeof schema.additionalProperties === "object"
        ? mapType(schema, schema.additionalProperties)
        : objectType(schema, root);
    case "string":
      return stringType(schema);
    case "boolean":
      return scalar(BOOL, 4, 0, (json) => (typeof json === "boolean" ? json : mistyped("bool")));
    case "number":
      return scalar(DOUBLE, 1, 0, (json) =>
        typeof json === "number" || typeof json === "bigint" ? Number(json) : mistyped("float"),
      );
    case "integer":
      return scalar(INT, 1, 0, viewInt);
    default:
      return undefined;
  }
}

function mistyped(expected: string): never {
  return fail(`invalid data, expected ${expected}`);
}

function viewInt(json: unknown): Value {
  if (typeof json === "bigint") return json;
  return typeof json === "number" && Number.isInteger(json) ? BigInt(json) : mistyped("int");
}

function viewIntOrString(json: unknown): Value {
  if (typeof json === "string") return json;
  const whole = typeof json === "bigint" || (typeof json === "number" && Number.isInteger(json));
  return whole ? BigInt(json) : fail("invalid data, expected XIntOrString value to be either a string or integer");
}

function viewText(read: (text: string) => Value): View {
  return (json) => (typeof json === "string" ? read(json) : mistyped("string"));
}

function stringType(schema: DataSchema): DataType {
  const { maxLength } = schema;
  switch (schema.format) {
    case "byte": {
      const longest = maxLength === undefined ? MAX_REQUEST_BYTES - 2 : Math.max(0, maxLength);
      return scalar(
        BYTES,
        2,
        longest,
        viewText((text) => Buffer.from(text, "base64")),
      );
    }
    case "duration":
      return scalar(DURATION, 3, LONGEST_TIME, viewText(durationOfFormat));
    case "date":
      return scalar(TIMESTAMP, DATE_SIZE, DATE_SIZE, viewText(timestampOfDate));
    case "date-time":
      return scalar(TIMESTAMP, 21, LONGEST_TIME, viewText(timestampOfFormat));
  }
  let longest = MAX_REQUEST_BYTES - 2;
  // Characters may have four bytes.
  if (maxLength !== undefined) longest = Math.max(0, maxLength) * 4;
  else if ((schema.enum ?? []).length > 0) {
    const options = schema.enum!.filter((option) => typeof option === "string");
    longest = Math.max(0, ...options.map((option) => Buffer.byteLength(option)));
  }
  return scalar(
    STRING,
    2,
    longest,
    viewText((text) => text),
  );
}

function isEmbedded(schema: DataSchema): boolean {
  return schema["x-kubernetes-embedded-resource"] === true;
}

function listType(schema: DataSchema): DataType | undefined {
  const element = schema.items === undefined ? undefined : dataType(schema.items, isEmbedded(schema.items));
  if (element === undefined) return undefined;
  const most = Math.trunc((MAX_REQUEST_BYTES - 2) / (element.minSize + 1));
  const listKind = schema["x-kubernetes-list-type"];
  const kind = listKind === "set" || listKind === "map" ? listKind : "atomic";
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return {
    kind: "list",
    typeAt: (name) => listOf(element.typeAt(`${name}.@idx`)),
    fields: NO_FIELDS,
    element,
    maxElements: schema.maxItems === undefined ? most : Math.max(0, schema.maxItems),
    minSize: 2,
    view: (json) =>
      Array.isArray(json)
        ? new JsonList(json, element.view, kind, keys)
        : fail("invalid data, expected an array for the provided schema with type=array"),
  };
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

const NO_MAP = "invalid data, expected a map for the provided schema with type=object";

function mapType(schema: DataSchema, values: DataSchema): DataType | undefined {
  const element = dataType(values, isEmbedded(values));
  if (element === undefined) return undefined;
  const most = Math.trunc((MAX_REQUEST_BYTES - 2) / (element.minSize + 6));
  return {
    kind: "map",
    typeAt: (name) => mapOf(STRING, element.typeAt(`${name}.@elem`)),
    fields: NO_FIELDS,
    element,
    maxElements: schema.maxProperties === undefined ? most : Math.max(0, schema.maxProperties),
    minSize: 2,
    view: (json) => (isRecord(json) ? new JsonMap(json, element.view) : fail(NO_MAP)),
  };
}

const TEXT: DataSchema = { type: "string" };
const META: Readonly<Record<string, DataSchema>> = {
  kind: TEXT,
  apiVersion: TEXT,
  metadata: { type: "object", properties: { name: TEXT, generateName: TEXT } },
};

function objectType(schema: DataSchema, root: boolean): DataType {
  const properties = root ? { ...schema.properties, ...META } : (schema.properties ?? {});
  const fields = new Map<string, DataType>();
  const views = new Map<string, { name: string; view: View }>();
  let minSize = 2;
  for (const [name, property] of Object.entries(properties)) {
    const type = dataType(property, isEmbedded(property));
    if (type === undefined) continue;
    const escaped = escapeName(name);
    if (escaped !== undefined) {
      fields.set(escaped, type);
      views.set(escaped, { name, view: type.view });
      // Reserved words may also stand as they are.
      if (isReservedWord(name)) views.set(name, { name, view: type.view });
    }
    const isRequired = schema.required?.includes(name) === true;
    if (isRequired && property.default === undefined) minSize += Buffer.byteLength(name) + type.minSize + 4;
  }
  const frozen: FieldViews = views;
  return {
    kind: "object",
    typeAt: (name) => struct(name),
    fields,
    element: undefined,
    maxElements: 0,
    minSize,
    view: (json) => (isRecord(json) ? new JsonObjectValue(json, frozen) : fail(NO_MAP)),
  };
}

/** The fields of all objects within a type whose own name is `root`. */
export function fieldTypesOf(type: DataType, root: string): FieldTypes {
  const objects = new Map<string, DataType>();
  collectObjects(type, root, objects);
  return {
    fieldType: (name, field) => {
      const object = objects.get(name);
      if (object === undefined) return "unknown-type";
      const spelled = object.fields.has(field) || !isReservedWord(field) ? field : `__${field}__`;
      return object.fields.get(spelled)?.typeAt(`${name}.${spelled}`);
    },
  };
}

function collectObjects(type: DataType, name: string, objects: Map<string, DataType>): void {
  if (type.kind === "object") objects.set(name, type);
  for (const [field, inner] of type.fields) collectObjects(inner, `${name}.${field}`, objects);
  if (type.element === undefined) return;
  collectObjects(type.element, type.kind === "list" ? `${name}.@idx` : `${name}.@elem`, objects);
}

/** The size of data at a path whose first step is a variable of this type; undefined for unknown paths. */
export function sizeAtPath(root: DataType, path: readonly string[]): Range | undefined {
  let type: DataType | undefined = root;
  for (const step of path.slice(1)) {
    if (step === "@items" || step === "@values") type = type.element;
    else if (step === "@keys") type = type.kind === "map" ? KEY : undefined;
    else type = type.fields.get(step);
    if (type === undefined) return undefined;
  }
  return { min: 0, max: type.maxElements };
}

/** Nothing is said of keys, and so they count as short. */
const KEY = scalar(STRING, 2, 0, (json) => (typeof json === "string" ? json : mistyped("string")));
