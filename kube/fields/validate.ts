// Checks that an applied configuration fits the type model, in the words of the API server.
import { goSyntax, goText, goType } from "../go-text.ts";
import { isMap, itemElement, typeOfKey } from "./list-items.ts";
import { fieldElement, formatElement } from "./path.ts";
import type { FieldType, ListType, ScalarType } from "./type.ts";

/** The way to a value, from its end; text is made of it only for a problem. */
interface Trail {
  readonly parent: Trail | undefined;
  readonly element: string;
}

/** Problems of a value under its type, each `path: why`; empty when it fits. */
export function checkTyped(value: unknown, type: FieldType): string[] {
  const problems: string[] = [];
  check(value, type, undefined, problems);
  return problems;
}

/** The text of one problem or the list of several. */
export function formatProblems(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? "") : ["errors:", ...problems.map((line) => `  ${line}`)].join("\n");
}

function report(problems: string[], trail: Trail | undefined, problem: string): void {
  let path = "";
  for (let step = trail; step !== undefined; step = step.parent) path = formatElement(step.element) + path;
  problems.push(path === "" ? problem : `${path}: ${problem}`);
}

function check(value: unknown, type: FieldType, trail: Trail | undefined, problems: string[]): void {
  if (value === null || value === undefined) return;
  switch (type.kind) {
    case "scalar": {
      const problem = scalarProblem(value, type);
      if (problem !== undefined) report(problems, trail, problem);
      return;
    }
    case "map":
      if (isMap(value)) checkMap(value, type, trail, problems);
      else report(problems, trail, `expected map, got ${wrapped(value)}`);
      return;
    case "list":
      if (Array.isArray(value)) checkList(value, type, trail, problems);
      else report(problems, trail, `expected list, got ${wrapped(value)}`);
      return;
    case "deduced":
      return;
  }
}

function checkMap(value: Record<string, unknown>, type: FieldType, trail: Trail | undefined, problems: string[]): void {
  for (const key in value) {
    const keyType = typeOfKey(type, key);
    if (keyType === undefined) {
      report(problems, { parent: trail, element: fieldElement(key) }, "field not declared in schema");
      // The server stops at the first unknown field of a map.
      return;
    }
    const item = value[key];
    // Paths of fitting scalars, the most frequent case, need no text.
    if (keyType.kind === "scalar" && item !== undefined && item !== null) {
      const problem = scalarProblem(item, keyType);
      if (problem !== undefined) report(problems, { parent: trail, element: fieldElement(key) }, problem);
      continue;
    }
    check(item, keyType, { parent: trail, element: fieldElement(key) }, problems);
  }
}

function checkList(value: readonly unknown[], type: ListType, trail: Trail | undefined, problems: string[]): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    let element = `i:${index}`;
    if (type.listType !== "atomic") {
      const found = itemElement(type, item);
      if ("problem" in found) {
        report(problems, trail, `element ${index}: ${found.problem}`);
        return;
      }
      element = found.element;
      if (seen.has(element)) report(problems, trail, `duplicate entries for key ${formatElement(element)}`);
      seen.add(element);
    }
    if (type.items.kind === "scalar" && scalarProblem(item, type.items) === undefined) continue;
    check(item, type.items, { parent: trail, element }, problems);
  }
}

function scalarProblem(value: unknown, type: ScalarType): string | undefined {
  if (value === null) return undefined;
  switch (type.scalar) {
    case "string":
      return typeof value === "string"
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `expected boolean, got ${wrapped(value)}`;
    case "integer":
    case "number":
      return typeof value === "number" || typeof value === "bigint"
        ? undefined
        : `expected numeric (int or float), got ${goType(value)}`;
    case "int-or-string":
    case "quantity":
    case "any":
      return typeof value === "object" ? `expected any scalar, got ${wrapped(value)}` : undefined;
  }
}

/** The reference prints its own wrapper of a value, for strings as Go writes the wrapper in source. */
function wrapped(value: unknown): string {
  return `&{${goText(value)}}`;
}
