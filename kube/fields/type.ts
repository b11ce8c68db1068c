// What a schema says about a node, as far as merging, field ownership and patches need to know. Built from the
// built-in tables or from a custom resource's structural schema; children are looked up lazily because schemas recurse.

/** A node of the type model. `deduced` is a node without schema: its type follows from the value found there. */
export type FieldType = ScalarType | MapType | ListType | DeducedType;

export interface ScalarType {
  readonly kind: "scalar";
  /** `any` accepts every scalar. A wrongly typed value makes server-side apply fail. */
  readonly scalar: "string" | "integer" | "number" | "boolean" | "int-or-string" | "quantity" | "any";
}

export interface MapType {
  readonly kind: "map";
  /** Atomic maps are owned and replaced as one value. */
  readonly atomic: boolean;
  /** The type of a known field of a struct; undefined when the schema does not name it. */
  field(name: string): FieldType | undefined;
  /** The type of every other key (additionalProperties). Undefined: other keys are unknown fields. */
  readonly rest: FieldType | undefined;
  /** Unknown keys are kept and deduced (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown: boolean;
  /** Strategic merge: `retainKeys` or `replace` on a struct. */
  readonly patchStrategies: readonly string[];
}

export interface ListType {
  readonly kind: "list";
  readonly listType: "atomic" | "set" | "map";
  /** Keys of list type `map`, in schema order. */
  readonly keys: readonly string[];
  /** Defaults of key fields, such as protocol TCP of a port. */
  readonly keyDefaults: Readonly<Record<string, string | number | boolean>>;
  readonly items: FieldType;
  /** Strategic merge: contains `merge` when elements merge by `patchMergeKey` (or as a set of scalars without one). */
  readonly patchStrategies: readonly string[];
  readonly patchMergeKey: string | undefined;
}

export interface DeducedType {
  readonly kind: "deduced";
}

export const DEDUCED: DeducedType = { kind: "deduced" };
