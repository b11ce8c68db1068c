// Typed access to the recorded tables of the built-in kinds.
import type { Column } from "../registry/kind.ts";
import columnsTable from "./tables/columns.table.json" with { type: "json" };
import resourcesTable from "./tables/resources.table.json" with { type: "json" };
import schemasTable from "./tables/schemas.table.json" with { type: "json" };
import typesTable from "./tables/types.table.json" with { type: "json" };

/**
 * One field of a type: protobuf number, JSON name (empty for an inlined struct), type code, flags (`o` omitempty,
 * `z` omitzero, `p` pointer), and `strategy|mergeKey` of strategic merge.
 */
export type FieldRow = readonly [number: number, name: string, code: string, flags: string, patch?: string];

export interface ResourceRow {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly SubresourceRow[];
}

export interface SubresourceRow {
  readonly subresource: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly acceptedTypes?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

export interface GroupRow {
  readonly name: string;
  readonly versions: readonly string[];
  readonly preferred: string;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly priority?: number;
  /** Index of the text. */
  readonly description?: number;
}

/** A definition of the OpenAPI tables; `$ref` holds the bare name of another definition. */
export type SchemaRow = { readonly [keyword: string]: unknown };

// The tables are our own files with the shapes above; the compiler's inferred types of 300 KB of JSON are of no use.
const types = typesTable as unknown as {
  readonly kinds: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, readonly FieldRow[] | null>>;
};
const resources = resourcesTable as unknown as {
  readonly groupOrder: readonly GroupRow[];
  readonly resources: readonly ResourceRow[];
};
const columns = columnsTable as unknown as {
  readonly texts: readonly string[];
  readonly columns: Readonly<Record<string, readonly ColumnRow[]>>;
};
const schemas = schemasTable as unknown as Readonly<Record<string, SchemaRow>>;

/** `apps/v1.Deployment` for apiVersion `apps/v1` and kind `Deployment`; undefined for a kind that is not built in. */
export function typeNameOf(apiVersion: string, kind: string): string | undefined {
  return types.kinds[`${apiVersion}/${kind}`];
}

/** The fields of a type. A type without fields has an empty list; an unknown type throws. */
export function fieldsOf(typeName: string): readonly FieldRow[] {
  const rows = types.types[typeName];
  if (rows === undefined) throw new Error(`no type ${typeName} in the table`);
  return rows ?? [];
}

let kindsOfTypes: ReadonlyMap<string, TypeMeta> | undefined;

export interface TypeMeta {
  readonly kind: string;
  readonly apiVersion: string;
}

/** The kind of a type whose values carry `kind` and `apiVersion`; undefined for other types. */
export function typeMetaOf(typeName: string): TypeMeta | undefined {
  kindsOfTypes ??= new Map(
    Object.entries(types.kinds).map(([key, type]) => {
      const slash = key.lastIndexOf("/");
      return [type, { kind: key.slice(slash + 1), apiVersion: key.slice(0, slash) }];
    }),
  );
  return kindsOfTypes.get(typeName);
}

/** Whether values of the type carry `kind` and `apiVersion`. */
export function hasTypeMeta(typeName: string): boolean {
  return typeMetaOf(typeName) !== undefined;
}

/** All resources, in the order of discovery. */
export function resourceRows(): readonly ResourceRow[] {
  return resources.resources;
}

/** The built-in groups in the order of `/apis`; the core group is not in it. */
export function groupOrder(): readonly GroupRow[] {
  return resources.groupOrder;
}

/** Kinds that are printed like their sibling of another group or version. */
const SAME_COLUMNS: Readonly<Record<string, string>> = {
  "events.k8s.io/v1/Event": "v1/Event",
  "autoscaling/v1/HorizontalPodAutoscaler": "autoscaling/v2/HorizontalPodAutoscaler",
};

/** Columns of a kind's table, or undefined for a kind that has only the two default ones. */
export function columnsOf(apiVersion: string, kind: string): readonly Column[] | undefined {
  const key = `${apiVersion}/${kind}`;
  return columns.columns[SAME_COLUMNS[key] ?? key]?.map(({ name, type, format, priority, description }) => ({
    name,
    type,
    format: format ?? "",
    description: description === undefined ? "" : (columns.texts[description] ?? ""),
    priority: priority ?? 0,
  }));
}

export function schemaOf(definition: string): SchemaRow | undefined {
  return schemas[definition];
}

export function allSchemas(): Readonly<Record<string, SchemaRow>> {
  return schemas;
}

const SCHEMA_PREFIXES: Readonly<Record<string, string>> = {
  "meta/v1": "io.k8s.apimachinery.pkg.apis.meta.v1",
  "apiextensions/v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  "apiregistration/v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
};

/** Name of the OpenAPI definition of a type: `io.k8s.api.apps.v1.Deployment` for `apps/v1.Deployment`. */
export function definitionName(typeName: string): string {
  const dot = typeName.lastIndexOf(".");
  const pkg = typeName.slice(0, dot);
  return `${SCHEMA_PREFIXES[pkg] ?? `io.k8s.api.${pkg.replace("/", ".")}`}.${typeName.slice(dot + 1)}`;
}
