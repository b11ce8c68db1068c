// The type model of a kind from its OpenAPI schema: a definition of a built-in kind or a custom resource's structural
// schema.
import { DEDUCED, type FieldType, type ListType, type MapType, type ScalarType } from "./type.ts";

/** The parts of a JSON schema that decide about merging and ownership. */
export interface SchemaNode {
  readonly $ref?: string | undefined;
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly additionalProperties?: SchemaNode | boolean | undefined;
  readonly items?: SchemaNode | undefined;
  readonly allOf?: readonly SchemaNode[] | undefined;
  readonly oneOf?: readonly SchemaNode[] | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
  readonly default?: unknown;
  readonly "x-kubernetes-list-type"?: string | undefined;
  readonly "x-kubernetes-list-map-keys"?: readonly string[] | undefined;
  readonly "x-kubernetes-map-type"?: string | undefined;
  readonly "x-kubernetes-patch-strategy"?: string | undefined;
  readonly "x-kubernetes-patch-merge-key"?: string | undefined;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean | undefined;
  readonly "x-kubernetes-embedded-resource"?: boolean | undefined;
  readonly "x-kubernetes-int-or-string"?: boolean | undefined;
}

export interface SchemaOptions {
  /** Answers the schema a `$ref` names; the same object for the same name, so that types are built once. */
  readonly resolveRef?: ((ref: string) => SchemaNode | undefined) | undefined;
  /**
   * The type of `metadata` at the root of an object and of embedded resources, whose structural schemas do not spell
   * it out. Without it `metadata` is read from the schema like any field.
   */
  readonly metadata?: FieldType | undefined;
}

interface Context {
  readonly resolveRef: (ref: string) => SchemaNode | undefined;
  readonly metadata: FieldType | undefined;
  /** Types of nodes outside and inside a preserve-unknown subtree, which differ in what unknown keys mean. */
  readonly known: readonly [WeakMap<SchemaNode, FieldType>, WeakMap<SchemaNode, FieldType>];
}

/**
 * Builds the type of a schema. Children are built when asked for, and once: recursive schemas are fine. `schema` must
 * not change afterwards.
 */
export function fieldTypeFromSchema(schema: SchemaNode, options: SchemaOptions = {}): FieldType {
  const context: Context = {
    resolveRef: options.resolveRef ?? (() => undefined),
    metadata: options.metadata,
    known: [new WeakMap(), new WeakMap()],
  };
  const type = typeOf(schema, false, context);
  return context.metadata === undefined ? type : asResource(type, context.metadata);
}

function typeOf(schema: SchemaNode, preserving: boolean, context: Context): FieldType {
  const preserve = preserving || schema["x-kubernetes-preserve-unknown-fields"] === true;
  const known = context.known[preserve ? 1 : 0];
  const cached = known?.get(schema);
  if (cached !== undefined) return cached;
  const type = buildType(schema, preserve, context);
  known?.set(schema, type);
  return type;
}

function buildType(schema: SchemaNode, preserve: boolean, context: Context): FieldType {
  const reference = schema.$ref ?? (schema.type === undefined ? soleReference(schema.allOf) : undefined);
  if (reference !== undefined) {
    const target = context.resolveRef(reference);
    if (target === undefined) return DEDUCED;
    return withSiblings(typeOf(target, preserve, context), schema);
  }
  // As the reference: ownership takes whatever is there, and leaves it to validation.
  if (schema["x-kubernetes-int-or-string"] === true) return DEDUCED;
  switch (schema.type) {
    case "object":
      return buildMap(schema, preserve, context);
    case "array":
      return buildList(schema, preserve, context);
    case "string":
      return schema.format === undefined || schema.format === "" || schema.format === "byte"
        ? scalar("string")
        : scalar(
            schema.format === "quantity" ? "quantity" : schema.format === "int-or-string" ? "int-or-string" : "any",
          );
    case "integer":
    case "number":
    case "boolean":
      return scalar(schema.type);
    default:
      return buildUntyped(schema, preserve, context);
  }
}

function soleReference(schemas: readonly SchemaNode[] | undefined): string | undefined {
  return schemas?.length === 1 ? schemas[0]?.$ref : undefined;
}

function buildUntyped(schema: SchemaNode, preserve: boolean, context: Context): FieldType {
  if (schema.format === "int-or-string") return scalar("int-or-string");
  const variants = schema.oneOf ?? schema.anyOf;
  const onlyScalars = variants?.every(({ type }) => type !== undefined && type !== "object" && type !== "array");
  if (variants !== undefined && variants.length > 0 && onlyScalars === true) return scalar("any");
  if (schema.properties !== undefined) return buildMap(schema, preserve, context);
  return DEDUCED;
}

const SCALARS = new Map<ScalarType["scalar"], ScalarType>();

function scalar(name: ScalarType["scalar"]): ScalarType {
  const known = SCALARS.get(name);
  if (known !== undefined) return known;
  const type: ScalarType = { kind: "scalar", scalar: name };
  SCALARS.set(name, type);
  return type;
}

function strategies(schema: SchemaNode): readonly string[] {
  return schema["x-kubernetes-patch-strategy"]?.split(",") ?? [];
}

function buildMap(schema: SchemaNode, preserve: boolean, context: Context): MapType {
  const properties = schema.properties ?? {};
  const fields = new Map<string, FieldType>();
  let rest: FieldType | undefined;
  let hasRest = false;
  const type: MapType = {
    kind: "map",
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    field(name) {
      const known = fields.get(name);
      if (known !== undefined) return known;
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property === undefined) return undefined;
      const fieldType = typeOf(property, preserve, context);
      fields.set(name, fieldType);
      return fieldType;
    },
    get rest() {
      if (!hasRest) {
        rest = restOf(schema, preserve, context);
        hasRest = true;
      }
      return rest;
    },
    preserveUnknown: preserve,
    patchStrategies: strategies(schema),
  };
  return schema["x-kubernetes-embedded-resource"] === true && context.metadata !== undefined
    ? asResource(type, context.metadata)
    : type;
}

function restOf(schema: SchemaNode, preserve: boolean, context: Context): FieldType | undefined {
  const additional = schema.additionalProperties;
  if (typeof additional === "object") return typeOf(additional, preserve, context);
  if (additional === true) return DEDUCED;
  if (additional === false) return undefined;
  // An object without any property is free-form.
  const free = preserve || schema.properties === undefined || Object.keys(schema.properties).length === 0;
  return free ? DEDUCED : undefined;
}

function buildList(schema: SchemaNode, preserve: boolean, context: Context): ListType {
  const items = schema.items ?? {};
  const patchStrategies = strategies(schema);
  const mergeKey = schema["x-kubernetes-patch-merge-key"];
  let listType: ListType["listType"] = "atomic";
  let keys: readonly string[] = [];
  switch (schema["x-kubernetes-list-type"]) {
    case "set":
      listType = "set";
      break;
    case "map":
      listType = "map";
      keys = schema["x-kubernetes-list-map-keys"] ?? [];
      break;
    case undefined:
      // Schemas from before list types say it by the patch strategy.
      if (patchStrategies.includes("merge")) {
        listType = mergeKey === undefined ? "set" : "map";
        keys = mergeKey === undefined ? [] : [mergeKey];
      }
      break;
  }
  let keyDefaults: ListType["keyDefaults"] | undefined;
  let itemType: FieldType | undefined;
  return {
    kind: "list",
    listType,
    keys,
    get keyDefaults() {
      keyDefaults ??= defaultsOfKeys(items, keys, context);
      return keyDefaults;
    },
    get items() {
      itemType ??= typeOf(items, preserve, context);
      return itemType;
    },
    patchStrategies,
    patchMergeKey: mergeKey,
  };
}

function defaultsOfKeys(items: SchemaNode, keys: readonly string[], context: Context): ListType["keyDefaults"] {
  const reference = items.$ref ?? soleReference(items.allOf);
  const schema = reference === undefined ? items : context.resolveRef(reference);
  const defaults: Record<string, string | number | boolean> = {};
  for (const key of keys) {
    const value = schema?.properties?.[key]?.default;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") defaults[key] = value;
  }
  return defaults;
}

/** The reference may say otherwise than the referenced type. */
function withSiblings(type: FieldType, schema: SchemaNode): FieldType {
  const mapType = schema["x-kubernetes-map-type"];
  const own = schema["x-kubernetes-patch-strategy"];
  if (type.kind !== "map" || (mapType === undefined && own === undefined)) return type;
  return overlay(type, {
    atomic: mapType === undefined ? type.atomic : mapType === "atomic",
    patchStrategies: own === undefined ? type.patchStrategies : strategies(schema),
  });
}

const STRING: ScalarType = scalar("string");

/** An object with apiVersion, kind and standard metadata beside the fields of `type`. */
function asResource(type: FieldType, metadata: FieldType): MapType {
  const base: MapType =
    type.kind === "map"
      ? type
      : {
          kind: "map",
          atomic: false,
          field: () => undefined,
          rest: DEDUCED,
          preserveUnknown: true,
          patchStrategies: [],
        };
  return overlay(base, {
    field(name) {
      if (name === "metadata") return metadata;
      return base.field(name) ?? (name === "apiVersion" || name === "kind" ? STRING : undefined);
    },
  });
}

function overlay(base: MapType, changes: Partial<Pick<MapType, "atomic" | "field" | "patchStrategies">>): MapType {
  return {
    kind: "map",
    atomic: changes.atomic ?? base.atomic,
    field: changes.field ?? ((name) => base.field(name)),
    get rest() {
      return base.rest;
    },
    preserveUnknown: base.preserveUnknown,
    patchStrategies: changes.patchStrategies ?? base.patchStrategies,
  };
}
