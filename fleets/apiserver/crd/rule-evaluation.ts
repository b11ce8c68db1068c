// Evaluation of `x-kubernetes-validations` on the objects of a schema.

import type { Program } from "../../../kube/cel/program.ts";
import { dataType } from "../../../kube/cel/schema-types.ts";
import { CelOptional, EvaluationFailure, NONE, type Value } from "../../../kube/cel/values.ts";

import { equalJson } from "../../../kube/object.ts";
import { printValue } from "../kinds/field-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import { type CompiledRule, compileRulesOf } from "./compiled-rules.ts";
import type { RuleCompiler, RuleOutcome } from "./rule-checker.ts";
import { joinPaths } from "./rule-paths.ts";
import type { JsonSchema } from "./schema.ts";

/** The cost that all rules of one object may have together. */
const OBJECT_BUDGET = 10_000_000;
/** The time that all rules of one object may take together, in milliseconds. */
const OBJECT_TIME_MS = 100;
const LONGEST_MESSAGE = 5 * 1024;

/** The rules of a place and of the places below it. */
interface RuleNode {
  readonly schema: JsonSchema;
  readonly rules: readonly CompiledRule[];
  readonly view: ((json: unknown) => Value) | undefined;
  readonly items: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly additional: RuleNode | undefined;
  /** Rules of `allOf`, which are about the same value. */
  readonly allOf: readonly RuleNode[];
}

/** A value beside what it was before the update. */
interface Correlation {
  readonly value: unknown;
  readonly old: unknown;
  readonly schema: JsonSchema;
}

/** What decides whether an error of an unchanged value counts: the value's own past, or that of what holds it. */
interface Past {
  readonly own: Correlation | undefined;
  readonly around: Correlation | undefined;
}

const NO_PAST: Past = { own: undefined, around: undefined };

/**
 * The evaluation of rules. `now` answers milliseconds of a clock that only moves forward: an object whose rules take
 * longer than a tenth of a second is refused.
 */
export function ruleCompiler(now: () => number): RuleCompiler {
  return (schema) => {
    const root = buildNode(schema, schema, true);
    return (object, old) => {
      if (root === undefined) return { errors: [], warnings: [] };
      const deadline = now() + OBJECT_TIME_MS;
      const walk = new RuleWalk(() => now() > deadline);
      const past = old === undefined ? NO_PAST : { own: { value: object, old, schema }, around: undefined };
      walk.visit(root, "", object, old, past);
      return walk.outcome;
    };
  };
}

/** Errors of a default at `path` under the rules of its schema. For transition rules it is unchanged. */
export function defaultRuleErrors(schema: JsonSchema, path: string, value: unknown): readonly FieldError[] {
  const root = buildNode(schema, schema, schema["x-kubernetes-embedded-resource"] === true);
  if (root === undefined) return [];
  const deadline = performance.now() + OBJECT_TIME_MS;
  const walk = new RuleWalk(() => performance.now() > deadline);
  walk.visit(root, path, value, value, NO_PAST);
  return walk.outcome.errors;
}

/** `rules` is where the rules are, `schema` what the data is: they differ within `allOf`. */
function buildNode(rules: JsonSchema, schema: JsonSchema, isRoot: boolean): RuleNode | undefined {
  const own = rules["x-kubernetes-validations"] ?? [];
  const type = own.length === 0 ? undefined : dataType(schema, isRoot);
  const compiled = type === undefined ? [] : compileRulesOf(own, schema, type);
  const isEmbedded = (inner: JsonSchema): boolean => inner["x-kubernetes-embedded-resource"] === true;
  const below = (inner: JsonSchema | boolean | undefined, data: JsonSchema | boolean | undefined) =>
    typeof inner === "object" && typeof data === "object" ? buildNode(inner, data, isEmbedded(data)) : undefined;
  const items = below(rules.items, schema.items);
  const additional = below(rules.additionalProperties, schema.additionalProperties);
  const properties = new Map<string, RuleNode>();
  for (const [name, inner] of Object.entries(rules.properties ?? {})) {
    const node = below(inner, schema.properties?.[name]);
    if (node !== undefined) properties.set(name, node);
  }
  const allOf = (rules.allOf ?? [])
    .map((inner) => buildNode(inner, schema, isRoot))
    .filter((node) => node !== undefined);
  const isEmpty = items === undefined && additional === undefined && properties.size === 0 && allOf.length === 0;
  if (compiled.length === 0 && isEmpty) return undefined;
  return { schema, rules: compiled, view: type?.view, items, properties, additional, allOf };
}

/** One walk over an object. */
class RuleWalk {
  readonly #errors: FieldError[] = [];
  readonly #warnings: string[] = [];
  readonly #isOver: () => boolean;
  #budget = OBJECT_BUDGET;
  #ended = false;

  constructor(isOver: () => boolean) {
    this.#isOver = isOver;
  }

  get outcome(): RuleOutcome {
    return { errors: this.#errors, warnings: this.#warnings };
  }

  visit(node: RuleNode, path: string, value: unknown, old: unknown, past: Past): void {
    if (value === undefined || value === null || this.#ended) return;
    this.#evaluateRules(node, path, value, old, past);
    for (const part of node.allOf) {
      if (!this.#ended) this.visit(part, path, value, old, { own: undefined, around: past.around });
    }
    if (this.#ended) return;
    if (Array.isArray(value)) this.#visitItems(node, path, value, old, past);
    else if (typeof value === "object") this.#visitFields(node, path, value as Record<string, unknown>, old, past);
  }

  #visitItems(node: RuleNode, path: string, value: readonly unknown[], old: unknown, past: Past): void {
    if (node.items === undefined) return;
    for (const [index, item] of value.entries()) {
      const before = counterpart(item, old, node.schema);
      this.visit(node.items, `${path}[${index}]`, item, before, pastOfItem(past, item));
      if (this.#ended) return;
    }
  }

  #visitFields(node: RuleNode, path: string, value: Record<string, unknown>, old: unknown, past: Past): void {
    const before = isRecord(old) ? old : {};
    for (const [key, inner] of Object.entries(value)) {
      const property = node.properties.get(key);
      const child = property ?? node.additional;
      if (child === undefined) continue;
      const below = property === undefined ? `${path}[${key}]` : joinPaths(path, key);
      this.visit(child, below, inner, before[key], pastOfField(past, key));
      if (this.#ended) return;
    }
  }

  #evaluateRules(node: RuleNode, path: string, value: unknown, old: unknown, past: Past): void {
    if (node.rules.length === 0) return;
    const place: Place = { node, path: path === "" ? "<nil>" : path, value };
    if (this.#budget <= 0) {
      this.#end(place, RAN_OUT);
      return;
    }
    const variables = this.#variables(node, value, old);
    for (const rule of node.rules) {
      if (rule.error !== undefined) this.#invalid(place, `rule compile error: ${rule.error}`);
      else if (rule.program !== undefined) this.#evaluate(rule, rule.program, place, variables, old, past);
      if (this.#ended) return;
    }
  }

  /** The values of `self` and `oldSelf`; data that is not what the schema says makes the rules fail. */
  #variables(node: RuleNode, value: unknown, old: unknown): Variables {
    const view = (json: unknown): Value | undefined => {
      try {
        return node.view?.(json);
      } catch (error) {
        if (error instanceof EvaluationFailure) return undefined;
        throw error;
      }
    };
    const self = view(value);
    const oldSelf = old === undefined || old === null ? undefined : view(old);
    return { self, oldSelf };
  }

  #evaluate(
    compiled: CompiledRule,
    program: Program,
    place: Place,
    { self, oldSelf }: Variables,
    old: unknown,
    past: Past,
  ): void {
    const { rule } = compiled;
    const optional = rule.optionalOldSelf === true;
    if (compiled.usesOldSelf && (old === undefined || old === null) && !optional) return;
    const optionalOld = oldSelf === undefined ? NONE : new CelOptional(oldSelf);
    const result = program.evaluate({ self, oldSelf: optional ? optionalOld : oldSelf }, { isOver: this.#isOver });
    if (result.cost > this.#budget) {
      this.#end(place, RAN_OUT);
      return;
    }
    this.#budget -= result.cost;
    if ("error" in result) {
      this.#fail(compiled, place, result);
      return;
    }
    if (result.value === true) return;
    const field =
      compiled.fieldPath === "" ? place.path : joinPaths(place.path === "<nil>" ? "" : place.path, compiled.fieldPath);
    const message = this.#message(compiled, place, { self, oldSelf });
    if (message === undefined) return;
    const error = ruleError(field, place, message, rule.reason);
    if (!compiled.usesOldSelf && isUnchanged(past)) this.#warnings.push(`${error.field}: ${error.message}`);
    else this.#errors.push(error);
  }

  #fail(
    compiled: CompiledRule,
    place: Place,
    failure: { readonly error: string; readonly interrupted: boolean },
  ): void {
    const { error, interrupted } = failure;
    const rule = shownRule(compiled);
    if (interrupted) {
      const why = "no further validation rules will be run due to call cost exceeds limit for rule";
      this.#end(place, `'${error}': ${why}: ${rule}`);
    } else if (error.startsWith("no such overload")) {
      const why = "call arguments did not match a supported operator, function or macro signature for rule";
      this.#invalid(place, `'${error}': ${why}: ${rule}`);
    } else this.#invalid(place, `${error} evaluating rule: ${rule}`);
  }

  /** The text of a failed rule; undefined when making it has used up the budget. */
  #message(compiled: CompiledRule, place: Place, variables: Variables): string | undefined {
    const fallback = () => {
      const { message = "" } = compiled.rule;
      return message === "" ? `failed rule: ${shownRule(compiled)}` : message.trim();
    };
    if (compiled.message === undefined) return fallback();
    const result = compiled.message.evaluate({ ...variables }, { isOver: this.#isOver });
    if (result.cost > this.#budget) {
      const why = "messageExpression evaluation failed due to running out of cost budget";
      this.#end(place, `${why}, no further validation rules will be run`);
      return undefined;
    }
    this.#budget -= result.cost;
    if ("error" in result) {
      if (!result.interrupted) return fallback();
      const why = "no further validation rules will be run due to call cost exceeds limit for messageExpression";
      this.#end(place, `${why}: ${JSON.stringify(compiled.rule.messageExpression)}`);
      return undefined;
    }
    const text = typeof result.value === "string" ? result.value.trim() : "";
    const usable = text !== "" && !text.includes("\n") && Buffer.byteLength(text) <= LONGEST_MESSAGE;
    return usable ? text : fallback();
  }

  #invalid({ path, node }: Place, text: string): void {
    const message = `Invalid value: ${printValue(node.schema.type ?? "")}: ${text}`;
    this.#errors.push({ reason: "FieldValueInvalid", field: path, message });
  }

  #end(place: Place, text: string): void {
    this.#invalid(place, text);
    this.#ended = true;
  }
}

interface Place {
  readonly node: RuleNode;
  readonly path: string;
  readonly value: unknown;
}

interface Variables {
  readonly self: Value | undefined;
  readonly oldSelf: Value | undefined;
}

const RAN_OUT = "validation failed due to running out of cost budget, no further validation rules will be run";

function shownRule({ rule }: CompiledRule): string {
  return ((rule.message ?? "") === "" ? rule.rule : rule.message!).trim();
}

function ruleError(field: string, { node, value }: Place, message: string, reason: string | undefined): FieldError {
  // Objects and lists are too large to be repeated.
  const isWhole = node.schema.type === "object" || node.schema.type === "array";
  const shown = isWhole ? "" : `: ${printValue(value)}`;
  switch (reason) {
    case "FieldValueForbidden":
      return { reason, field, message: `Forbidden: ${message}` };
    case "FieldValueRequired":
      return { reason, field, message: `Required value: ${message}` };
    case "FieldValueDuplicate":
      return { reason, field, message: `Duplicate value${shown}` };
    default:
      return { reason: "FieldValueInvalid", field, message: `Invalid value${shown}: ${message}` };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The old item with the same keys, in lists of type map. */
function counterpart(item: unknown, old: unknown, schema: JsonSchema): unknown {
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(old) || !isRecord(item)) return undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  return old.find((other) => isRecord(other) && keys.every((key) => equalJson(other[key], item[key])));
}

function isUnchanged({ own, around }: Past): boolean {
  const correlation = own ?? around;
  return correlation !== undefined && equalJson(correlation.value, correlation.old);
}

function pastOfField(past: Past, key: string): Past {
  const { own, around } = past;
  if (own === undefined) return past;
  // The kind and version of an object are no part of what stays the same.
  if (around === undefined && (key === "apiVersion" || key === "kind")) return NO_PAST;
  return { own: fieldOf(own, key), around: own };
}

function fieldOf({ value, old, schema }: Correlation, key: string): Correlation | undefined {
  if (!isRecord(value) || !isRecord(old) || value[key] === undefined || old[key] === undefined) return undefined;
  const { additionalProperties } = schema;
  const inner =
    schema.properties?.[key] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  return inner === undefined ? undefined : { value: value[key], old: old[key], schema: inner };
}

function pastOfItem(past: Past, item: unknown): Past {
  const { own } = past;
  if (own === undefined) return past;
  const { items } = own.schema;
  const old = counterpart(item, own.old, own.schema);
  const correlated = items === undefined || old === undefined ? undefined : { value: item, old, schema: items };
  return { own: correlated, around: own };
}
