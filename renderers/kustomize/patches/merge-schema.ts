// Which lists of a kind merge element by element, and by which keys.

import table from "./merge-keys.table.json" with { type: "json" };

interface TableField {
  readonly ref?: string;
  readonly items?: string;
  readonly strategy?: string;
  readonly keys?: readonly string[];
}

/** What a schema says of one place in an object. */
export interface MergeSchema {
  /** True when the elements of a list here merge; otherwise the list is replaced whole. */
  readonly merges: boolean;
  /** What identifies an element; empty for lists of scalars. */
  readonly keys: readonly string[];
  /** `undefined` for fields that the schema does not have. */
  field(name: string): MergeSchema | undefined;
  element(): MergeSchema | undefined;
}

/** Finds the schema of a kind; `undefined` for unknown kinds, whose lists are all replaced. */
export type MergeSchemas = (apiVersion: string, kind: string) => MergeSchema | undefined;

/** Finds a definition that others refer to by name. */
export type Resolve = (name: string) => MergeSchema | undefined;

/** Definitions of one OpenAPI document. */
export interface SchemaLayer {
  /** Names of kinds' definitions, by `apiVersion kind`. */
  readonly kinds: ReadonlyMap<string, string>;
  /** The schema of a definition of this layer; what it refers to comes from all layers. */
  define(name: string, resolve: Resolve): MergeSchema | undefined;
}

/** One lookup over several layers; earlier ones hide what later ones have under the same name. */
export function combineLayers(layers: readonly SchemaLayer[]): MergeSchemas {
  const known = new Map<string, MergeSchema | undefined>();
  const resolve = (name: string): MergeSchema | undefined => {
    if (known.has(name)) return known.get(name);
    let schema: MergeSchema | undefined;
    // Definitions that are nothing but references to each other end here.
    known.set(name, undefined);
    for (const layer of layers) schema ??= layer.define(name, resolve);
    known.set(name, schema);
    return schema;
  };
  return (apiVersion, kind) => {
    const key = kindKey(apiVersion, kind);
    for (const layer of layers) {
      const name = layer.kinds.get(key);
      if (name !== undefined) return resolve(name);
    }
    return undefined;
  };
}

export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion} ${kind}`;
}

const tableDefinitions: Readonly<Record<string, Readonly<Record<string, TableField>>>> = table.definitions;
const KUSTOMIZE_GROUP = "kustomize.config.k8s.io/";

/** The kinds of Kubernetes 1.21 and kustomize's own. */
export const BUILT_IN_LAYER: SchemaLayer = { kinds: new Map(Object.entries(table.kinds)), define: defineFromTable };

const kustomizeKinds = new Map(Object.entries(table.kinds).filter(([key]) => key.startsWith(KUSTOMIZE_GROUP)));
const kustomizeNames: ReadonlySet<string> = new Set(kustomizeKinds.values());

/** kustomize's own kinds, which are known whatever schema a build brings. */
export const KUSTOMIZE_LAYER: SchemaLayer = {
  kinds: kustomizeKinds,
  define: (name, resolve) => (kustomizeNames.has(name) ? defineFromTable(name, resolve) : undefined),
};

/** The schemas of a build that brings none of its own. */
export const builtInSchemas: MergeSchemas = combineLayers([BUILT_IN_LAYER]);

function defineFromTable(name: string, resolve: Resolve): MergeSchema | undefined {
  const fields = Object.hasOwn(tableDefinitions, name) ? tableDefinitions[name] : undefined;
  if (fields === undefined) return undefined;
  return mapSchema((key) => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) return undefined;
    if (field.ref !== undefined) return resolve(field.ref);
    const { items, keys = [] } = field;
    return {
      merges: mergesElements(field.strategy),
      keys,
      field: () => undefined,
      element: () => (items === undefined ? undefined : resolve(items)),
    };
  });
}

function mapSchema(make: (name: string) => MergeSchema | undefined): MergeSchema {
  return { merges: false, keys: [], field: remembered(make), element: () => undefined };
}

/** Makes each field once, when it is asked for: definitions refer to each other in circles. */
export function remembered(make: (name: string) => MergeSchema | undefined): MergeSchema["field"] {
  const fields = new Map<string, MergeSchema>();
  return (name) => {
    const present = fields.get(name);
    if (present !== undefined) return present;
    const made = make(name);
    // Names that the schema does not have come from objects, and would pile up.
    if (made !== undefined) fields.set(name, made);
    return made;
  };
}

export function mergesElements(strategy: string | undefined): boolean {
  return strategy?.split(",").includes("merge") ?? false;
}
