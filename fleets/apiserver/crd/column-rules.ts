// What the printer columns and selectable fields of a definition must be like, and warnings about formats.
import type { JsonObject } from "../../../kube/object.ts";
import { duplicateValue, invalidValue, required } from "../kinds/field-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import type { JsonSchema } from "./schema.ts";

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const SELECTABLE_TYPES = ["string", "boolean", "integer"];

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Problems of a path such as `.spec.replicas`, of which the reference looks at the start only. */
export function simplePathErrors(field: string, value: unknown): FieldError[] {
  const path = textOf(value);
  if (path === "") return [required(field)];
  return path.startsWith(".") ? [] : [invalidValue(field, path, "must be a simple json path starting with .")];
}

export function columnErrors(columns: readonly JsonObject[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, column] of columns.entries()) {
    const at = `${path}[${index}]`;
    const type = textOf(column["type"]);
    const format = textOf(column["format"]);
    if (textOf(column["name"]) === "") errors.push(required(`${at}.name`));
    if (type === "") errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(",")}`));
    else if (!COLUMN_TYPES.includes(type)) {
      errors.push(invalidValue(`${at}.type`, type, `must be one of ${COLUMN_TYPES.join(",")}`));
    }
    if (format !== "" && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalidValue(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(",")}`));
    }
    errors.push(...simplePathErrors(`${at}.JSONPath`, column["jsonPath"]));
  }
  return errors;
}

/** Fields to select by must be single values that the schema declares. */
export function selectableFieldErrors(
  fields: readonly JsonObject[],
  schema: JsonSchema | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of fields.entries()) {
    const at = `${path}[${index}].jsonPath`;
    const text = textOf(entry["jsonPath"]);
    if (text === "") {
      errors.push(required(at));
      continue;
    }
    if (seen.has(text)) errors.push(duplicateValue(at, text));
    seen.add(text);
    const problem = selectableProblem(text, schema);
    if (problem !== undefined) errors.push(invalidValue(at, text, problem));
  }
  return errors;
}

function selectableProblem(path: string, schema: JsonSchema | undefined): string | undefined {
  if (!/^[.[]/.test(path)) return `is an invalid path: expected [ or . but got: ${path}`;
  if (path.includes("[")) return "is an invalid path: array notation is not allowed";
  if (path.endsWith(".")) return "is an invalid path: unexpected end of JSON path";
  let node: JsonSchema | undefined = schema;
  for (const [index, key] of path.slice(1).split(".").entries()) {
    const additional: unknown = node?.additionalProperties;
    const inMap = typeof additional === "object" ? (additional as JsonSchema) : undefined;
    node = index === 0 && key === "metadata" ? undefined : (node?.properties?.[key] ?? inMap);
    if (node === undefined) return "is an invalid path: does not refer to a valid field";
  }
  if (node?.type !== undefined && SELECTABLE_TYPES.includes(node.type)) return undefined;
  return "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
}

const TEXT_FORMATS = new Set(
  "bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime date-time k8s-short-name k8s-long-name".split(
    " ",
  ),
);

function isRecognized(type: string | undefined, format: string): boolean {
  if (type === "string") return TEXT_FORMATS.has(format);
  if (type === "integer") return format === "int32" || format === "int64";
  return type === "number" && (format === "float" || format === "double");
}

/** Warnings about formats that validation does not know for their type, once for each. */
export function formatWarnings(schema: JsonSchema): string[] {
  const found = new Set<string>();
  const walk = (node: JsonSchema): void => {
    const { format, type } = node;
    if (format !== undefined && format !== "" && !isRecognized(type, format)) {
      found.add(`unrecognized format ${JSON.stringify(format)}`);
    }
    for (const property of Object.values(node.properties ?? {})) walk(property);
    if (node.items !== undefined) walk(node.items);
    if (typeof node.additionalProperties === "object") walk(node.additionalProperties);
  };
  walk(schema);
  return [...found];
}
