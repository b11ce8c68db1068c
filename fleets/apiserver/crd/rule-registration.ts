// What the rules of a schema must be like to be registered.
import { dataType } from "../../../kube/cel/schema-types.ts";
import { forbiddenValue, invalidValue, notSupported, required } from "../kinds/field-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import { type CompiledRule, compileRulesOf, maxCardinality } from "./compiled-rules.ts";
import { resolveFieldPath } from "./rule-paths.ts";
import type { JsonSchema, ValidationRule } from "./schema.ts";

/** Costs at most of one rule, over all values that it is evaluated for, and of all rules of a schema. */
const RULE_COST_LIMIT = 10_000_000;
const SCHEMA_COST_LIMIT = 100_000_000;
const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const UNBOUNDED = 2 ** 64;

const LINE_BREAK = /[\n\r]/;

/** Errors of the shape of the rules at one place: texts that are missing or too many, paths to nowhere. */
export function checkRuleShapes(schema: JsonSchema, path: string): FieldError[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  return rules.flatMap((rule, index) => ruleShapeErrors(rule, schema, `${path}.x-kubernetes-validations[${index}]`));
}

function ruleShapeErrors(rule: ValidationRule, schema: JsonSchema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const { message = "", messageExpression = "", reason, fieldPath = "" } = rule;
  const text = rule.rule.trim();
  if (text === "") errors.push(required(`${at}.rule`, "rule is not specified"));
  else if (message !== "" && message.trim() === "") {
    errors.push(invalidValue(`${at}.message`, message, "must be non-empty if specified"));
  } else if (LINE_BREAK.test(message.trim())) {
    errors.push(invalidValue(`${at}.message`, message, "must not contain line breaks"));
  } else if (LINE_BREAK.test(text) && message.trim() === "") {
    errors.push(required(`${at}.message`, "message must be specified if rule contains line breaks"));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    errors.push(required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
  }
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, REASONS));
  if (fieldPath === "") return errors;
  const path = `${at}.fieldPath`;
  if (fieldPath.trim() === "") errors.push(invalidValue(path, fieldPath, "must be non-empty if specified"));
  if (LINE_BREAK.test(fieldPath)) errors.push(invalidValue(path, fieldPath, "must not contain line breaks"));
  if (resolveFieldPath(fieldPath, schema) === undefined) {
    errors.push(invalidValue(path, fieldPath, "must be a valid path"));
  }
  return errors;
}

interface RuleCost {
  readonly path: string;
  readonly cost: number;
}

/** Where a schema stands: how often its values occur, and whether they have a past. */
interface Context {
  readonly path: string;
  readonly isRoot: boolean;
  /** Undefined when nothing bounds it. */
  readonly cardinality: number | undefined;
  /** The list whose items cannot be told apart. */
  readonly uncorrelatable: string | undefined;
}

export interface RuleCheckOptions {
  /** The schema was registered before, with other limits: single rules may cost what they cost. */
  readonly ignoreCostOfRules?: boolean;
}

/**
 * Errors of the expressions of all rules in a structural schema at `path`: compilation, types and costs. Places with
 * errors of shape at or below them are left out.
 */
export function checkRuleExpressions(
  schema: JsonSchema,
  path: string,
  shapeErrors: readonly FieldError[],
  options: RuleCheckOptions = {},
): FieldError[] {
  const check = new RuleCheck(shapeErrors, options);
  check.visit(schema, { path, isRoot: true, cardinality: 1, uncorrelatable: undefined });
  return check.finish(path);
}

class RuleCheck {
  readonly #errors: FieldError[] = [];
  readonly #shapeErrors: readonly FieldError[];
  readonly #options: RuleCheckOptions;
  #total = 0;
  #expensive: RuleCost[] = [];

  constructor(shapeErrors: readonly FieldError[], options: RuleCheckOptions) {
    this.#shapeErrors = shapeErrors;
    this.#options = options;
  }

  visit(schema: JsonSchema, context: Context): void {
    const { path } = context;
    const elements = maxElements(schema);
    const cardinality =
      context.cardinality === undefined || elements === undefined
        ? undefined
        : Math.min(context.cardinality * elements, UNBOUNDED);
    const below = (inner: JsonSchema, step: string, uncorrelatable = context.uncorrelatable): void => {
      const isRoot = inner["x-kubernetes-embedded-resource"] === true;
      this.visit(inner, { path: `${path}.${step}`, isRoot, cardinality, uncorrelatable });
    };
    if (typeof schema.additionalProperties === "object") below(schema.additionalProperties, "additionalProperties");
    for (const [name, inner] of Object.entries(schema.properties ?? {})) below(inner, `properties[${name}]`);
    if (schema.items !== undefined) {
      const hasKeys = schema["x-kubernetes-list-type"] === "map";
      below(schema.items, "items", context.uncorrelatable ?? (hasKeys ? undefined : path));
    }
    this.#checkPlace(schema, context);
  }

  #checkPlace(schema: JsonSchema, context: Context): void {
    const rules = schema["x-kubernetes-validations"] ?? [];
    const { path } = context;
    if (rules.length === 0 || this.#shapeErrors.some(({ field }) => field.startsWith(`${path}.`))) return;
    const type = dataType(schema, context.isRoot);
    const field = `${path}.x-kubernetes-validations`;
    if (type === undefined) {
      const why = "unable to convert structural schema to CEL declarations";
      const message = `Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: ${why}`;
      this.#errors.push({ reason: "InternalError", field, message });
      return;
    }
    const cardinality = context.cardinality ?? maxCardinality(type);
    for (const [index, compiled] of compileRulesOf(rules, schema, type).entries()) {
      this.#checkRule(compiled, `${field}[${index}]`, cardinality, context.uncorrelatable);
    }
  }

  #checkRule(compiled: CompiledRule, at: string, cardinality: number, uncorrelatable: string | undefined): void {
    const { rule } = compiled;
    const errors = this.#errors;
    const cost = Math.min(compiled.maxCost * cardinality, UNBOUNDED);
    this.#observe(`${at}.rule`, "estimated rule cost", cost);
    if (compiled.error !== undefined) errors.push(invalidValue(`${at}.rule`, printedRule(rule), compiled.error));
    if (compiled.messageError !== undefined) {
      errors.push(invalidValue(`${at}.messageExpression`, printedRule(rule), compiled.messageError));
    } else if (compiled.message !== undefined) {
      this.#observe(`${at}.messageExpression`, "estimated messageExpression cost", compiled.messageMaxCost);
    }
    if (compiled.usesOldSelf) {
      if (uncorrelatable === undefined) return;
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
      errors.push(invalidValue(`${at}.rule`, rule.rule, why));
    } else if (rule.optionalOldSelf !== undefined) {
      const why = "may not be set if oldSelf is not used in rule";
      errors.push(invalidValue(`${at}.optionalOldSelf`, rule.optionalOldSelf, why));
    }
  }

  #observe(path: string, what: string, cost: number): void {
    if (cost > RULE_COST_LIMIT && this.#options.ignoreCostOfRules !== true) {
      this.#errors.push(forbiddenValue(path, costMessage(what, cost, RULE_COST_LIMIT)));
    }
    this.#total = Math.min(this.#total + cost, UNBOUNDED);
    if (cost < SCHEMA_COST_LIMIT / 100) return;
    this.#expensive.push({ path, cost });
    this.#expensive.sort((a, b) => b.cost - a.cost);
    this.#expensive = this.#expensive.slice(0, 4);
  }

  /** The errors, with those of the schema as a whole. */
  finish(path: string): FieldError[] {
    if (this.#total <= SCHEMA_COST_LIMIT) return this.#errors;
    const why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [
      ...this.#errors,
      ...this.#expensive.map((rule) => forbiddenValue(rule.path, why)),
      forbiddenValue(path, costMessage(what, this.#total, SCHEMA_COST_LIMIT)),
    ];
  }
}

/** How many values a value may hold; undefined when nothing bounds it. */
function maxElements(schema: JsonSchema): number | undefined {
  const bound = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : Math.max(0, value);
  if (schema.type === "array") return bound(schema.maxItems);
  const hasAny = schema.type === "object" && schema.additionalProperties !== undefined;
  return hasAny ? bound(schema.maxProperties) : 1;
}

/** A rule as the reference prints it: by the names that its fields have in memory. */
function printedRule(rule: ValidationRule) {
  return {
    Rule: rule.rule,
    Message: rule.message ?? "",
    MessageExpression: rule.messageExpression ?? "",
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? "",
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function costMessage(what: string, cost: number, limit: number): string {
  const excess = cost / limit;
  let factor = `${excess.toFixed(1)}x`;
  if (excess > 100) factor = "more than 100x";
  else if (excess < 1.5) factor = `${excess.toFixed(6)}x`;
  const advice = "adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or ${advice})`;
}
