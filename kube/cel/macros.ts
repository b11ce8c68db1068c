// Macros: calls that the parser turns into loops and tests.
import { ACCUMULATOR, type Expr, type LoopExpr, type Nodes, OPERATORS } from "./ast.ts";

/** What is wrong with the use of a macro, at the place of an argument. */
export class MacroError {
  readonly at: number;
  readonly message: string;

  constructor(at: number, message: string) {
    this.at = at;
    this.message = message;
  }
}

/** `at` is the place of the call. Throws a `MacroError`. */
type Expander = (nodes: Nodes, at: number, target: Expr, args: readonly Expr[]) => Expr;

/** A program that spells the accumulator itself cannot be expanded. */
const OLD_ACCUMULATOR = "__result__";

function variable(arg: Expr, problem: string): string {
  if (arg.kind !== "ident") throw new MacroError(arg.at, problem);
  if (arg.name === ACCUMULATOR || arg.name === OLD_ACCUMULATOR) {
    throw new MacroError(arg.at, "iteration variable overwrites accumulator variable");
  }
  return arg.name;
}

const NOT_A_NAME = "argument must be a simple name";
const NOT_AN_IDENTIFIER = "argument is not an identifier";

interface Variables {
  readonly variable: string;
  readonly variable2: string | undefined;
}

function oneVariable(args: readonly Expr[], problem: string): Variables {
  return { variable: variable(args[0]!, problem), variable2: undefined };
}

function twoVariables(args: readonly Expr[]): Variables {
  const names = args.slice(0, 2).map((arg) => {
    if (arg.kind !== "ident") throw new MacroError(arg.at, NOT_A_NAME);
    return arg.name;
  });
  if (names[0] === names[1]) throw new MacroError(args[1]!.at, `duplicate variable name: ${names[0]}`);
  return { variable: variable(args[0]!, NOT_A_NAME), variable2: variable(args[1]!, NOT_A_NAME) };
}

type Fold = Pick<LoopExpr, "init" | "condition" | "step" | "result">;

function loop(nodes: Nodes, at: number, range: Expr, variables: Variables, fold: Fold): Expr {
  return nodes.loop(at, { range, ...variables, accumulator: ACCUMULATOR, ...fold });
}

function all(nodes: Nodes, at: number, test: Expr): Fold {
  const accu = () => nodes.ident(at, ACCUMULATOR);
  return {
    init: nodes.literal(at, true),
    condition: nodes.call(at, OPERATORS.notStrictlyFalse, [accu()]),
    step: nodes.call(at, OPERATORS["&&"], [accu(), test]),
    result: accu(),
  };
}

function exists(nodes: Nodes, at: number, test: Expr): Fold {
  const accu = () => nodes.ident(at, ACCUMULATOR);
  return {
    init: nodes.literal(at, false),
    condition: nodes.call(at, OPERATORS.notStrictlyFalse, [nodes.call(at, OPERATORS["!"], [accu()])]),
    step: nodes.call(at, OPERATORS["||"], [accu(), test]),
    result: accu(),
  };
}

function existsOne(nodes: Nodes, at: number, test: Expr): Fold {
  const accu = () => nodes.ident(at, ACCUMULATOR);
  const one = () => nodes.literal(at, 1n);
  const more = nodes.call(at, OPERATORS["+"], [accu(), one()]);
  return {
    init: nodes.literal(at, 0n),
    condition: nodes.literal(at, true),
    step: nodes.call(at, OPERATORS["?"], [test, more, accu()]),
    result: nodes.call(at, OPERATORS["=="], [accu(), one()]),
  };
}

/** Adds `step` for every element, or for those that pass the filter. */
function collect(nodes: Nodes, at: number, init: Expr, step: Expr, filter: Expr | undefined): Fold {
  const accu = () => nodes.ident(at, ACCUMULATOR);
  return {
    init,
    condition: nodes.literal(at, true),
    step: filter === undefined ? step : nodes.call(at, OPERATORS["?"], [filter, step, accu()]),
    result: accu(),
  };
}

function appended(nodes: Nodes, at: number, item: Expr): Expr {
  return nodes.call(at, OPERATORS["+"], [nodes.ident(at, ACCUMULATOR), nodes.list(at, [item])]);
}

function mapMacro(nodes: Nodes, at: number, target: Expr, args: readonly Expr[]): Expr {
  const variables = oneVariable(args, NOT_AN_IDENTIFIER);
  const filter = args.length === 3 ? args[1] : undefined;
  const step = appended(nodes, at, args.at(-1)!);
  return loop(nodes, at, target, variables, collect(nodes, at, nodes.list(at, []), step, filter));
}

function filterMacro(nodes: Nodes, at: number, target: Expr, args: readonly Expr[]): Expr {
  const variables = oneVariable(args, NOT_AN_IDENTIFIER);
  const step = appended(nodes, at, args[0]!);
  return loop(nodes, at, target, variables, collect(nodes, at, nodes.list(at, []), step, args[1]));
}

function transformList(nodes: Nodes, at: number, target: Expr, args: readonly Expr[]): Expr {
  const variables = twoVariables(args);
  const filter = args.length === 4 ? args[2] : undefined;
  const step = appended(nodes, at, args.at(-1)!);
  return loop(nodes, at, target, variables, collect(nodes, at, nodes.list(at, []), step, filter));
}

/** `keyed`: the transformation answers the value of the same key; otherwise a map of entries. */
function transformMap(keyed: boolean): Expander {
  return (nodes, at, target, args) => {
    const variables = twoVariables(args);
    const filter = args.length === 4 ? args[2] : undefined;
    const key = keyed ? [nodes.ident(at, variables.variable)] : [];
    const step = nodes.call(at, MAP_INSERT, [nodes.ident(at, ACCUMULATOR), ...key, args.at(-1)!]);
    return loop(nodes, at, target, variables, collect(nodes, at, nodes.map(at, []), step, filter));
  };
}

/** The function that macros add to maps with. */
export const MAP_INSERT = "cel.@mapInsert";
/** Sorts a list by a list of keys. */
export const SORT_BY_KEYS = "@sortByAssociatedKeys";
const UNUSED = "#unused";

/** A loop over nothing, which gives a name to a value. */
function bind(nodes: Nodes, at: number, name: string, value: Expr, body: Expr): Expr {
  return nodes.loop(at, {
    range: nodes.list(at, []),
    variable: UNUSED,
    variable2: undefined,
    accumulator: name,
    init: value,
    condition: nodes.literal(at, false),
    step: nodes.ident(at, name),
    result: body,
  });
}

function sortBy(nodes: Nodes, at: number, target: Expr, args: readonly Expr[]): Expr {
  if (target.kind === "literal" || target.kind === "map" || target.kind === "struct") {
    const why = "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
    throw new MacroError(target.at, why);
  }
  const name = "@__sortBy_input__";
  const keys = mapMacro(nodes, at, nodes.ident(at, name), args);
  return bind(nodes, at, name, target, nodes.call(at, SORT_BY_KEYS, [keys], nodes.ident(at, name)));
}

/** `flat`: the transformation answers an optional itself. */
function optionalMap(name: string, flat: boolean): Expander {
  return (nodes, at, target, args) => {
    const [arg, body] = args;
    if (arg!.kind !== "ident") throw new MacroError(arg!.at, `${name}() variable name must be a simple identifier`);
    const value = nodes.call(at, "value", [], nodes.copy(target));
    const bound = bind(nodes, at, arg!.name, value, body!);
    return nodes.call(at, OPERATORS["?"], [
      nodes.call(at, "hasValue", [], target),
      flat ? bound : nodes.call(at, "optional.of", [bound]),
      nodes.call(at, "optional.none", []),
    ]);
  };
}

type FoldOf = (nodes: Nodes, at: number, test: Expr) => Fold;

function quantifier(fold: FoldOf): Expander {
  return (nodes, at, target, args) => {
    const variables = args.length === 3 ? twoVariables(args) : oneVariable(args, NOT_A_NAME);
    return loop(nodes, at, target, variables, fold(nodes, at, args.at(-1)!));
  };
}

const MACROS: ReadonlyMap<string, Expander> = new Map([
  ["all:2", quantifier(all)],
  ["all:3", quantifier(all)],
  ["exists:2", quantifier(exists)],
  ["exists:3", quantifier(exists)],
  ["exists_one:2", quantifier(existsOne)],
  ["exists_one:3", quantifier(existsOne)],
  ["existsOne:3", quantifier(existsOne)],
  ["map:2", mapMacro],
  ["map:3", mapMacro],
  ["filter:2", filterMacro],
  ["transformList:3", transformList],
  ["transformList:4", transformList],
  ["transformMap:3", transformMap(true)],
  ["transformMap:4", transformMap(true)],
  ["transformMapEntry:3", transformMap(false)],
  ["transformMapEntry:4", transformMap(false)],
  ["sortBy:2", sortBy],
  ["optMap:2", optionalMap("optMap", false)],
  ["optFlatMap:2", optionalMap("optFlatMap", true)],
]);

/** What stands for a call of a macro, or undefined when the call is none. Throws a `MacroError`. */
export function expandMacro(
  nodes: Nodes,
  at: number,
  name: string,
  target: Expr | undefined,
  args: readonly Expr[],
): Expr | undefined {
  if (target !== undefined) return MACROS.get(`${name}:${args.length}`)?.(nodes, at, target, args);
  if (name !== "has" || args.length !== 1) return undefined;
  const tested = args[0]!;
  if (tested.kind !== "select") throw new MacroError(tested.at, "invalid argument to has() macro");
  return nodes.select(at, tested.operand, tested.field, true);
}
