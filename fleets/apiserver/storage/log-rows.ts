// Rows of a store's log as they stand in a file, and what is wrong with one.
import type { DatabaseSync } from "node:sqlite";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { checkPathSegment } from "../registry/names.ts";
import { decodeJson } from "./json-text.ts";
import { checksum } from "./schema.ts";

/** One row. A file may hold anything, so `value` and `sum` are what was found. */
export interface LogRow {
  readonly revision: number;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** 1 for a write, 2 for a deletion. */
  readonly type: number;
  readonly createRevision: number;
  readonly previousRevision: number;
  readonly uid: string;
  readonly value: Uint8Array | undefined;
  readonly sum: number | undefined;
}

/** What is wrong with a row, by the name of the rule that it breaks. */
export interface RowProblem {
  readonly rule: "row" | "checksum" | "json" | "identity" | "name";
  readonly message: string;
}

/** All rows by revision, beginning at `from`, of an open file of any schema. */
export function* readRows(database: DatabaseSync, from = 0): Iterable<LogRow> {
  // Not "after": looking for the row before would read its page, which may be the damaged one.
  const rows = database.prepare("SELECT * FROM log NOT INDEXED WHERE rev >= ? ORDER BY rev").iterate(from);
  for (const row of rows) yield toRow(row);
}

function toRow(row: Readonly<Record<string, unknown>>): LogRow {
  return {
    revision: Number(row["rev"]),
    resource: String(row["res"]),
    namespace: String(row["ns"]),
    name: String(row["name"]),
    type: Number(row["type"]),
    createRevision: Number(row["create_rev"]),
    previousRevision: Number(row["prev_rev"]),
    uid: String(row["uid"]),
    value: row["value"] instanceof Uint8Array ? row["value"] : undefined,
    sum: typeof row["sum"] === "number" ? row["sum"] : undefined,
  };
}

/** `configmaps default/web`, as findings name objects. */
export function rowTitle(row: Pick<LogRow, "resource" | "namespace" | "name">): string {
  return `${row.resource} ${row.namespace === "" ? row.name : `${row.namespace}/${row.name}`}`;
}

/** The key of a row's object: equal for all its versions. */
export function rowKey(row: LogRow): string {
  return `${row.resource}\u0000${row.namespace}\u0000${row.name}`;
}

/** The object in a row; undefined when it holds none that can be read. */
export function rowObject(row: LogRow): KubeObject | undefined {
  if (row.value === undefined) return undefined;
  try {
    const object = decodeJson(new TextDecoder("utf-8", { fatal: true }).decode(row.value));
    // The fields that identity is about are looked at one by one.
    return isObject(object) && isObject(object["metadata"]) ? (object as KubeObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Everything that is wrong with one row, whatever the others hold. */
export function rowProblems(row: LogRow): RowProblem[] {
  const problems: RowProblem[] = [];
  if (row.type !== 1 && row.type !== 2) problems.push({ rule: "row", message: `has the unknown type ${row.type}` });
  if (row.previousRevision >= row.revision || row.revision < 1 || !Number.isSafeInteger(row.revision))
    problems.push({ rule: "row", message: `has revision ${row.revision} after ${row.previousRevision}` });
  if (row.type !== 1) return problems;
  if (row.value !== undefined && row.sum !== undefined && checksum(row.value) !== row.sum)
    problems.push({ rule: "checksum", message: "is not what was written: its checksum differs" });
  const object = rowObject(row);
  if (object === undefined) {
    problems.push({ rule: "json", message: "is no JSON object with metadata" });
    return problems;
  }
  problems.push(...identityProblems(row, object));
  const wrong = [...nameProblems(row.name), ...(row.namespace === "" ? [] : nameProblems(row.namespace))];
  for (const message of wrong) problems.push({ rule: "name", message });
  return problems;
}

function identityProblems(row: LogRow, object: KubeObject): RowProblem[] {
  const { metadata } = object;
  const wanted: readonly (readonly [field: string, found: unknown, expected: string])[] = [
    ["name", metadata.name, row.name],
    ["namespace", metadata.namespace ?? "", row.namespace],
    ["uid", metadata.uid ?? "", row.uid],
    ["resourceVersion", metadata.resourceVersion, String(row.revision)],
  ];
  const problems: RowProblem[] = wanted
    .filter(([, found, expected]) => found !== expected)
    .map(([field, found, expected]) => ({
      rule: "identity",
      message: `has metadata.${field} ${JSON.stringify(found)} under the key ${JSON.stringify(expected)}`,
    }));
  if (typeof object.apiVersion !== "string" || typeof object.kind !== "string")
    problems.push({ rule: "identity", message: "has no apiVersion and kind" });
  return problems;
}

function nameProblems(name: string): string[] {
  if (name === "") return ["has an empty name"];
  if (Buffer.byteLength(name) > 253) return ["has a name of more than 253 characters"];
  return checkPathSegment(name).map((problem) => `has the name ${JSON.stringify(name)}, which ${problem}`);
}
