// What calls of functions may cost at most.
import type { Expr } from "./ast.ts";
import { exactly, plus, type Range, type SizeOfPath, scaled, times, UNBOUNDED, UNKNOWN } from "./estimates.ts";
import { CREATE_LIST_COST, PATTERN_FACTOR, TRAVERSAL_FACTOR } from "./runtime-cost.ts";
import { type CelType, parametersOf, sameType } from "./types.ts";

/** An argument or receiver of a call. */
export interface Operand {
  readonly expr: Expr | undefined;
  readonly type: CelType;
  readonly path: readonly string[];
  readonly size?: Range;
  readonly sizeOfPath: SizeOfPath;
}

export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range;
}

/** `target` is the receiver; undefined for calls without one. Undefined when the call costs what any call does. */
type Estimate = (target: Operand | undefined, args: readonly Operand[], overload: string) => CallEstimate | undefined;

const ONE = exactly(1);
const LONGEST_FORMAT_PATTERN = 128;
const LONGEST_FORMAT_NAME = 64;

function sizeOf(operand: Operand): Range {
  if (operand.size !== undefined) return operand.size;
  return (operand.path.length === 0 ? undefined : operand.sizeOfPath(operand.path)) ?? UNKNOWN;
}

function traversalOf(size: Range, factor = 1): Range {
  return scaled(size, factor * TRAVERSAL_FACTOR);
}

/** The items of a list, when the operand is one. */
function itemsOf(list: Operand): Operand | undefined {
  const [type] = parametersOf(list.type);
  if (type === undefined) return undefined;
  return {
    expr: undefined,
    type,
    path: list.path.length === 0 ? [] : [...list.path, "@items"],
    sizeOfPath: list.sizeOfPath,
  };
}

const cheap: Estimate = () => ({ cost: ONE });

/** Looks once through every item of a list, or through a text. */
const scan: Estimate = (target) => {
  if (target === undefined) return undefined;
  const items = itemsOf(target);
  if (items === undefined) return { cost: traversalOf(sizeOf(target)) };
  const isText = items.type.kind === "string" || items.type.kind === "bytes";
  const each = isText ? plus(ONE, traversalOf(sizeOf(items))) : ONE;
  return { cost: times(sizeOf(target), each) };
};

const parseText: Estimate = (_target, args) => {
  const [text] = args;
  return text === undefined ? undefined : { cost: traversalOf(sizeOf(text)) };
};

const parseSized: Estimate = (_target, args) => {
  if (args.length !== 1) return undefined;
  const size = sizeOf(args[0]!);
  return { cost: traversalOf(size), size };
};

const mapText: Estimate = (target) => {
  if (target === undefined) return undefined;
  const size = sizeOf(target);
  return { cost: traversalOf(size), size };
};

const replace: Estimate = (target, args) => {
  const [old, by] = args;
  if (target === undefined || old === undefined || by === undefined) return undefined;
  const size = sizeOf(target);
  const from = sizeOf(old);
  const to = sizeOf(by);
  const most = boundOf(size.max, from.min, to.max <= from.min);
  const least = boundOf(size.min, from.max, from.max <= to.min);
  const count = { min: least.count, max: most.count };
  const kept = { min: least.kept, max: from.min !== 0 && to.max > from.min ? 0 : most.kept };
  return { cost: traversalOf(size, 2), size: plus(times(count, to), kept) };
};

/** How often a part of a length fits into a text, and how much of the text may stay. */
function boundOf(size: number, part: number, never: boolean): { count: number; kept: number } {
  if (part === 0) return { count: Math.min(size + 1, UNBOUNDED), kept: size };
  return never ? { count: 0, kept: size } : { count: Math.ceil(size / part), kept: 0 };
}

const split: Estimate = (target, args) => {
  if (target === undefined) return undefined;
  const size = sizeOf(target);
  const limit = args[1]?.expr;
  const given = limit?.kind === "literal" && typeof limit.value === "bigint" ? limit.value : undefined;
  const max = given === undefined ? size.max : Number(BigInt.asUintN(64, given));
  return { cost: traversalOf(size, 2), size: { min: 0, max } };
};

const join: Estimate = (target, args) => {
  if (target === undefined) return undefined;
  const count = sizeOf(target);
  const items = itemsOf(target);
  let size = items === undefined ? exactly(0) : times(count, sizeOf(items));
  const [separator] = args;
  if (separator !== undefined) {
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    size = plus(size, times(sizeOf(separator), between));
  }
  return { cost: traversalOf(size), size };
};

/** Matching takes the length of the text times that of the pattern. */
function matching(text: Range, pattern: Range): Range {
  return times(traversalOf(plus(text, ONE)), scaled(pattern, PATTERN_FACTOR));
}

const find: Estimate = (target, args) => {
  const [pattern] = args;
  if (target === undefined || pattern === undefined) return undefined;
  const size = sizeOf(target);
  return { cost: matching(size, sizeOf(pattern)), size: { min: 0, max: size.max } };
};

/** Addresses are 4 to 16 bytes, compared twice. */
const NETWORK_COMPARISON = traversalOf(plus({ min: 4, max: 16 }, { min: 4, max: 16 }));

const containsIp: Estimate = (_target, args, overload) => {
  const parsing = overload === "cidr_contains_ip_string" ? traversalOf(sizeOf(args[0]!)) : exactly(0);
  return { cost: plus(NETWORK_COMPARISON, parsing) };
};

const containsCidr: Estimate = (_target, args, overload) => {
  const parsing = overload === "cidr_contains_cidr_string" ? traversalOf(sizeOf(args[0]!)) : exactly(0);
  return { cost: plus(NETWORK_COMPARISON, traversalOf({ min: 4, max: 16 }), ONE, parsing) };
};

const ip: Estimate = (target, args, overload) =>
  overload === "cidr_ip" ? { cost: ONE } : parseText(target, args, overload);

const isCanonical: Estimate = (_target, args) => ({ cost: traversalOf(sizeOf(args[0]!), 2) });

const validate: Estimate = (_target, args) => ({
  cost: scaled(traversalOf(sizeOf(args[0]!)), LONGEST_FORMAT_PATTERN * PATTERN_FACTOR),
});

const selector: Estimate = (_target, args) => {
  if (args.length !== 1) return undefined;
  const size = sizeOf(args[0]!);
  return { cost: plus(exactly(CREATE_LIST_COST), traversalOf(size), scaled(scaled(size, 0.5), 50)) };
};

const CHEAP_TYPES: ReadonlySet<string> = new Set([
  "net.IP",
  "net.CIDR",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  "kubernetes.authorization.Authorizer",
  "kubernetes.authorization.PathCheck",
  "kubernetes.authorization.GroupCheck",
  "kubernetes.authorization.ResourceCheck",
  "kubernetes.authorization.Decision",
]);

/** Comparing looks through the shorter side. */
const comparison: Estimate = (_target, args, overload) => {
  const [left, right] = args;
  if (left === undefined || right === undefined) return undefined;
  if (overload === "equals" && sameType(left.type, right.type) && "name" in left.type) {
    if (CHEAP_TYPES.has(left.type.name)) return { cost: ONE };
    if (left.type.name === "kubernetes.NamedFormat") return { cost: traversalOf({ min: 1, max: LONGEST_FORMAT_NAME }) };
    if (left.type.name === "kubernetes.URL") return { cost: traversalOf({ min: 1, max: right.size?.max ?? 1 }) };
  }
  const max = Math.min((left.size ?? UNKNOWN).max, (right.size ?? UNKNOWN).max);
  return { cost: traversalOf({ min: max > 0 ? 1 : 0, max }) };
};

function allocation(factor: number, size: Range): CallEstimate {
  return { cost: plus(scaled(size, factor), ONE, exactly(CREATE_LIST_COST)), size };
}

/** A number written in the expression. */
function literalInt(operand: Operand | undefined, otherwise: number): number {
  const expr = operand?.expr;
  if (expr?.kind !== "literal" || typeof expr.value !== "bigint") return otherwise;
  return Math.max(0, Number(expr.value));
}

function sorting(list: Operand, overload: string): CallEstimate {
  const size = sizeOf(list);
  const isText = overload.startsWith("list_string_") || overload.startsWith("list_bytes_");
  return allocation(isText ? 2 + TRAVERSAL_FACTOR : 2, times(size, size));
}

function sets(factor: number): Estimate {
  return (_target, args) => {
    const pairs = times(sizeOf(args[0]!), sizeOf(args[1]!));
    return { cost: plus(scaled(pairs, factor), ONE) };
  };
}

const BY_NAME: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ["check", () => ({ cost: exactly(350_000) })],
  ["fieldSelector", selector],
  ["labelSelector", selector],
  ["isSorted", scan],
  ["sum", scan],
  ["max", scan],
  ["min", scan],
  ["indexOf", scan],
  ["lastIndexOf", scan],
  ["url", parseSized],
  ["jsonpatch.escapeKey", parseSized],
  ["lowerAscii", mapText],
  ["upperAscii", mapText],
  ["substring", mapText],
  ["trim", mapText],
  ["replace", replace],
  ["split", split],
  ["join", join],
  ["find", find],
  ["findAll", find],
  ["cidr", parseText],
  ["isIP", parseText],
  ["isCIDR", parseText],
  ["ip", ip],
  ["ip.isCanonical", isCanonical],
  ["containsIP", containsIp],
  ["containsCIDR", containsCidr],
  ["quantity", parseText],
  ["isQuantity", parseText],
  ["semver", parseText],
  ["isSemver", parseText],
  ["validate", validate],
  ["format.named", cheap],
]);

const BY_OVERLOAD: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ["string_format", (target) => ({ cost: traversalOf(target?.size ?? UNKNOWN) })],
  [
    "string_to_bytes",
    (_target, args) => {
      const size = args[0]!.size ?? UNKNOWN;
      return { cost: traversalOf(size), size: { min: size.min, max: Math.min(size.max * 4, UNBOUNDED) } };
    },
  ],
  [
    "bytes_to_string",
    (_target, args) => {
      const size = args[0]!.size ?? UNKNOWN;
      return { cost: traversalOf(size), size: { min: Math.floor(size.min / 4), max: size.max } };
    },
  ],
  [
    "strings_quote",
    (_target, args) => {
      const size = args[0]!.size ?? UNKNOWN;
      return { cost: traversalOf(size), size: { min: size.min + 2, max: Math.min(size.max * 2 + 2, UNBOUNDED) } };
    },
  ],
  ["starts_with_string", (_target, args) => ({ cost: traversalOf(args[0]!.size ?? UNKNOWN) })],
  ["ends_with_string", (_target, args) => ({ cost: traversalOf(args[0]!.size ?? UNKNOWN) })],
  ["in_list", (_target, args) => ({ cost: args[1]!.size ?? UNKNOWN })],
  ["matches_string", (target, args) => ({ cost: matching(target?.size ?? UNKNOWN, args[0]!.size ?? UNKNOWN) })],
  [
    "contains_string",
    (target, args) => ({
      cost: times(traversalOf(target?.size ?? UNKNOWN), traversalOf(args[0]!.size ?? UNKNOWN)),
    }),
  ],
  ["list_sets_contains_list", sets(1)],
  ["list_sets_intersects_list", sets(1)],
  ["list_sets_equivalent_list", sets(2)],
  [
    "list_slice",
    (target, args) => {
      const end = literalInt(args[1], sizeOf(target!).max);
      const length = end - literalInt(args[0], 0);
      // As the reference: a length below zero wraps around.
      return allocation(1, exactly(length < 0 ? UNBOUNDED : length));
    },
  ],
  ["list_flatten", (target) => allocation(1, sizeOf(target!))],
  ["list_flatten_int", (target, args) => allocation(literalInt(args[0], UNBOUNDED), sizeOf(target!))],
  ["lists_range", (_target, args) => allocation(1, exactly(literalInt(args[0], UNBOUNDED)))],
  ["list_reverse", (target) => allocation(1, sizeOf(target!))],
  ["list_distinct", (target) => allocation(2, times(sizeOf(target!), sizeOf(target!)))],
]);

const ORDERING = /^(?:less|less_equals|greater|greater_equals)_(?:string|bytes)$/;

/** The estimate of a call without its arguments; undefined when it is 1. */
export function estimateCall(
  name: string,
  overload: string,
  target: Operand | undefined,
  args: readonly Operand[],
): CallEstimate | undefined {
  if (overload === "equals" || overload === "not_equals" || ORDERING.test(overload)) {
    return comparison(target, args, overload);
  }
  if (overload.endsWith("_sort") && target !== undefined) return sorting(target, overload);
  if (overload.endsWith("_sortByAssociatedKeys")) return sorting(args[0]!, overload);
  return BY_NAME.get(name)?.(target, args, overload) ?? BY_OVERLOAD.get(overload)?.(target, args, overload);
}
