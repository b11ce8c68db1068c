// The tables of a store's file, and how files of older programs become the present form.
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { copyDatabase } from "./database-file.ts";
import { damaged, migrationFailed, notOurs, schemaTooNew } from "./errors.ts";

/** One step from a version to the next. It runs inside a transaction that it does not end. */
export interface Migration {
  /** The version that the file has afterwards. */
  readonly version: number;
  /** What changes, for the log. */
  readonly what: string;
  readonly run: (database: DatabaseSync) => void;
}

/** Marks a file as ours: "flgh". */
export const APPLICATION_ID = 0x66_6c_67_68;

const TABLES = `
  CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
  CREATE TABLE log(rev INTEGER PRIMARY KEY, res TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
    type INTEGER NOT NULL, create_rev INTEGER NOT NULL, prev_rev INTEGER NOT NULL, uid TEXT NOT NULL, value BLOB,
    sum INTEGER);
  CREATE INDEX log_key ON log(res, ns, name, rev);`;

/** In order of their versions, without gaps. A released one never changes. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 2,
    what: "checksums of all objects, and a first revision for restored stores",
    run(database) {
      database.exec("ALTER TABLE log ADD COLUMN sum INTEGER");
      database.function("checksum", { deterministic: true }, (value) => checksum(value as Uint8Array));
      database.exec("UPDATE log SET sum = checksum(value) WHERE value IS NOT NULL");
      database.exec(`PRAGMA application_id=${APPLICATION_ID}`);
    },
  },
];

/** What the `sum` column holds for a value. */
export function checksum(value: Uint8Array): number {
  return crc32(value);
}

/** The version that a list of migrations leads to. */
export function latestVersion(migrations: readonly Migration[] = MIGRATIONS): number {
  return migrations.at(-1)?.version ?? 1;
}

/** Makes the tables of an empty file. */
export function createSchema(database: DatabaseSync): void {
  database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA application_id=${APPLICATION_ID};`);
  database.prepare("INSERT INTO meta(k, v) VALUES ('schema', ?)").run(latestVersion());
  database.exec("COMMIT");
}

/** The schema version of an open file; throws when the file is no store. */
export function schemaVersion(database: DatabaseSync, path: string): number {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const names = new Set(tables.map((row) => String(row["name"])));
  if (!names.has("meta") || !names.has("log")) {
    throw names.size === 0
      ? damaged(path, "it has no tables, so its content was lost")
      : notOurs(path, "it is an SQLite database of another program");
  }
  const version = database.prepare("SELECT v FROM meta WHERE k = 'schema'").get()?.["v"];
  if (typeof version !== "number") throw damaged(path, "it does not say which schema version it has");
  return version;
}

/**
 * Brings an open file to the newest version, in one transaction, after keeping a copy of it as `PATH.before-vN`
 * (`no-copy`: the caller has one). Answers what was done; empty when the file was new enough. Throws for files of newer programs.
 */
export function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
  keep: "copy" | "no-copy" = "copy",
): { readonly from: number; readonly to: number } | undefined {
  const from = schemaVersion(database, path);
  const to = latestVersion(migrations);
  if (from > to) throw schemaTooNew(path, from, to);
  if (from === to) return undefined;
  try {
    if (keep === "copy") copyDatabase(database, freeName(`${path}.before-v${to}`));
    database.exec("BEGIN IMMEDIATE");
    for (const migration of migrations) if (migration.version > from) migration.run(database);
    database.prepare("UPDATE meta SET v = ? WHERE k = 'schema'").run(to);
    database.exec("COMMIT");
    return { from, to };
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw migrationFailed(path, to, error);
  }
}

/** `path`, or the first of `path.2`, `path.3` … that nothing has. */
export function freeName(path: string): string {
  let name = path;
  for (let number = 2; existsSync(name); number++) name = `${path}.${number}`;
  return name;
}
