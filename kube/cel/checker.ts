// Types of every part of an expression, and which functions its calls mean.
import { Bindings, mostGeneral } from "./assignability.ts";
import {
  type CallExpr,
  type Expr,
  type IdentExpr,
  type ListExpr,
  type LoopExpr,
  type MapExpr,
  OPERATORS,
  type SelectExpr,
  type StructExpr,
} from "./ast.ts";
import type { Environment, Overload } from "./declarations.ts";
import type { Issues } from "./source.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  formatType,
  INT,
  insideOptional,
  isDyn,
  listOf,
  mapOf,
  NULL,
  opaque,
  optionalOf,
  param,
  runtimeName,
  STRING,
  sameType,
  TIMESTAMP,
  UINT,
} from "./types.ts";
import { CelUint, type Value } from "./values.ts";

/** A tree whose parts have types. */
export interface CheckedExpression {
  readonly expr: Expr;
  readonly type: CelType;
  typeOf(expr: Expr): CelType;
  /** The signatures that a call may turn out to mean; several only when arguments are dynamic. */
  overloadsOf(expr: Expr): readonly Overload[];
  /** The name of the type that a name in the expression means; undefined for variables. */
  typeNamed(expr: Expr): string | undefined;
  /** Variables of the environment that the expression reads. */
  readonly variables: ReadonlySet<string>;
}

/** Types that can be named in expressions. */
const TYPE_NAMES: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ["bool", BOOL],
  ["bytes", BYTES],
  ["double", DOUBLE],
  ["int", INT],
  ["string", STRING],
  ["uint", UINT],
  ["dyn", DYN],
  ["null_type", NULL],
  ["list", listOf(DYN)],
  ["map", mapOf(DYN, DYN)],
  ["type", { kind: "type", of: undefined }],
  ["google.protobuf.Duration", DURATION],
  ["google.protobuf.Timestamp", TIMESTAMP],
  ["optional_type", opaque("optional_type", DYN)],
]);

/** Checks a tree; undefined when `issues` tell what is wrong. Names of several parts become one in the tree. */
export function check(expr: Expr, environment: Environment, issues: Issues): CheckedExpression | undefined {
  const checker = new Checker(environment, issues);
  checker.check(expr);
  return issues.isEmpty ? checker.result(expr) : undefined;
}

class Checker {
  readonly #environment: Environment;
  readonly #issues: Issues;
  readonly #bindings = new Bindings();
  readonly #types = new Map<number, CelType>();
  readonly #overloads = new Map<number, readonly Overload[]>();
  readonly #scopes: Map<string, CelType>[] = [];
  readonly #variables = new Set<string>();
  readonly #typeNames = new Map<number, string>();
  #freeTypes = 0;

  constructor(environment: Environment, issues: Issues) {
    this.#environment = environment;
    this.#issues = issues;
  }

  result(expr: Expr): CheckedExpression {
    for (const [id, type] of this.#types) this.#types.set(id, this.#bindings.substitute(type, true));
    return {
      expr,
      type: this.#typeOf(expr),
      typeOf: (part) => this.#typeOf(part),
      overloadsOf: (part) => this.#overloads.get(part.id) ?? [],
      typeNamed: (part) => this.#typeNames.get(part.id),
      variables: this.#variables,
    };
  }

  check(expr: Expr): void {
    this.#types.set(expr.id, this.#infer(expr));
  }

  #infer(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return literalType(expr.value);
      case "ident":
        return this.#ident(expr);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "loop":
        return this.#loop(expr);
    }
  }

  #typeOf(expr: Expr): CelType {
    return this.#types.get(expr.id) ?? ERROR;
  }

  #find(written: string, expr?: Expr): CelType | undefined {
    const name = written.startsWith(".") ? written.slice(1) : written;
    for (let index = this.#scopes.length - 1; index >= 0; index--) {
      const type = this.#scopes[index]!.get(name);
      if (type !== undefined) return type;
    }
    const variable = this.#environment.variables.get(name);
    if (variable !== undefined) {
      this.#variables.add(name);
      return variable;
    }
    const named = this.#environment.fields.structType?.(name) ?? TYPE_NAMES.get(name);
    if (named !== undefined && expr !== undefined) this.#typeNames.set(expr.id, runtimeName(named));
    return named === undefined ? undefined : { kind: "type", of: named };
  }

  #undeclared(expr: Expr, name: string): CelType {
    this.#issues.report(expr.at, `undeclared reference to '${name}' (in container '')`);
    return ERROR;
  }

  #ident(expr: IdentExpr): CelType {
    return this.#find(expr.name, expr) ?? this.#undeclared(expr, expr.name);
  }

  #select(expr: SelectExpr): CelType {
    const name = expr.test ? undefined : qualifiedName(expr);
    const variable = name === undefined ? undefined : this.#find(name, expr);
    if (name !== undefined && variable !== undefined) {
      become(expr, { kind: "ident", id: expr.id, at: expr.at, name });
      return variable;
    }
    const type = this.#field(expr, expr.operand, expr.field, false);
    return expr.test ? BOOL : this.#bindings.substitute(type);
  }

  #field(expr: Expr, operand: Expr, field: string, optional: boolean): CelType {
    this.check(operand);
    const operandType = this.#bindings.substitute(this.#typeOf(operand));
    const inside = insideOptional(operandType);
    const target = inside ?? operandType;
    let type: CelType = DYN;
    if (target.kind === "map") type = target.value;
    else if (target.kind === "struct") type = this.#fieldType(expr, target.name, field);
    else if (target.kind === "param") this.#bindings.assign([DYN], [target]);
    else if (!isDyn(target) && target.kind !== "error") {
      this.#issues.report(expr.at, `type '${formatType(target)}' does not support field selection`);
    }
    return inside !== undefined || optional ? optionalOf(type) : type;
  }

  #fieldType(at: { readonly at: number }, typeName: string, field: string): CelType {
    const type = this.#environment.fields.fieldType(typeName, field);
    if (type !== undefined && type !== "unknown-type") return type;
    const message = type === undefined ? `undefined field '${field}'` : `unexpected failed resolution of '${typeName}'`;
    this.#issues.report(at.at, message);
    return ERROR;
  }

  #call(expr: CallExpr): CelType {
    if (expr.name === OPERATORS.optSelect) return this.#optionalSelect(expr);
    for (const arg of expr.args) this.check(arg);
    const { functions } = this.#environment;
    if (expr.target === undefined) {
      const name = expr.name.startsWith(".") ? expr.name.slice(1) : expr.name;
      const overloads = functions.get(name);
      if (overloads === undefined) return this.#undeclared(expr, expr.name);
      if (name !== expr.name) become(expr, { ...expr, name });
      return this.#resolve(expr, name, overloads);
    }
    const prefix = qualifiedName(expr.target);
    const namespaced = prefix === undefined ? undefined : `${prefix.replace(/^\./, "")}.${expr.name}`;
    const global = namespaced === undefined ? undefined : functions.get(namespaced);
    if (namespaced !== undefined && global !== undefined) {
      become(expr, { ...expr, name: namespaced, target: undefined });
      return this.#resolve(expr, namespaced, global);
    }
    this.check(expr.target);
    const overloads = functions.get(expr.name);
    return overloads === undefined ? this.#undeclared(expr, expr.name) : this.#resolve(expr, expr.name, overloads);
  }

  #optionalSelect(expr: CallExpr): CelType {
    const [operand, field] = expr.args;
    const name = field?.kind === "literal" && typeof field.value === "string" ? field.value : "";
    return this.#bindings.substitute(this.#field(expr, operand!, name, true));
  }

  #resolve(expr: CallExpr, name: string, overloads: readonly Overload[]): CelType {
    const parts = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    const types = parts.map((part) => this.#typeOf(part));
    if (name === OPERATORS["&&"] || name === OPERATORS["||"]) return this.#logic(expr, overloads, types);
    const fitting: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of overloads) {
      if (overload.member !== (expr.target !== undefined)) continue;
      const signature = this.#instantiate(overload);
      if (!this.#bindings.assign(types, signature.args)) continue;
      fitting.push(overload);
      const type = this.#bindings.substitute(signature.result);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !sameType(type, result)) result = DYN;
    }
    if (result === undefined) {
      const shown = types.map((type) => formatType(this.#bindings.substitute(type, true)));
      const receiver = expr.target === undefined ? "" : `${shown.shift()}.`;
      const applied = `${receiver}(${shown.join(", ")})`;
      this.#issues.report(expr.at, `found no matching overload for '${name}' applied to '${applied}'`);
      return ERROR;
    }
    this.#overloads.set(expr.id, fitting);
    return result;
  }

  #logic(expr: CallExpr, overloads: readonly Overload[], types: readonly CelType[]): CelType {
    let valid = true;
    for (const [index, type] of types.entries()) {
      if (this.#bindings.assign([type], [BOOL])) continue;
      this.#mismatch(expr.args[index]!, BOOL, type);
      valid = false;
    }
    this.#overloads.set(expr.id, overloads);
    return valid ? BOOL : ERROR;
  }

  /** The signature with types of its own for its parameters. */
  #instantiate(overload: Overload): { args: readonly CelType[]; result: CelType } {
    const own = new Bindings();
    const names = new Set<string>();
    for (const type of [...overload.args, overload.result]) collectParams(type, names);
    if (names.size === 0) return overload;
    for (const name of names) own.bind(param(name), this.#newType());
    return { args: overload.args.map((type) => own.substitute(type)), result: own.substitute(overload.result) };
  }

  #newType(): CelType {
    return param(`_var${this.#freeTypes++}`);
  }

  #mismatch(expr: { readonly at: number }, expected: CelType, actual: CelType): void {
    this.#issues.report(expr.at, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
  }

  /** Mixed items are dynamic here; whether they are allowed is checked apart (validators.ts). */
  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.#bindings.assign([previous], [current]) ? mostGeneral(previous, current) : DYN;
  }

  #unwrapped(expr: Expr, optional: boolean): CelType {
    const type = this.#typeOf(expr);
    if (!optional) return type;
    const inside = insideOptional(type);
    if (inside === undefined && !isDyn(type)) this.#mismatch(expr, optionalOf(type), type);
    return inside ?? type;
  }

  #list(expr: ListExpr): CelType {
    let item: CelType | undefined;
    for (const [index, each] of expr.items.entries()) {
      this.check(each);
      item = this.#join(item, this.#unwrapped(each, expr.optional.has(index)));
    }
    return listOf(item ?? this.#newType());
  }

  #map(expr: MapExpr): CelType {
    let keyType: CelType | undefined;
    let valueType: CelType | undefined;
    for (const { key, value, optional } of expr.entries) {
      this.check(key);
      keyType = this.#join(keyType, this.#typeOf(key));
      this.check(value);
      valueType = this.#join(valueType, this.#unwrapped(value, optional));
    }
    return mapOf(keyType ?? this.#newType(), valueType ?? this.#newType());
  }

  #struct(expr: StructExpr): CelType {
    const named = this.#find(expr.type);
    if (named === undefined) return this.#undeclared(expr, expr.type);
    const type = named.kind === "type" ? named.of : undefined;
    if (type?.kind !== "struct") {
      const what = named.kind === "type" ? "message type" : "type";
      this.#issues.report(expr.at, `'${formatType(type ?? named)}' is not a ${what}`);
      for (const field of expr.fields) {
        this.check(field.value);
        const known = TYPE_NAMES.has(expr.type);
        this.#issues.report(
          field.at,
          known ? `undefined field '${field.name}'` : `unexpected failed resolution of '${expr.type}'`,
        );
      }
      return ERROR;
    }
    for (const field of expr.fields) {
      this.check(field.value);
      const expected = this.#fieldType(field, type.name, field.name);
      const actual = this.#unwrapped(field.value, field.optional);
      if (this.#bindings.assign([expected], [actual])) continue;
      const message = `expected type of field '${field.name}' is '${formatType(expected)}' but provided type is '${formatType(actual)}'`;
      this.#issues.report(field.at, message);
    }
    return type;
  }

  #loop(expr: LoopExpr): CelType {
    this.check(expr.range);
    this.check(expr.init);
    const range = this.#bindings.substitute(this.#typeOf(expr.range));
    const accumulated = this.#typeOf(expr.init);
    const [first, second] = this.#elementTypes(expr, range);
    this.#scopes.push(new Map([[expr.accumulator, accumulated]]));
    const variables = new Map([[expr.variable, first]]);
    if (expr.variable2 !== undefined) variables.set(expr.variable2, second);
    this.#scopes.push(variables);
    this.check(expr.condition);
    this.#assert(expr.condition, BOOL);
    this.check(expr.step);
    this.#assert(expr.step, accumulated);
    this.#scopes.pop();
    this.check(expr.result);
    this.#scopes.pop();
    return this.#bindings.substitute(this.#typeOf(expr.result));
  }

  /** Types of the loop's variables: of one, the item or key; of two, index or key and the value. */
  #elementTypes(expr: LoopExpr, range: CelType): [CelType, CelType] {
    const two = expr.variable2 !== undefined;
    switch (range.kind) {
      case "list":
        return two ? [INT, range.item] : [range.item, range.item];
      case "map":
        return [range.key, range.value];
      case "dyn":
      case "error":
      case "param":
        this.#bindings.assign([DYN], [range]);
        return [DYN, DYN];
      default: {
        const why = "cannot be range of a comprehension (must be list, map, or dynamic)";
        this.#issues.report(expr.range.at, `expression of type '${formatType(range)}' ${why}`);
        return [ERROR, ERROR];
      }
    }
  }

  #assert(expr: Expr, type: CelType): void {
    const actual = this.#typeOf(expr);
    if (!this.#bindings.assign([type], [actual])) this.#mismatch(expr, type, actual);
  }
}

function literalType(value: Value): CelType {
  switch (typeof value) {
    case "boolean":
      return BOOL;
    case "bigint":
      return INT;
    case "number":
      return DOUBLE;
    case "string":
      return STRING;
  }
  if (value === null) return NULL;
  return value instanceof CelUint ? UINT : BYTES;
}

/** `a.b.c` for names joined by dots, undefined for other expressions. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name;
  if (expr.kind !== "select" || expr.test) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}

function collectParams(type: CelType, names: Set<string>): void {
  switch (type.kind) {
    case "param":
      names.add(type.name);
      break;
    case "list":
      collectParams(type.item, names);
      break;
    case "map":
      collectParams(type.key, names);
      collectParams(type.value, names);
      break;
    case "opaque":
      for (const each of type.params) collectParams(each, names);
      break;
    case "type":
      if (type.of !== undefined) collectParams(type.of, names);
      break;
  }
}

/** Puts another node in the place of one, for everyone who holds it. */
function become(expr: Expr, other: Expr): void {
  Object.assign(expr, other);
}
