// Mends a store's file: what can be read is written to a new file, and the old one is kept.
import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { KubeObject } from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { SERVICE_ACCOUNT_KEY } from "../tokens/service-account-tokens.ts";
import { ensureFile, moveIntoPlace, openForReading, SIDE_FILES } from "./database-file.ts";
import { damaged, isDamage } from "./errors.ts";
import { checkStore, hasErrors, isPrivateKey, type StoreReport } from "./fsck.ts";
import { encodeJson } from "./json-text.ts";
import { type LogRow, readRows, rowKey, rowObject, rowProblems, rowTitle } from "./log-rows.ts";
import { checksum, createSchema, freeName, latestVersion, schemaVersion } from "./schema.ts";
import { StoreLock } from "./store-lock.ts";

export interface RepairResult {
  readonly before: StoreReport;
  /** What was done, for people; empty when nothing had to be. */
  readonly actions: readonly string[];
  /** The old file; undefined when nothing was done. */
  readonly copy: string | undefined;
  readonly after: StoreReport;
}

/**
 * Mends the store at `path`, which no program may have open. An object whose last version cannot be read falls back to
 * its last one that can; where there is none it is left out. Whatever cannot be told from the file stays as it is.
 */
export function repairStore(path: string): RepairResult {
  const lock = new StoreLock(path);
  try {
    const before = checkStore(path);
    if (!hasErrors(before)) return { before, actions: [], copy: undefined, after: before };
    const mended = `${path}.mended`;
    for (const file of [mended, ...SIDE_FILES.map((side) => mended + side)]) rmSync(file, { force: true });
    const actions = rebuild(path, mended);
    const copy = freeName(`${path}.before-repair`);
    for (const side of ["", ...SIDE_FILES]) if (existsSync(path + side)) renameSync(path + side, copy + side);
    moveIntoPlace(mended, path);
    return { before, actions, copy, after: checkStore(path) };
  } finally {
    lock.release();
  }
}

function rebuild(path: string, target: string): string[] {
  const actions: string[] = [];
  let source: DatabaseSync | undefined;
  ensureFile(target, createSchema);
  const database = new DatabaseSync(target);
  try {
    source = openForReading(path);
    const version = schemaVersion(source, path);
    if (version > latestVersion()) throw damaged(path, `its schema version ${version} is of a newer program`);
    database.exec("BEGIN");
    copyMeta(source, database, actions);
    copyRows(source, database, actions);
    database.exec("COMMIT");
    return actions;
  } catch (error) {
    database.close();
    rmSync(target, { force: true });
    // A header that cannot be read leaves nothing to go by.
    throw isDamage(error)
      ? damaged(path, `nothing in it can be read (${messageOf(error)}); only a backup helps`)
      : error;
  } finally {
    if (database.isOpen) database.close();
    source?.close();
  }
}

function copyMeta(source: DatabaseSync, target: DatabaseSync, actions: string[]): void {
  const insert = target.prepare("INSERT OR REPLACE INTO meta(k, v) VALUES (?, ?)");
  try {
    for (const { k, v } of source.prepare("SELECT k, v FROM meta").all()) {
      const key = String(k);
      if (key === "schema") continue;
      if (key === `kept:${SERVICE_ACCOUNT_KEY}` && !isPrivateKey(String(v))) {
        actions.push("left out the key for ServiceAccount tokens, which cannot be read: tokens must be made anew");
        continue;
      }
      if (key === "floor" && typeof v !== "number") {
        actions.push("left out the first revision after a restore, which is no number");
        continue;
      }
      insert.run(key, v as string | number);
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    actions.push(`lost some of the store's own settings: ${messageOf(error)}`);
  }
}

function copyRows(source: DatabaseSync, target: DatabaseSync, actions: string[]): void {
  const insert = target.prepare(
    "INSERT INTO log(rev, res, ns, name, type, create_rev, prev_rev, uid, value, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const good = new Map<string, number>();
  const lost = new Map<string, { readonly row: LogRow; readonly why: string }>();
  for (const row of readableRows(source, actions)) {
    const mended = mendRow(row);
    if (typeof mended === "string") {
      lost.set(rowKey(row), { row, why: mended });
      continue;
    }
    if (mended.actions.length > 0) actions.push(`${rowTitle(row)}: ${mended.actions.join(", ")}`);
    const { revision, resource, namespace, name, type, createRevision, previousRevision, uid } = mended.row;
    const value = type === 1 ? (mended.row.value ?? null) : null;
    const sum = value === null ? null : checksum(value);
    insert.run(revision, resource, namespace, name, type, createRevision, previousRevision, uid, value, sum);
    good.set(rowKey(row), revision);
    lost.delete(rowKey(row));
  }
  for (const [key, { row, why }] of lost) {
    const revision = good.get(key);
    const outcome = revision === undefined ? "left out" : `put back to its revision ${revision}`;
    actions.push(`${rowTitle(row)}: ${outcome}, as revision ${row.revision} ${why}`);
  }
}

/** A row as it should be, with what was changed; or why it cannot be one. */
function mendRow(row: LogRow): { readonly row: LogRow; readonly actions: readonly string[] } | string {
  const problems = rowProblems(row);
  const fatal = problems.find(({ rule }) => rule === "row" || rule === "checksum" || rule === "json");
  if (fatal !== undefined) return fatal.message;
  const identity = problems.filter(({ rule }) => rule === "identity");
  const object = rowObject(row);
  if (row.type === 2 || object === undefined || identity.length === 0) return { row, actions: [] };
  if (typeof object.apiVersion !== "string" || typeof object.kind !== "string") return "has no apiVersion and kind";
  const uid = row.uid === "" ? (object.metadata.uid ?? "") : row.uid;
  const metadata: KubeObject["metadata"] = {
    ...object.metadata,
    name: row.name,
    uid,
    resourceVersion: String(row.revision),
  };
  if (row.namespace === "") delete metadata.namespace;
  else metadata.namespace = row.namespace;
  const value = Buffer.from(encodeJson({ ...object, metadata }));
  return { row: { ...row, uid, value }, actions: identity.map(({ message }) => `mended: it ${message}`) };
}

/** All rows that can be read; those on damaged pages are passed over. */
function* readableRows(database: DatabaseSync, actions: string[]): Iterable<LogRow> {
  const last = lastRevision(database);
  let from = 1;
  for (;;) {
    try {
      for (const row of readRows(database, from)) {
        yield row;
        from = row.revision + 1;
      }
      return;
    } catch (error) {
      if (!isDamage(error)) throw error;
      const next = nextReadable(database, from, last);
      actions.push(`lost what revisions ${from} to ${next === undefined ? last : next - 1} wrote: it cannot be read`);
      if (next === undefined) return;
      from = next;
    }
  }
}

/** The highest revision that the index or the table tells of. */
function lastRevision(database: DatabaseSync): number {
  for (const sql of [
    "SELECT max(rev) AS rev FROM log NOT INDEXED",
    "SELECT max(rev) AS rev FROM log INDEXED BY log_key",
  ]) {
    try {
      return Number(database.prepare(sql).get()?.["rev"] ?? 0);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return Number.MAX_SAFE_INTEGER;
}

/** The first revision after `from` at which a row can be read: strides double, then halve. */
function nextReadable(database: DatabaseSync, from: number, last: number): number | undefined {
  const first = database.prepare("SELECT * FROM log NOT INDEXED WHERE rev >= ? ORDER BY rev LIMIT 1");
  function readable(revision: number): boolean {
    try {
      return first.get(revision) !== undefined;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }
  let stride = 1;
  while (!readable(from + stride)) {
    if (from + stride >= last) return undefined;
    stride *= 2;
  }
  let low = from + Math.floor(stride / 2);
  let high = from + stride;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (readable(middle)) high = middle;
    else low = middle;
  }
  return high;
}
