// JSONPath as Kubernetes has it: printer columns, selectable fields, and templates such as
// `{range .items[*]}{.metadata.name}{"\n"}{end}`.
import { AppError } from "../runtime/errors.ts";
import { jsonPathInvalid, type Operand, type Path, parsePath, type Step, unquote } from "./jsonpath-parser.ts";

type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "path"; readonly path: Path; readonly fromRoot: boolean }
  | { readonly kind: "range"; readonly path: Path; readonly fromRoot: boolean; readonly body: readonly Node[] };

/** A path that was understood; finds values in any number of documents. */
export interface JsonPath {
  /** All matches in document order; none when a key is missing on the way. */
  find(document: unknown): unknown[];
}

/** A template that was understood. */
export interface JsonPathTemplate {
  /** Throws `jsonpath-not-found` when nothing is at a path, unless missing keys are allowed. */
  render(document: unknown): string;
}

function notFound(message: string): AppError {
  return new AppError("jsonpath-not-found", message, { recovery: "stall" });
}

/**
 * Reads one path in any of its spellings: `.spec.x`, `spec.x`, `{.spec.x}`, `$.spec.x`. Throws `jsonpath-invalid`.
 */
export function compileJsonPath(expression: string): JsonPath {
  let text = expression.trim();
  if (text.startsWith("{") && text.endsWith("}")) text = text.slice(1, -1).trim();
  const { path } = parsePath(text);
  return { find: (document) => walk([document], path, document, false) };
}

/** Reads a template of text and `{paths}`. Throws `jsonpath-invalid`. */
export function compileJsonPathTemplate(
  template: string,
  options: { readonly allowMissingKeys?: boolean | undefined } = {},
): JsonPathTemplate {
  const nodes = parseTemplate(template);
  const strict = options.allowMissingKeys !== true;
  return { render: (document) => renderNodes(nodes, document, document, strict) };
}

// ---- templates

function parseTemplate(template: string): Node[] {
  const root: Node[] = [];
  const open: { readonly nodes: Node[] }[] = [{ nodes: root }];
  let position = 0;
  while (position < template.length) {
    const brace = template.indexOf("{", position);
    const current = open[open.length - 1]?.nodes ?? root;
    if (brace !== position) {
      current.push({ kind: "text", text: template.slice(position, brace < 0 ? undefined : brace) });
    }
    if (brace < 0) break;
    const end = closingBrace(template, brace);
    position = end + 1;
    const action = template.slice(brace + 1, end).trim();
    if (action === "end") {
      if (open.length === 1) throw jsonPathInvalid("not in range, nothing to end");
      open.pop();
    } else if (/^range\b/.test(action)) {
      const body: Node[] = [];
      const { path, fromRoot } = parsePath(action.slice("range".length).trim());
      current.push({ kind: "range", path, fromRoot, body });
      open.push({ nodes: body });
    } else if (/^["']/.test(action)) {
      current.push({ kind: "text", text: unquote(action) });
    } else {
      for (const part of action.split(/\s+(?=[.$@[])/)) {
        current.push({ kind: "path", ...parsePath(part) });
      }
    }
  }
  if (open.length > 1) throw jsonPathInvalid("unexpected end of template: range is not ended");
  return root;
}

function closingBrace(template: string, open: number): number {
  let quote = "";
  for (let index = open + 1; index < template.length; index++) {
    const character = template.charAt(index);
    if (quote !== "") {
      if (character === "\\") index++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "}") return index;
  }
  throw jsonPathInvalid("unclosed action");
}

function renderNodes(nodes: readonly Node[], current: unknown, document: unknown, strict: boolean): string {
  let text = "";
  for (const node of nodes) {
    switch (node.kind) {
      case "text":
        text += node.text;
        break;
      case "path":
        text += walk([node.fromRoot ? document : current], node.path, document, strict)
          .map(printValue)
          .join(" ");
        break;
      case "range": {
        const items = walk([node.fromRoot ? document : current], node.path, document, strict);
        for (const item of items) text += renderNodes(node.body, item, document, strict);
      }
    }
  }
  return text;
}

/** A value as kubectl prints it: strings bare, objects and lists as JSON. */
export function printValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? Number(item) : item)) ?? "";
}

// ---- evaluation

function walk(values: readonly unknown[], path: Path, document: unknown, strict: boolean): unknown[] {
  let current: readonly unknown[] = values;
  let afterRecursion = false;
  for (const step of path) {
    const next: unknown[] = [];
    for (const value of current) take(step, value, document, next, strict && !afterRecursion);
    if (strict && step.kind === "field" && next.length === 0) throw notFound(`${step.name} is not found`);
    afterRecursion = step.kind === "recursive";
    current = next;
  }
  return [...current];
}

function take(step: Step, value: unknown, document: unknown, out: unknown[], strict: boolean): void {
  switch (step.kind) {
    case "field":
      if (isMap(value) && Object.hasOwn(value, step.name) && value[step.name] !== undefined) out.push(value[step.name]);
      return;
    case "wildcard":
      out.push(...childrenOf(value));
      return;
    case "recursive":
      descend(value, out);
      return;
    case "index":
    case "slice":
      takeItems(step, value, out, strict);
      return;
    case "union":
      for (const branch of step.branches) out.push(...walk([value], branch, document, false));
      return;
    case "filter":
      for (const item of childrenOf(value)) if (passes(step, item, document)) out.push(item);
  }
}

function takeItems(step: Step & { kind: "index" | "slice" }, value: unknown, out: unknown[], strict: boolean): void {
  if (!Array.isArray(value)) {
    if (strict && value !== null && value !== undefined) throw notFound(`${printValue(value)} is not array or slice`);
    return;
  }
  const { length } = value;
  if (step.kind === "index") {
    const index = step.index < 0 ? step.index + length : step.index;
    if (index >= 0 && index < length) out.push(value[index]);
    else if (strict) throw notFound(`array index out of bounds: index ${step.index}, length ${length}`);
    return;
  }
  const start = fromEnd(step.start ?? 0, length);
  const end = Math.min(fromEnd(step.end ?? length, length), length);
  for (let index = Math.max(start, 0); index < end; index += step.step) out.push(value[index]);
}

function fromEnd(index: number, length: number): number {
  return index < 0 ? index + length : index;
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isMap(value) ? Object.values(value).filter((item) => item !== undefined) : [];
}

function descend(value: unknown, out: unknown[]): void {
  out.push(value);
  for (const child of childrenOf(value)) if (typeof child === "object" && child !== null) descend(child, out);
}

function passes(step: Step & { kind: "filter" }, item: unknown, document: unknown): boolean {
  const left = operandValues(step.left, item, document);
  if (step.operator === undefined) return left.length > 0;
  const right = operandValues(step.right, item, document);
  // Comparing needs one value on each side.
  if (left.length !== 1 || right.length !== 1) return false;
  return compares(left[0], step.operator, right[0]);
}

function operandValues(operand: Operand, item: unknown, document: unknown): unknown[] {
  if ("value" in operand) return [operand.value];
  return walk([operand.fromRoot ? document : item], operand.path, document, false);
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  const numbers = typeof left === "number" && typeof right === "number";
  const texts = typeof left === "string" && typeof right === "string";
  if (!numbers && !texts) return false;
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
