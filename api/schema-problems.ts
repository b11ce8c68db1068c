// Says in words where an object departs from the schema of its kind.
import { z } from "zod";
import { isObject, setOwn } from "../kube/object.ts";
import { nearest } from "./nearest.ts";

export interface SchemaProblem {
  /** `spec.placement.spreadConstraints[0]`; empty for the object itself. */
  readonly field: string;
  /** What is wrong there. */
  readonly words: string;
}

type Path = readonly PropertyKey[];

// Values of earlier Karmada versions and guides.
const RENAMED: Readonly<Record<string, string>> = { Immediately: "Directly", Graciously: "Gracefully" };

/** Empty when the object fits. Null counts as absent, as in the Kubernetes API. */
export function schemaProblems(schema: z.ZodObject, object: unknown): readonly SchemaProblem[] {
  const value = withoutNulls(object, schema);
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => problemsOf(issue, value, schema));
}

/**
 * The object without null values and without fields that the schema does not know, as a client in Go reads what another
 * program sent; and what is wrong with the rest.
 */
export function knownFields(
  schema: z.ZodObject,
  object: unknown,
): { readonly known: unknown; readonly problems: readonly SchemaProblem[] } {
  const known = withoutNulls(object);
  const result = schema.safeParse(known);
  for (const issue of result.success ? [] : result.error.issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const owner = issue.path.reduce<unknown>((node, key) => (isContainer(node) ? node[String(key)] : undefined), known);
    // A copy of our own.
    if (isObject(owner)) for (const key of issue.keys) delete owner[key];
  }
  return { known, problems: schemaProblems(schema, known) };
}

/**
 * A copy as zod and our rules read it: without null and undefined, and with ordinary numbers. Where the schema is given,
 * fields it does not know stay, for they are wrong whatever they hold.
 */
export function withoutNulls(value: unknown, schema?: z.core.$ZodType): unknown {
  if (typeof value === "bigint") return Number(value);
  const inner = schema === undefined ? undefined : alternative(withoutOptional(schema), value);
  if (Array.isArray(value)) {
    const element = inner instanceof z.ZodArray ? inner.element : undefined;
    return value.map((item) => withoutNulls(item, element));
  }
  if (!isObject(value)) return value;
  const shape = inner instanceof z.ZodObject ? inner.shape : undefined;
  const copy: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const known = shape === undefined || Object.hasOwn(shape, key);
    if (child === undefined || (child === null && known)) continue;
    const at = inner instanceof z.ZodRecord ? inner.valueType : known ? shape?.[key] : undefined;
    setOwn(copy, key, withoutNulls(child, at));
  }
  return copy;
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown, schema: z.ZodObject): SchemaProblem[] {
  const field = pathText(issue.path);
  const found = issue.path.reduce<unknown>((node, key) => (isContainer(node) ? node[String(key)] : undefined), value);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      field: pathText([...issue.path, key]),
      words: unknownField(key, issue.path, schema, value),
    }));
  }
  if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
    const options = "options" in issue ? (issue.options?.map(String) ?? []) : [];
    const words = found === undefined ? `is required: one of ${options.join(", ")}` : notOneOf(found, options);
    return [{ field, words }];
  }
  if (found === undefined) return [{ field, words: "is required" }];
  const words = wordsFor(issue, found);
  const isFraction = issue.code === "invalid_type" && isFractional(schemaAt(schema, issue.path, value));
  return [{ field, words: isFraction ? words.replace("a whole number", "a number") : words }];
}

function wordsFor(issue: z.core.$ZodIssue, found: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}, not ${describe(found)}${quotesHint(issue.expected, found)}`;
    case "invalid_value":
      return notOneOf(found, issue.values.map(String));
    case "too_small":
      return tooSmall(issue.origin, Number(issue.minimum));
    case "too_big":
      if (issue.origin === "string") return `has more than ${issue.maximum} characters`;
      return `${describe(found)} is more than ${issue.maximum}`;
    case "invalid_format":
      // Ours where the schema has a sentence; zod's own would show the expression.
      return issue.message.startsWith("Invalid")
        ? `${describe(found)} has not the right form`
        : `${issue.message}, not ${describe(found)}`;
    case "invalid_union":
      return `${describe(found)} does not fit here${alternativesOf(issue)}`;
    case "custom":
      // Our own rules speak in whole sentences, but for those that say what a value must be.
      if (issue.message === "expected an object") return `must be an object, not ${describe(found)}`;
      return issue.message.startsWith("must be ") ? `${issue.message}, not ${describe(found)}` : issue.message;
    default:
      return `${describe(found)} does not fit here`;
  }
}

function notOneOf(found: unknown, choices: readonly string[]): string {
  const meant = RENAMED[String(found)] ?? nearest(String(found), choices);
  const hint = meant !== undefined && choices.includes(meant) ? `. Did you mean ${meant}?` : "";
  return `${describe(found)} is not one of ${choices.join(", ")}${hint}`;
}

/** What the alternatives of a union ask for, where each says it in a word. */
function alternativesOf(issue: z.core.$ZodIssueInvalidUnion): string {
  const wanted = issue.errors.map(([first]) => {
    if (first?.code === "invalid_type")
      return first.expected === "number" ? "a number" : (TYPES[first.expected] ?? first.expected);
    return first?.code === "invalid_value" ? first.values.join(", ") : undefined;
  });
  return wanted.length === 0 || wanted.includes(undefined) ? "" : `: it takes ${wanted.join(" or ")}`;
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  // Most numbers of our kinds are whole.
  number: "a whole number",
  object: "an object",
  record: "an object",
  string: "text",
};

/** YAML takes 1.20, yes and 010 for something else than text. */
function quotesHint(expected: string, found: unknown): string {
  return expected === "string" && (typeof found === "number" || typeof found === "boolean") ? "; put it in quotes" : "";
}

function tooSmall(origin: string, minimum: number): string {
  if (origin === "array") return minimum === 1 ? "must not be empty" : `needs at least ${minimum} items`;
  if (origin === "string") return minimum === 1 ? "must not be empty" : `needs at least ${minimum} characters`;
  return `must be at least ${minimum}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return JSON.stringify(value) ?? "nothing";
}

/** A misspelt field of this place, or a field that belongs elsewhere. */
function unknownField(key: string, path: Path, schema: z.ZodObject, value: unknown): string {
  const place = schemaAt(schema, path, value);
  const siblings = place instanceof z.ZodObject ? Object.keys(place.shape) : [];
  const misspelt = nearest(key, siblings);
  if (misspelt !== undefined) return `there is no such field. Did you mean ${misspelt}?`;
  const first = shortestPaths(schema).get(key);
  return first === undefined ? "there is no such field" : `there is no such field. Did you mean ${first}?`;
}

/** The schema of what stands at a path of a value; undefined where the schema does not say. */
function schemaAt(schema: z.core.$ZodType, path: Path, value: unknown): z.core.$ZodType | undefined {
  const here = alternative(withoutOptional(schema), value);
  const [step, ...rest] = path;
  if (step === undefined) return here;
  const child = isContainer(value) ? value[String(step)] : undefined;
  if (here instanceof z.ZodArray) return schemaAt(here.element, rest, child);
  if (here instanceof z.ZodRecord) return schemaAt(here.valueType, rest, child);
  const field = here instanceof z.ZodObject ? here.shape[String(step)] : undefined;
  return field === undefined ? undefined : schemaAt(field, rest, child);
}

function isFractional(schema: z.core.$ZodType | undefined): boolean {
  return schema instanceof z.ZodNumber && !(schema instanceof z.ZodNumberFormat);
}

/** Of a union, the alternative that the value's discriminator names. */
function alternative(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion) || !isObject(value)) return schema;
  const { discriminator } = schema.def;
  const chosen = schema.options.find(
    (option) =>
      option instanceof z.ZodObject &&
      option.shape[discriminator] instanceof z.ZodLiteral &&
      option.shape[discriminator].value === value[discriminator],
  );
  return chosen ?? schema;
}

interface FieldPath {
  readonly parent: string;
  readonly name: string;
}

const shortest = new WeakMap<z.ZodObject, ReadonlyMap<string, string>>();

/** Where a field of each name is, nearest to the root. */
function shortestPaths(schema: z.ZodObject): ReadonlyMap<string, string> {
  const known = shortest.get(schema);
  if (known !== undefined) return known;
  const paths = new Map<string, string>();
  for (const { parent, name } of fieldPaths(schema)) {
    const path = parent === "" ? name : `${parent}.${name}`;
    if (path.length < (paths.get(name)?.length ?? Number.POSITIVE_INFINITY)) paths.set(name, path);
  }
  shortest.set(schema, paths);
  return paths;
}

/** Every field of a schema; lists and their items have one path. */
function fieldPaths(schema: z.core.$ZodType, parent = ""): FieldPath[] {
  const inner = unwrap(schema);
  if (inner === undefined) return [];
  return Object.entries(inner.shape).flatMap(([name, child]) => [
    { parent, name },
    ...fieldPaths(child, parent === "" ? name : `${parent}.${name}`),
  ]);
}

function unwrap(schema: z.core.$ZodType): z.ZodObject | undefined {
  const inner = withoutOptional(schema);
  if (inner instanceof z.ZodArray) return unwrap(inner.element);
  return inner instanceof z.ZodObject ? inner : undefined;
}

function withoutOptional(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional || schema instanceof z.ZodDefault)
    return withoutOptional(schema.unwrap());
  return schema;
}

function isContainer(node: unknown): node is Record<string, unknown> {
  return typeof node === "object" && node !== null;
}

function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const key = String(part);
    // Keys of maps may have dots of their own.
    if (!/^[A-Za-z0-9_-]+$/.test(key)) return `${text}[${key}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}
