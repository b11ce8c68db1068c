// Validation of values against a compiled schema, with the wording of the reference. On updates an error counts only
// where the value changed: objects that became invalid by a stricter schema can still be edited elsewhere.
import { equalJson, type Json, type JsonObject } from "../../../kube/object.ts";
import {
  duplicateValue,
  invalidValue,
  notSupported,
  printValue,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "../kinds/field-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import { pathText } from "./prune.ts";
import { childNode, isJsonObject, type SchemaNode } from "./schema.ts";

/** The path down to the present value. Texts are made only for errors. */
type Path = (string | number)[];

class Report {
  readonly errors: FieldError[] = [];
  /** Keywords that were looked at: of several failing alternatives the one with most is reported. */
  matches = 0;
}

/** An error of a whole (sub)object has no field in the reference. */
function schemaError(text: string): FieldError {
  return { reason: "FieldValueInvalid", field: "<nil>", message: `Invalid value: "": ${text}` };
}

/**
 * Whether the reference takes a number for an integer: one of 64 bits, or a float that is whole and small enough to be
 * exact. What does not fit 64 bits is a float to it.
 */
function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

function typeName(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "bigint":
    case "number":
      return isWhole(value) ? "integer" : "number";
    default:
      return typeof value;
  }
}

function hasType(value: Json, type: string): boolean {
  const actual = typeName(value);
  return actual === type || (type === "number" && actual === "integer");
}

/**
 * Errors of `value`. `old` is the stored value at the same place, undefined when there is none; unchanged parts are not
 * checked.
 */
export function validateValue(value: Json, node: SchemaNode, old: Json | undefined): FieldError[] {
  const report = new Report();
  validateAt(value, node, old, [], report);
  return report.errors;
}

function validateAt(value: Json, node: SchemaNode, old: Json | undefined, path: Path, report: Report): void {
  if (old !== undefined && equalJson(value, old)) return;
  if (value === null && node.nullable) return;
  checkType(value, node, path, report);
  checkAlternatives(value, node, old, path, report);
  checkEnum(value, node, path, report);
  if (typeof value === "string") checkString(value, node, path, report);
  else if (typeof value === "number" || typeof value === "bigint") checkNumber(value, node, path, report);
  else if (Array.isArray(value)) checkList(value, node, old, path, report);
  else if (isJsonObject(value)) checkObject(value, node, old, path, report);
}

function checkType(value: Json, node: SchemaNode, path: Path, report: Report): void {
  const expected = node.intOrString ? "integer,string" : node.type;
  if (expected === undefined) return;
  report.matches++;
  const fits = node.intOrString ? hasType(value, "integer") || typeof value === "string" : hasType(value, expected);
  if (fits) return;
  const field = pathText(path);
  const { format } = node.source;
  // As the reference: a text or list under a format is for the format to judge.
  const isNumeric = expected === "integer" || expected === "number";
  if (format !== undefined && !node.intOrString && !isNumeric && (typeof value === "string" || Array.isArray(value)))
    return;
  // As the reference: with a format, other values than texts and lists are compared by format.
  if (
    format !== undefined &&
    !node.intOrString &&
    value !== null &&
    typeof value !== "string" &&
    !Array.isArray(value)
  ) {
    const actual = goFormat(value);
    const why = `${field} in body must be of type ${format}: ${JSON.stringify(actual)}`;
    report.errors.push(typeInvalid(field, actual, why));
    return;
  }
  const actual = typeName(value);
  report.errors.push(
    typeInvalid(field, actual, `${field} in body must be of type ${expected}: ${JSON.stringify(actual)}`),
  );
}

/** The format that the reference sees in a value of decoded JSON. */
function goFormat(value: Json): string {
  if (typeof value !== "number" && typeof value !== "bigint") return "";
  return isWhole(value) ? "int64" : "float64";
}

function checkAlternatives(value: Json, node: SchemaNode, old: Json | undefined, path: Path, report: Report): void {
  if (node.anyOf.length > 0) checkAnyOf(value, node, old, path, report);
  if (node.oneOf.length > 0) checkOneOf(value, node, old, path, report);
  if (node.allOf.length > 0) checkAllOf(value, node, old, path, report);
  if (node.not !== undefined && attempt(value, node.not, path).errors.length === 0) {
    report.errors.push(schemaError(`"${pathText(path)}" must not validate the schema (not)`));
  }
}

/** Alternatives are judged on the whole value: that part of it is unchanged says nothing about which one it meant. */
function attempt(value: Json, node: SchemaNode, path: Path): Report {
  const report = new Report();
  validateAt(value, node, undefined, path, report);
  return report;
}

function checkAnyOf(value: Json, node: SchemaNode, _old: Json | undefined, path: Path, report: Report): void {
  let best: Report | undefined;
  for (const alternative of node.anyOf) {
    const result = attempt(value, alternative, path);
    if (result.errors.length === 0) return;
    if (best === undefined || result.matches > best.matches) best = result;
  }
  report.errors.push(schemaError(`"${pathText(path)}" must validate at least one schema (anyOf)`));
  report.errors.push(...(best?.errors ?? []));
}

function checkOneOf(value: Json, node: SchemaNode, _old: Json | undefined, path: Path, report: Report): void {
  let best: Report | undefined;
  let valid = 0;
  for (const alternative of node.oneOf) {
    const result = attempt(value, alternative, path);
    if (result.errors.length === 0) valid++;
    else if (best === undefined || result.matches > best.matches) best = result;
  }
  if (valid === 1) return;
  const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
  report.errors.push(schemaError(`"${pathText(path)}" must validate one and only one schema (oneOf). ${found}`));
  if (valid === 0) report.errors.push(...(best?.errors ?? []));
}

function checkAllOf(value: Json, node: SchemaNode, old: Json | undefined, path: Path, report: Report): void {
  let failing = 0;
  for (const part of node.allOf) {
    const before = report.errors.length;
    validateAt(value, part, old, path, report);
    if (report.errors.length > before) failing += 1;
  }
  if (failing > 0) {
    const none = failing === node.allOf.length ? ". None validated" : "";
    report.errors.push(schemaError(`"${pathText(path)}" must validate all the schemas (allOf)${none}`));
  }
}

function checkEnum(value: Json, node: SchemaNode, path: Path, report: Report): void {
  const allowed = node.source.enum;
  if (allowed === undefined) return;
  report.matches++;
  if (allowed.some((option) => equalJson(option, value))) return;
  const options = allowed.map((option) => (typeof option === "string" ? option : printValue(option)));
  report.errors.push(notSupported(pathText(path), value, options));
}

/** Length in Unicode code points. */
function codePoints(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit < 0xdc00) count--;
  }
  return count;
}

function checkString(value: string, node: SchemaNode, path: Path, report: Report): void {
  const { minLength, maxLength, pattern } = node.source;
  if (maxLength !== undefined || minLength !== undefined) {
    report.matches++;
    const length = codePoints(value);
    const field = pathText(path);
    if (maxLength !== undefined && length > maxLength) report.errors.push(tooLong(field, maxLength));
    if (minLength !== undefined && length < minLength) {
      report.errors.push(invalidValue(field, value, `${field} in body should be at least ${minLength} chars long`));
    }
  }
  if (node.pattern !== undefined) {
    report.matches++;
    if (!node.pattern.test(value)) {
      const field = pathText(path);
      report.errors.push(invalidValue(field, value, `${field} in body should match '${pattern}'`));
    }
  }
  if (node.format !== undefined) {
    report.matches++;
    if (!node.format(value)) {
      const field = pathText(path);
      const format = node.source.format === "date-time" ? "datetime" : node.source.format;
      const why = `${field} in body must be of type ${format}: ${JSON.stringify(value)}`;
      report.errors.push(typeInvalid(field, value, why));
    }
  }
}

function checkNumber(value: number | bigint, node: SchemaNode, path: Path, report: Report): void {
  const { minimum, maximum, multipleOf, format, exclusiveMinimum, exclusiveMaximum } = node.source;
  const isFraction = !isWhole(value);
  const isOutside = format === "int32" && (value > 2147483647 || value < -2147483648);
  if (isOutside || (isFraction && node.type === "integer" && (format === "int32" || format === "int64"))) {
    const text = `Checked value must be of type integer with format ${format} in ${pathText(path)}`;
    report.errors.push(schemaError(text));
  }
  if (multipleOf !== undefined) {
    report.matches++;
    if (!isMultiple(Number(value), multipleOf)) {
      const field = pathText(path);
      report.errors.push(invalidValue(field, value, `${field} in body should be a multiple of ${multipleOf}`));
    }
  }
  if (maximum !== undefined) {
    report.matches++;
    if (exclusiveMaximum === true ? value >= maximum : value > maximum) {
      const field = pathText(path);
      const bound = exclusiveMaximum === true ? "less than" : "less than or equal to";
      report.errors.push(invalidValue(field, value, `${field} in body should be ${bound} ${maximum}`));
    }
  }
  if (minimum !== undefined) {
    report.matches++;
    if (exclusiveMinimum === true ? value <= minimum : value < minimum) {
      const field = pathText(path);
      const bound = exclusiveMinimum === true ? "greater than" : "greater than or equal to";
      report.errors.push(invalidValue(field, value, `${field} in body should be ${bound} ${minimum}`));
    }
  }
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = factor < 1 ? (1 / factor) * value : value / factor;
  return Number.isInteger(quotient);
}

function checkList(value: Json[], node: SchemaNode, old: Json | undefined, path: Path, report: Report): void {
  const { minItems, maxItems, uniqueItems } = node.source;
  if (minItems !== undefined && value.length < minItems) {
    const field = pathText(path);
    report.errors.push(invalidValue(field, value.length, `${field} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && value.length > maxItems)
    report.errors.push(tooMany(pathText(path), value.length, maxItems));
  if (uniqueItems === true && value.some((item, index) => value.findIndex((other) => equalJson(item, other)) < index)) {
    const field = pathText(path);
    report.errors.push(invalidValue(field, value, `${field} in body shouldn't contain duplicates`));
  }
  if (node.items === undefined) return;
  report.matches++;
  const before = Array.isArray(old) ? old : [];
  for (let index = 0; index < value.length; index++) {
    const item = value[index]!;
    path.push(index);
    validateAt(item, node.items, correlated(item, before, node), path, report);
    path.pop();
  }
}

/** The old item with the same keys. Items of other lists have no counterpart. */
function correlated(item: Json, before: readonly Json[], node: SchemaNode): Json | undefined {
  if (node.listType !== "map" || !isJsonObject(item)) return undefined;
  return before.find((other) => isJsonObject(other) && node.listKeys.every((key) => equalJson(item[key], other[key])));
}

function checkObject(value: JsonObject, node: SchemaNode, old: Json | undefined, path: Path, report: Report): void {
  const { minProperties, maxProperties } = node.source;
  if (minProperties !== undefined || maxProperties !== undefined) {
    const count = Object.keys(value).length;
    const field = pathText(path);
    if (minProperties !== undefined && count < minProperties) {
      report.errors.push(
        invalidValue(field, count, `${field} in body should have at least ${minProperties} properties`),
      );
    }
    if (maxProperties !== undefined && count > maxProperties) report.errors.push(tooMany(field, count, maxProperties));
  }
  for (const name of node.required) {
    report.matches++;
    if (value[name] !== undefined) continue;
    path.push(name);
    report.errors.push(required(pathText(path)));
    path.pop();
  }
  if (node.properties === undefined && node.additional === undefined) return;
  const before = isJsonObject(old) ? old : undefined;
  for (const key in value) {
    const child = childNode(node, key);
    if (child === undefined || child === true) continue;
    report.matches++;
    path.push(key);
    validateAt(value[key]!, child, before?.[key], path, report);
    path.pop();
  }
}

/** Errors of lists that must be sets or have unique keys. Unchanged lists are not checked. */
export function validateListTypes(value: Json, node: SchemaNode, old: Json | undefined): FieldError[] {
  const errors: FieldError[] = [];
  checkListTypes(value, node, old, [], errors);
  return errors;
}

function checkListTypes(value: Json, node: SchemaNode, old: Json | undefined, path: Path, errors: FieldError[]): void {
  if (!node.hasListTypes || (old !== undefined && equalJson(value, old))) return;
  if (Array.isArray(value)) {
    if (node.listType === "set") checkSet(value, path, errors);
    else if (node.listType === "map") checkKeys(value, node, path, errors);
    if (node.items === undefined) return;
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      checkListTypes(value[index]!, node.items, undefined, path, errors);
      path.pop();
    }
  } else if (isJsonObject(value)) {
    const before = isJsonObject(old) ? old : undefined;
    for (const key in value) {
      const child = childNode(node, key);
      if (child === undefined || child === true || value[key] === undefined) continue;
      path.push(key);
      checkListTypes(value[key], child, before?.[key], path, errors);
      path.pop();
    }
  }
}

function checkSet(value: readonly Json[], path: Path, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const text = canonicalText(item);
    if (seen.has(text)) errors.push(duplicateValue(pathText([...path, index]), item));
    seen.add(text);
  }
}

function checkKeys(value: readonly Json[], node: SchemaNode, path: Path, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    if (!isJsonObject(item)) {
      const why = "must be an object for an array of list-type map";
      errors.push(invalidValue(pathText([...path, index]), item, why));
      continue;
    }
    const keys: JsonObject = {};
    for (const key of node.listKeys) if (item[key] !== undefined) keys[key] = item[key];
    const text = canonicalText(keys);
    if (seen.has(text)) errors.push(duplicateValue(pathText([...path, index]), keys));
    seen.add(text);
  }
}

/** JSON with sorted keys. */
function canonicalText(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return String(inner);
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
