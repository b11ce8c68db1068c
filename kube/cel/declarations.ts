// What an expression may use: variables, functions and fields of objects.
import type { CelType } from "./types.ts";
import type { Value } from "./values.ts";

/** One signature of a function. */
export interface Overload {
  readonly id: string;
  readonly member: boolean;
  /** With the receiver first. */
  readonly args: readonly CelType[];
  readonly result: CelType;
  /**
   * Computes the result; fails by throwing an `EvaluationFailure`. Absent for operators that do not evaluate all of their
   * arguments: those are built into the evaluator.
   */
  readonly call?: Implementation;
}

/** A function of values. Arguments have the types of the signature. */
export type Implementation = (...args: never[]) => Value;

/** The fields of objects, by the name of their type. */
export interface FieldTypes {
  /** Undefined when no such type is known. */
  fieldType(typeName: string, field: string): CelType | "unknown-type" | undefined;
  /** Types that may be written as literals: `Object.spec{}`. */
  structType?(name: string): CelType | undefined;
}

export const NO_FIELDS: FieldTypes = {
  fieldType: () => "unknown-type",
};

export interface Environment {
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  readonly variables: ReadonlyMap<string, CelType>;
  readonly fields: FieldTypes;
}

/** A signature: `fn("size", "size_list", [LIST], INT, list => ...)`. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly overload: Overload;
}

function declare(
  name: string,
  id: string,
  member: boolean,
  args: readonly CelType[],
  result: CelType,
  call: Implementation | undefined,
): FunctionDeclaration {
  return { name, overload: { id, member, args, result, ...(call === undefined ? {} : { call }) } };
}

/** Declares a signature of a function called as `name(a, b)`. */
export function global(
  name: string,
  id: string,
  args: readonly CelType[],
  result: CelType,
  call?: Implementation,
): FunctionDeclaration {
  return declare(name, id, false, args, result, call);
}

/** Declares a signature of a function called as `a.name(b)`. */
export function member(
  name: string,
  id: string,
  args: readonly CelType[],
  result: CelType,
  call?: Implementation,
): FunctionDeclaration {
  return declare(name, id, true, args, result, call);
}

/** The signatures by name, in the order given: the first that fits is taken. */
export function functionTable(
  ...libraries: readonly (readonly FunctionDeclaration[])[]
): ReadonlyMap<string, readonly Overload[]> {
  const table = new Map<string, Overload[]>();
  for (const { name, overload } of libraries.flat()) {
    const overloads = table.get(name);
    if (overloads === undefined) table.set(name, [overload]);
    else overloads.push(overload);
  }
  return table;
}
