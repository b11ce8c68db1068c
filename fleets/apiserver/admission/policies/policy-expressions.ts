// The expressions of a policy: its variables, and everything that may read them.
import { CompileError, type Program } from "../../../../kube/cel/program.ts";
import { type CelType, DYN, listOf, mapOf } from "../../../../kube/cel/types.ts";
import { CelMap, fail, type Value } from "../../../../kube/cel/values.ts";
import { compileAdmissionExpression, type ExpressionSetting } from "../admission-environment.ts";
import type { AdmissionVariables } from "../admission-input.ts";

/** The cost that the expressions of a policy may have together for one write, and the time in milliseconds. */
const BUDGET = 10_000_000;
const TIME_MS = 100;

/** All further expressions of the policy are given up, too. */
export class OutOfBudget {
  readonly message = "validation failed due to running out of cost budget, no further validation rules will be run";
}

export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

export interface CompiledExpression {
  readonly expression: string;
  readonly program: Program | CompileError;
}

/** Variables of a policy; each may read the ones before it. */
export class PolicyVariables {
  readonly #setting: ExpressionSetting;
  readonly #composed: boolean;
  readonly #types = new Map<string, CelType>();
  readonly #compiled = new Map<string, CompiledExpression>();

  /** Without `composed`, expressions do not know `variables` at all. */
  constructor(params: boolean, composed = true) {
    this.#setting = { params, authorizer: true };
    this.#composed = composed;
  }

  /** Adds a variable; answers what is wrong with its expression. */
  add({ name, expression }: NamedExpression): CompileError | undefined {
    const program = this.#compile(expression, {}, []);
    this.#types.set(name, program instanceof CompileError ? DYN : variableType(program.type));
    this.#compiled.set(name, { expression, program });
    return program instanceof CompileError ? program : undefined;
  }

  /** Compiles an expression that may read the variables added so far. */
  compile(expression: string, types: readonly CelType[], setting: Partial<ExpressionSetting> = {}): CompiledExpression {
    return { expression, program: this.#compile(expression, setting, types) };
  }

  #compile(expression: string, more: Partial<ExpressionSetting>, types: readonly CelType[]): Program | CompileError {
    // The types may grow after this: the expression sees what there is now.
    const variables = this.#composed ? { variables: new Map(this.#types) } : {};
    return compileAdmissionExpression(expression, { ...this.#setting, ...more, ...variables }, types);
  }

  /** Begins the evaluation of a policy over a write. */
  evaluation(variables: AdmissionVariables): PolicyEvaluation {
    return new PolicyEvaluation(this.#compiled, variables);
  }
}

/** Only simple types are known of variables, as in the reference. */
function variableType(type: CelType): CelType {
  switch (type.kind) {
    case "list":
      return listOf(variableType(type.item));
    case "map":
      return mapOf(variableType(type.key), variableType(type.value));
    case "bool":
    case "bytes":
    case "double":
    case "duration":
    case "int":
    case "null":
    case "string":
    case "timestamp":
    case "uint":
      return type;
    default:
      return DYN;
  }
}

export type ExpressionResult = { readonly value: Value } | { readonly error: string };

/** One evaluation of a policy: a budget, and variables that are evaluated when they are read. */
export class PolicyEvaluation {
  readonly #variables: AdmissionVariables;
  readonly #deadline = performance.now() + TIME_MS;
  #budget = BUDGET;

  constructor(compiled: ReadonlyMap<string, CompiledExpression>, variables: AdmissionVariables) {
    const own = new LazyVariables(compiled, (program) => this.#run(program));
    this.#variables = Object.create(variables, { variables: { value: own, enumerable: true } }) as AdmissionVariables;
  }

  /** Gives the expressions that follow a budget of their own. */
  refill(): void {
    this.#budget = BUDGET;
  }

  /** The value of an expression, or what went wrong. Throws `OutOfBudget`. */
  evaluate({ expression, program }: CompiledExpression): ExpressionResult {
    if (program instanceof CompileError) return { error: `compilation error: ${program.message}` };
    const result = this.#run(program);
    return "error" in result ? { error: `expression '${expression}' resulted in error: ${result.error}` } : result;
  }

  #run(program: Program): ExpressionResult {
    const isOver = (): boolean => performance.now() > this.#deadline;
    const result = program.evaluate(this.#variables, { isOver });
    if (result.cost > this.#budget) throw new OutOfBudget();
    this.#budget -= result.cost;
    return "error" in result ? { error: result.error } : { value: result.value };
  }
}

class LazyVariables extends CelMap {
  readonly #compiled: ReadonlyMap<string, CompiledExpression>;
  readonly #run: (program: Program) => ExpressionResult;
  readonly #results = new Map<string, ExpressionResult>();

  constructor(compiled: ReadonlyMap<string, CompiledExpression>, run: (program: Program) => ExpressionResult) {
    super();
    this.#compiled = compiled;
    this.#run = run;
  }

  get size(): number {
    return this.#compiled.size;
  }

  keys(): readonly Value[] {
    return [...this.#compiled.keys()];
  }

  find(key: Value): Value | undefined {
    const compiled = typeof key === "string" ? this.#compiled.get(key) : undefined;
    if (typeof key !== "string" || compiled === undefined) return undefined;
    const { program } = compiled;
    if (program instanceof CompileError) {
      return fail(`composited variable ${JSON.stringify(key)} fails to compile: ${program.message}`);
    }
    let result = this.#results.get(key);
    if (result === undefined) {
      result = this.#run(program);
      this.#results.set(key, result);
    }
    if ("value" in result) return result.value;
    return fail(`composited variable ${JSON.stringify(key)} fails to evaluate: ${result.error}`);
  }
}
