// What a schema must be like to be registered: structural, without unsupported keywords, with defaults that fit.
import { cloneJson, type Json, type JsonObject } from "../../../kube/object.ts";
import { compileRegex } from "../../../kube/regex/regex.ts";
import { RegexError } from "../../../kube/regex/syntax.ts";
import { forbiddenValue, invalidValue, notSupported, required } from "../kinds/field-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import { applySchemaDefaults } from "./defaulting.ts";
import { pruneUnknown } from "./prune.ts";
import { defaultRuleErrors } from "./rule-evaluation.ts";
import { checkRuleExpressions, checkRuleShapes, type RuleCheckOptions } from "./rule-registration.ts";
import { compileSchema, isJsonObject, type JsonSchema } from "./schema.ts";
import { validateValue } from "./validate.ts";

/** Schemas before validation may hold any keyword. */
type RawSchema = JsonSchema & JsonObject;

const UNSUPPORTED = ["$ref", "id", "definitions", "dependencies", "patternProperties", "additionalItems"];
const SCALAR_TYPES = ["string", "integer", "number", "boolean"];
const TYPES = ["array", "boolean", "integer", "number", "object", "string"];

function child(path: string, key: string): string {
  return `${path}.${key}`;
}

function isSet(schema: RawSchema, key: string): boolean {
  const value = schema[key as keyof RawSchema];
  return value !== undefined && value !== null && value !== "" && value !== false;
}

/** Errors of the schema of one version, found at `path`. */
export function checkSchema(schema: JsonSchema, path: string, options: RuleCheckOptions = {}): FieldError[] {
  const errors: FieldError[] = [];
  // Registered schemas are JSON.
  const raw = schema as RawSchema;
  if (!isSet(raw, "type")) errors.push(required(child(path, "type"), "must not be empty at the root"));
  else if (raw.type !== "object")
    errors.push(invalidValue(child(path, "type"), raw.type, "must be object at the root"));
  checkMetadata(raw, path, errors);
  checkTypeMeta(raw, path, errors);
  checkNode(raw, path, errors);
  const shapeErrors = ruleShapeErrors(raw, path);
  // Of a schema that is not structural nothing can be said about types.
  const expressionErrors = errors.length > 0 ? [] : checkRuleExpressions(raw, path, shapeErrors, options);
  return [...errors, ...shapeErrors, ...expressionErrors];
}

function ruleShapeErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors = checkRuleShapes(schema, path);
  const below = (inner: JsonSchema, step: string): void => {
    errors.push(...ruleShapeErrors(inner, child(path, step)));
  };
  for (const [name, inner] of Object.entries(schema.properties ?? {})) below(inner, `properties[${name}]`);
  if (schema.items !== undefined) below(schema.items, "items");
  if (typeof schema.additionalProperties === "object") below(schema.additionalProperties, "additionalProperties");
  return errors;
}

function checkMetadata(schema: RawSchema, path: string, errors: FieldError[]): void {
  const metadata = schema.properties?.["metadata"];
  if (metadata === undefined) return;
  const { type: _type, description: _description, properties, ...rest } = metadata as RawSchema;
  const names = Object.keys(properties ?? {});
  if (names.every((name) => name === "name" || name === "generateName") && Object.keys(rest).length === 0) return;
  const why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
  errors.push(forbiddenValue(child(path, "properties[metadata]"), why));
}

/** The type of an object's own fields is not for the schema to say. */
function checkTypeMeta(schema: RawSchema, path: string, errors: FieldError[]): void {
  for (const name of ["apiVersion", "kind"]) {
    const type = schema.properties?.[name]?.type;
    if (type === undefined || type === "string" || type === "") continue;
    errors.push(invalidValue(child(path, `properties[${name}].type`), type, "must be string"));
  }
}

function checkNode(schema: RawSchema, path: string, errors: FieldError[]): void {
  checkKeywords(schema, path, errors);
  checkListType(schema, path, errors);
  checkDefault(schema, path, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = child(path, `properties[${name}]`);
    checkTyped(property as RawSchema, at, "must not be empty for specified object fields", errors);
    checkNode(property as RawSchema, at, errors);
  }
  if (isJsonObject(schema.items as Json)) {
    const at = child(path, "items");
    checkTyped(schema.items as RawSchema, at, "must not be empty for specified array items", errors);
    checkNode(schema.items as RawSchema, at, errors);
  } else if (schema.items !== undefined) {
    errors.push(forbiddenValue(child(path, "items"), "items must be a schema object and not an array"));
  }
  if (isJsonObject(schema.additionalProperties as Json)) {
    const at = child(path, "additionalProperties");
    checkTyped(schema.additionalProperties as RawSchema, at, "must not be empty for specified object fields", errors);
    checkNode(schema.additionalProperties as RawSchema, at, errors);
  }
  checkAlternatives(schema, path, errors);
}

function checkTyped(schema: RawSchema, path: string, why: string, errors: FieldError[]): void {
  const free = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  // A reference is refused for itself.
  if (isSet(schema, "type") || free || isSet(schema, "$ref")) return;
  errors.push(required(child(path, "type"), why));
}

function checkKeywords(schema: RawSchema, path: string, errors: FieldError[]): void {
  for (const key of UNSUPPORTED) {
    if (isSet(schema, key)) errors.push(forbiddenValue(child(path, key), `${key} is not supported`));
  }
  if (schema.type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbiddenValue(child(path, "type"), why));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const field = child(path, "x-kubernetes-preserve-unknown-fields");
    errors.push(invalidValue(field, false, "must be true or undefined"));
  }
  if (schema.type === "array" && schema.items === undefined) {
    errors.push(required(child(path, "items"), "must be specified"));
  }
  if (isSet(schema, "type") && !TYPES.includes(schema.type!)) {
    errors.push(notSupported(child(path, "type"), schema.type, TYPES));
  }
  if (schema.uniqueItems === true) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbiddenValue(child(path, "uniqueItems"), why));
  }
  const additional = schema.additionalProperties;
  if (additional !== undefined && additional !== false && Object.keys(schema.properties ?? {}).length > 0) {
    const why = "additionalProperties and properties are mutual exclusive";
    errors.push(forbiddenValue(child(path, "additionalProperties"), why));
  }
  if (schema.pattern !== undefined && schema.pattern !== "") {
    const regex = compileRegex(schema.pattern);
    const problem = regex instanceof RegexError ? regex.message : undefined;
    const why = `must be a valid regular expression, but isn't: ${problem}`;
    if (problem !== undefined) errors.push(invalidValue(child(path, "pattern"), schema.pattern, why));
  }
  checkEmbedded(schema, path, errors);
}

function checkEmbedded(schema: RawSchema, path: string, errors: FieldError[]): void {
  if (schema["x-kubernetes-embedded-resource"] !== true) return;
  if (schema.type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(
      isSet(schema, "type") ? invalidValue(child(path, "type"), schema.type, why) : required(child(path, "type"), why),
    );
  }
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (!preserves && Object.keys(schema.properties ?? {}).length === 0) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(child(path, "properties"), why));
  }
}

function checkListType(schema: RawSchema, path: string, errors: FieldError[]): void {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular") {
    errors.push(notSupported(child(path, "x-kubernetes-map-type"), mapType, ["atomic", "granular"]));
  } else if (mapType !== undefined && schema.type !== "object") {
    const why = "must be object if x-kubernetes-map-type is specified";
    errors.push(invalidValue(child(path, "type"), schema.type ?? "", why));
  }
  const listType = schema["x-kubernetes-list-type"];
  if ((schema["x-kubernetes-list-map-keys"] ?? []).length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const field = child(path, "x-kubernetes-list-type");
    errors.push(listType === undefined ? required(field, why) : invalidValue(field, listType, why));
  }
  if (listType === undefined) return;
  if (!["atomic", "set", "map"].includes(listType)) {
    errors.push(notSupported(child(path, "x-kubernetes-list-type"), listType, ["atomic", "set", "map"]));
    return;
  }
  if (schema.type !== "array") {
    const why = `must be array if x-kubernetes-list-type is ${listType === "atomic" ? "specified" : listType}`;
    errors.push(invalidValue(child(path, "type"), schema.type ?? "", why));
  }
  if (schema.items === undefined) {
    if (schema.type === "array")
      errors.push(required(child(path, "items"), `must not be empty if x-kubernetes-list-type is ${listType}`));
    return;
  }
  if (listType === "set") checkSetItems(schema.items as RawSchema, child(path, "items"), errors);
  if (listType === "map") checkMapItems(schema, schema.items as RawSchema, path, errors);
}

function checkSetItems(items: RawSchema, path: string, errors: FieldError[]): void {
  if (items.nullable === true) {
    const why = "cannot be nullable when x-kubernetes-list-type is set";
    errors.push(forbiddenValue(child(path, "nullable"), why));
  }
  const keyword = items.type === "object" ? "x-kubernetes-map-type" : "x-kubernetes-list-type";
  if (items.type !== "object" && items.type !== "array") return;
  const value = items[keyword];
  // A list without a type is atomic.
  if (value === "atomic" || (items.type === "array" && value === undefined)) return;
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  errors.push(invalidValue(child(path, keyword), value, why));
}

function checkMapItems(schema: RawSchema, items: RawSchema, path: string, errors: FieldError[]): void {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const keysPath = child(path, "x-kubernetes-list-map-keys");
  if (keys.length === 0) errors.push(required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalidValue(child(path, "items.type"), items.type ?? "", why));
  }
  if (items.type !== "object") return;
  const named = new Set(keys);
  if (named.size < keys.length) {
    errors.push(invalidValue(keysPath, [...keys], "must not contain duplicate entries"));
  }
  for (const key of named) {
    const property = items.properties?.[key];
    if (property === undefined) {
      errors.push(invalidValue(keysPath, [...keys], "entries must all be names of item properties"));
      continue;
    }
    const at = child(path, `items.properties[${key}]`);
    if (!SCALAR_TYPES.includes(property.type ?? "") && property["x-kubernetes-int-or-string"] !== true) {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalidValue(child(at, "type"), property.type ?? "", why));
    }
    if (property.default === undefined && !(items.required ?? []).includes(key)) {
      const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      errors.push(required(child(at, "default"), why));
    }
  }
}

function checkDefault(schema: RawSchema, path: string, errors: FieldError[]): void {
  const content = schema.default;
  if (content === undefined) return;
  const at = child(path, "default");
  const node = compileSchema(schema);
  const value = cloneJson(content);
  if (isJsonObject(value) && pruneUnknown(value, node).length > 0) {
    errors.push(invalidValue(at, content, "must not have unknown fields"));
  }
  applySchemaDefaults(value, node);
  if (value === null && !node.nullable) {
    errors.push(invalidValue(at, null, "must not be null"));
    return;
  }
  // As the reference: that a default of int-or-string is either is not looked at, nor whether a set's repeats itself.
  const misfits = node.intOrString ? [] : validateValue(value, node, undefined);
  // Rules see the default as it is written, without the defaults below it.
  if (misfits.length === 0) errors.push(...defaultRuleErrors(schema, at, content));
  for (const error of misfits) {
    const field = error.field === "" || error.field === "<nil>" ? at : `${at}.${error.field}`;
    errors.push({ ...error, field });
  }
}

const NESTED_EMPTY = ["type", "title", "description"];
const NESTED_FALSE = [
  "nullable",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
];
const NESTED_UNDEFINED = ["additionalProperties", "default", "x-kubernetes-list-type", "x-kubernetes-map-type"];

/** Alternatives may only restrict values: what a value is made of stands outside of them. */
function checkAlternatives(schema: RawSchema, path: string, errors: FieldError[]): void {
  const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, inner] of (schema[keyword] ?? []).entries()) {
      // The two type names of int-or-string are the one exception.
      const mayHaveType = isIntOrString && keyword !== "oneOf" && isIntOrStringPair(inner, schema, keyword);
      checkNested(inner as RawSchema, child(path, `${keyword}[${index}]`), mayHaveType, errors);
    }
  }
  if (schema.not !== undefined) checkNested(schema.not as RawSchema, child(path, "not"), false, errors);
}

/** The exact form `[{type: integer}, {type: string}]`, alone or as the first part of `allOf`. */
function isIntOrStringPair(inner: JsonSchema, schema: RawSchema, keyword: "allOf" | "anyOf"): boolean {
  const pair = keyword === "anyOf" ? schema.anyOf : inner.anyOf;
  const types = (pair ?? []).map(({ type }) => type).join();
  return types === "integer,string";
}

function checkNested(schema: RawSchema, path: string, mayHaveType: boolean, errors: FieldError[]): void {
  for (const key of NESTED_EMPTY) {
    if (key === "type" && mayHaveType) continue;
    if (isSet(schema, key)) errors.push(forbiddenValue(child(path, key), "must be empty to be structural"));
  }
  for (const key of NESTED_FALSE) {
    if (isSet(schema, key)) errors.push(forbiddenValue(child(path, key), "must be false to be structural"));
  }
  for (const key of NESTED_UNDEFINED) {
    if (isSet(schema, key)) errors.push(forbiddenValue(child(path, key), "must be undefined to be structural"));
  }
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) {
    errors.push(forbiddenValue(child(path, "x-kubernetes-validations"), "must be empty to be structural"));
  }
  const inner = (nested: JsonSchema, key: string): void => {
    checkNested(nested as RawSchema, child(path, key), mayHaveType, errors);
  };
  for (const [name, property] of Object.entries(schema.properties ?? {})) inner(property, `properties[${name}]`);
  if (schema.items !== undefined) inner(schema.items, "items");
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, nested] of (schema[keyword] ?? []).entries()) inner(nested, `${keyword}[${index}]`);
  }
  if (schema.not !== undefined) inner(schema.not, "not");
}
