// Table columns of a custom resource: its additionalPrinterColumns, or the age.
import { compileJsonPath, type JsonPath } from "../../../kube/jsonpath.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { shortDuration } from "../kinds/age.ts";
import { parseTime } from "../kinds/go-values.ts";
import type { Column } from "../registry/kind.ts";

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description:
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
};

const NAME: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description:
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  priority: 0,
};

type Finder = (object: unknown) => unknown;

export interface PrinterTable {
  readonly columns: readonly Column[];
  cells(object: KubeObject, nowMs: number): readonly unknown[];
}

/** Compiles the columns of one version. Undefined or empty: name and age. */
export function compileColumns(declared: readonly PrinterColumn[] | undefined): PrinterTable {
  const own = declared === undefined || declared.length === 0 ? [AGE] : declared;
  const finders = own.map((column) => compileFinder(column.jsonPath));
  const columns = own.map((column) => ({
    name: column.name,
    type: column.type,
    format: column.format ?? "",
    description: column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    priority: column.priority ?? 0,
  }));
  return {
    columns: [NAME, ...columns],
    cells(object, nowMs) {
      const cells: unknown[] = [object.metadata.name ?? ""];
      for (let index = 0; index < own.length; index++) {
        cells.push(cellOf(own[index]!.type, finders[index]!(object), nowMs));
      }
      return cells;
    },
  };
}

/** Answers the first match of a path, undefined without one. */
export function compileFinder(path: string): Finder {
  const simple = /^\.?[\w-]+(\.[\w-]+)*$/.test(path);
  if (simple) return walk(path.replace(/^\./, "").split("."));
  let compiled: JsonPath | undefined;
  return (object) => {
    try {
      compiled ??= compileJsonPath(path);
      return compiled.find(object)[0];
    } catch {
      // A path that does not fit the object has no value in its column.
      return undefined;
    }
  };
}

function walk(keys: readonly string[]): Finder {
  return (object) => {
    let value = object;
    for (const key of keys) {
      if (!isObject(value)) return undefined;
      value = value[key];
    }
    return value;
  };
}

function cellOf(type: string, value: unknown, nowMs: number): unknown {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : typeof value === "bigint" ? value : null;
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "string":
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    case "date": {
      if (typeof value !== "string") return null;
      const time = parseTime(value);
      return time === undefined ? "<invalid>" : shortDuration(nowMs - time);
    }
    default:
      return null;
  }
}
