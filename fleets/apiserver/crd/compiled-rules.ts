// The rules of one place of a schema, compiled.
import { KUBERNETES_FUNCTIONS } from "../../../kube/cel/kubernetes-functions.ts";
import { CompileError, compile, type Program } from "../../../kube/cel/program.ts";
import { type DataType, fieldTypesOf, MAX_REQUEST_BYTES, sizeAtPath } from "../../../kube/cel/schema-types.ts";
import { type CelType, optionalOf } from "../../../kube/cel/types.ts";
import { resolveFieldPath } from "./rule-paths.ts";
import type { JsonSchema, ValidationRule } from "./schema.ts";

/** A rule that can be evaluated, or `error`: why not. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly usesOldSelf: boolean;
  /** The highest cost of one evaluation. */
  readonly maxCost: number;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  readonly messageMaxCost: number;
  /** Where the error is, below the place of the rule; empty for the place itself. */
  readonly fieldPath: string;
}

const SELF = "self";
const OLD_SELF = "oldSelf";
/** The reference adds a number of its own to this name. */
const TYPE_NAME = "selfType";

/** Compiles the rules of `schema`, whose data has the `type`. */
export function compileRulesOf(rules: readonly ValidationRule[], schema: JsonSchema, type: DataType): CompiledRule[] {
  const own = type.typeAt(TYPE_NAME);
  const fields = fieldTypesOf(type, TYPE_NAME);
  const environment = (oldSelf: CelType) => ({
    functions: KUBERNETES_FUNCTIONS,
    variables: new Map([
      [SELF, own],
      [OLD_SELF, oldSelf],
    ]),
    fields,
  });
  const plain = environment(own);
  const optional = environment(optionalOf(own));
  return rules.map((rule) => compileRule(rule, schema, type, rule.optionalOldSelf === true ? optional : plain));
}

function compileRule(
  rule: ValidationRule,
  schema: JsonSchema,
  type: DataType,
  environment: Parameters<typeof compile>[1],
): CompiledRule {
  const failed: CompiledRule = {
    rule,
    program: undefined,
    error: undefined,
    usesOldSelf: false,
    maxCost: 0,
    message: undefined,
    messageError: undefined,
    messageMaxCost: 0,
    fieldPath: "",
  };
  if (rule.rule.trim() === "") return failed;
  const program = compile(rule.rule, environment);
  if (program instanceof CompileError) return { ...failed, error: `compilation failed: ${program.message}` };
  if (program.type.kind !== "bool") return { ...failed, error: "cel expression must evaluate to a bool" };
  const usesOldSelf = program.variables.has(OLD_SELF);
  const broken = program.instantiationError();
  if (broken !== undefined) return { ...failed, usesOldSelf, error: `program instantiation failed: ${broken}` };
  const sizes = (path: readonly string[]) => sizeAtPath(type, path);
  const compiled = { ...failed, program, usesOldSelf, maxCost: program.estimateCost(sizes) };
  if ((rule.messageExpression ?? "") !== "") {
    const message = compile(rule.messageExpression!, environment);
    const messageError = messageProblem(message);
    if (messageError !== undefined) return { ...compiled, messageError };
    if (!(message instanceof CompileError)) {
      Object.assign(compiled, { message, messageMaxCost: message.estimateCost(sizes) });
    }
  }
  const { fieldPath = "" } = rule;
  return { ...compiled, fieldPath: fieldPath === "" ? "" : (resolveFieldPath(fieldPath, schema) ?? "") };
}

function messageProblem(message: Program | CompileError): string | undefined {
  if (message instanceof CompileError) return `messageExpression compilation failed: ${message.message}`;
  if (message.type.kind !== "string") return "messageExpression must evaluate to a string";
  const broken = message.instantiationError();
  return broken === undefined ? undefined : `messageExpression instantiation failed: ${broken}`;
}

/** How many values of a type fit into one request. */
export function maxCardinality(type: DataType): number {
  return Math.trunc(MAX_REQUEST_BYTES / (type.minSize + 1));
}
