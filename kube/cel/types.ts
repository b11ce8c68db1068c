// Types of expressions, as the checker knows them.

export type CelType = SimpleType | ListType | MapType | OpaqueType | StructType | TypeType | ParamType;

export interface SimpleType {
  readonly kind:
    | "bool"
    | "bytes"
    | "double"
    | "int"
    | "string"
    | "uint"
    | "null"
    | "dyn"
    | "error"
    | "duration"
    | "timestamp";
}

export interface ListType {
  readonly kind: "list";
  readonly item: CelType;
}

export interface MapType {
  readonly kind: "map";
  readonly key: CelType;
  readonly value: CelType;
}

/** A type known by name, perhaps with parameters: `optional_type(int)`, `net.IP`. */
export interface OpaqueType {
  readonly kind: "opaque";
  readonly name: string;
  readonly params: readonly CelType[];
}

/** A message or an object of a schema; its fields are asked for by name. */
export interface StructType {
  readonly kind: "struct";
  readonly name: string;
}

/** The type of types: `type(int)`. */
export interface TypeType {
  readonly kind: "type";
  readonly of: CelType | undefined;
}

/** Stands for any one type in a signature. */
export interface ParamType {
  readonly kind: "param";
  readonly name: string;
}

export const BOOL: SimpleType = { kind: "bool" };
export const BYTES: SimpleType = { kind: "bytes" };
export const DOUBLE: SimpleType = { kind: "double" };
export const INT: SimpleType = { kind: "int" };
export const STRING: SimpleType = { kind: "string" };
export const UINT: SimpleType = { kind: "uint" };
export const NULL: SimpleType = { kind: "null" };
export const DYN: SimpleType = { kind: "dyn" };
export const ERROR: SimpleType = { kind: "error" };
export const DURATION: SimpleType = { kind: "duration" };
export const TIMESTAMP: SimpleType = { kind: "timestamp" };

export function listOf(item: CelType): ListType {
  return { kind: "list", item };
}

export function mapOf(key: CelType, value: CelType): MapType {
  return { kind: "map", key, value };
}

export function opaque(name: string, ...params: readonly CelType[]): OpaqueType {
  return { kind: "opaque", name, params };
}

export function struct(name: string): StructType {
  return { kind: "struct", name };
}

export function param(name: string): ParamType {
  return { kind: "param", name };
}

const OPTIONAL = "optional_type";

export function optionalOf(type: CelType): OpaqueType {
  return opaque(OPTIONAL, type);
}

/** The type inside an optional; undefined for other types. */
export function insideOptional(type: CelType): CelType | undefined {
  return type.kind === "opaque" && type.name === OPTIONAL ? type.params[0] : undefined;
}

/** What a type is made of, in the order of its name. */
export function parametersOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case "list":
      return [type.item];
    case "map":
      return [type.key, type.value];
    case "opaque":
      return type.params;
    case "type":
      return type.of === undefined ? [] : [type.of];
    default:
      return [];
  }
}

/** As messages print it: `list(int)`, `map(string, dyn)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case "error":
      return "!error!";
    case "param":
    case "struct":
      return type.name;
    default: {
      const name = type.kind === "opaque" ? type.name : type.kind;
      const params = parametersOf(type);
      return params.length === 0 ? name : `${name}(${params.map(formatType).join(", ")})`;
    }
  }
}

/** The name that values of the type have at run time. */
export function runtimeName(type: CelType): string {
  switch (type.kind) {
    case "duration":
      return "google.protobuf.Duration";
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "null":
      return "null_type";
    case "opaque":
    case "struct":
      return type.name;
    default:
      return type.kind;
  }
}

/** Whether two types are the same to the letter. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if ("name" in a && "name" in b && a.name !== b.name) return false;
  const left = parametersOf(a);
  const right = parametersOf(b);
  return left.length === right.length && left.every((each, index) => sameType(each, right[index]!));
}

export function isDyn(type: CelType): boolean {
  return type.kind === "dyn";
}
