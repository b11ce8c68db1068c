// The durable form of a store: every write as one row of a log, in one SQLite file.
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { AppError } from "../../../runtime/errors.ts";
import type { Change } from "./change-ring.ts";
import { StoredObject } from "./stored-object.ts";

const SCHEMA_VERSION = 1;
const ROWS_PER_COMPACTION = 1000;

export interface SqliteLogOptions {
  /** `full` survives a power cut, `normal` a crash of the process. */
  readonly synchronous: "full" | "normal";
  /** Size at which the file counts as full; absent: when the disk is. */
  readonly maxBytes?: number | undefined;
}

/** The file's content at start. */
export interface LoadedState {
  readonly uid: string;
  readonly revision: number;
  readonly objects: Iterable<StoredObject>;
}

function tooNew(path: string, found: number): AppError {
  return new AppError(
    "store-schema-too-new",
    `database ${path} has schema version ${found}, this program reads up to ${SCHEMA_VERSION}; use a newer program`,
    { recovery: "stall" },
  );
}

/** One SQLite file. All calls block; `append` returns after the rows are on disk. */
export class SqliteLog {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  #compactTo = 0;

  constructor(path: string, options: SqliteLogOptions) {
    // Secrets are inside: SQLite gives its side files the mode of this one.
    closeSync(openSync(path, "a", 0o600));
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      `PRAGMA busy_timeout=30000; PRAGMA journal_mode=WAL; PRAGMA synchronous=${options.synchronous}; PRAGMA temp_store=MEMORY;`,
    );
    if (options.maxBytes !== undefined) {
      const pageSize = Number(this.#database.prepare("PRAGMA page_size").get()?.["page_size"] ?? 4096);
      this.#database.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(options.maxBytes / pageSize))}`);
    }
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS log(rev INTEGER PRIMARY KEY, res TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
        type INTEGER NOT NULL, create_rev INTEGER NOT NULL, prev_rev INTEGER NOT NULL, uid TEXT NOT NULL, value BLOB);
      CREATE INDEX IF NOT EXISTS log_key ON log(res, ns, name, rev);`);
    const version = Number(this.#meta("schema") ?? SCHEMA_VERSION);
    if (version > SCHEMA_VERSION) {
      this.#database.close();
      throw tooNew(path, version);
    }
    this.#setMeta("schema", SCHEMA_VERSION);
    this.#insert = this.#database.prepare(
      "INSERT INTO log(rev, res, ns, name, type, create_rev, prev_rev, uid, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
  }

  /** Reads the last state of every object. `newUid` names the store when the file is new. */
  load(newUid: string): LoadedState {
    const uid = this.#meta("uid") ?? newUid;
    this.#setMeta("uid", uid);
    const last = this.#database.prepare("SELECT max(rev) AS rev FROM log").get();
    const rows = this.#database
      .prepare(
        `SELECT log.rev AS rev, res, ns, name, uid, value FROM log
         JOIN (SELECT max(rev) AS rev FROM log GROUP BY res, ns, name) newest ON log.rev = newest.rev WHERE type = 1`,
      )
      .iterate();
    function* objects(): Iterable<StoredObject> {
      for (const row of rows) {
        const value = row["value"] as Uint8Array;
        yield new StoredObject(
          { resource: String(row["res"]), namespace: String(row["ns"]), name: String(row["name"]) },
          String(row["uid"]),
          Number(row["rev"]),
          Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        );
      }
    }
    return { uid: String(uid), revision: Number(last?.["rev"] ?? 0), objects: objects() };
  }

  /** Writes all changes in one transaction. */
  append(changes: readonly Change[]): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const { type, revision, object, previous } of changes) {
        this.#insert.run(
          revision,
          object.resource,
          object.namespace,
          object.name,
          type === "DELETED" ? 2 : 1,
          previous === undefined ? revision : 0,
          previous?.revision ?? 0,
          object.uid,
          type === "DELETED" ? null : object.bytes,
        );
      }
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Deletes up to a thousand rows at or below `target` that later rows supersede, or that record a deletion. True
   * when there may be more.
   */
  compact(target: number): boolean {
    if (target <= this.#compactTo) return false;
    const { changes } = this.#database
      .prepare(
        `DELETE FROM log WHERE rev IN (
           SELECT old.rev FROM log old WHERE old.rev <= ?1 AND (
             old.type = 2 OR EXISTS (SELECT 1 FROM log later WHERE later.res = old.res AND later.ns = old.ns
               AND later.name = old.name AND later.rev > old.rev AND later.rev <= ?1))
             AND old.rev > ?2
           ORDER BY old.rev LIMIT ?3)`,
      )
      .run(target, 0, ROWS_PER_COMPACTION);
    if (Number(changes) >= ROWS_PER_COMPACTION) return true;
    this.#compactTo = target;
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return false;
  }

  /** A value kept under a name beside the log. */
  kept(name: string): string | undefined {
    const value = this.#meta(`kept:${name}`);
    return value === undefined ? undefined : String(value);
  }

  keep(name: string, value: string): void {
    this.#setMeta(`kept:${name}`, value);
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#database.close();
  }

  #meta(key: string): unknown {
    return this.#database.prepare("SELECT v FROM meta WHERE k = ?").get(key)?.["v"];
  }

  #setMeta(key: string, value: unknown): void {
    // Only texts and numbers are kept.
    this.#database
      .prepare("INSERT INTO meta(k, v) VALUES (?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v")
      .run(key, value as string | number);
  }
}
