// The durable form of a store: every write as one row of a log, in one SQLite file.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Change } from "./change-ring.ts";
import { ensureFile, explainDamage } from "./database-file.ts";
import { damaged, writeRefusal } from "./errors.ts";
import { checkPages, checkPagesAside } from "./integrity.ts";
import { checksum, createSchema, latestVersion, migrate, schemaVersion } from "./schema.ts";
import { StoreLock } from "./store-lock.ts";
import { type ObjectKey, StoredObject } from "./stored-object.ts";

const ROWS_PER_COMPACTION = 1000;
/** Files up to this size are checked at once, in about the time that a thread takes to begin. */
const AT_ONCE_BYTES = 8 << 20;

export interface SqliteLogOptions {
  /** `full` survives a power cut, `normal` a crash of the process. */
  readonly synchronous: "full" | "normal";
  /** Size at which the file counts as full; absent: when the disk is. */
  readonly maxBytes?: number | undefined;
  /**
   * Whether a large file is checked in a thread while it is read: what `load` answers as `checked` must be
   * awaited then before anything is written. Default: nothing is read before all is checked.
   */
  readonly checksAside?: boolean | undefined;
}

type StoredRow = readonly [number, string, string, string, string, unknown, unknown];

/** The file's content at start. */
export interface LoadedState {
  readonly uid: string;
  readonly revision: number;
  /** The last state of every object, read while this is walked. */
  readonly objects: Iterable<StoredObject>;
  /** Resolves when all pages are known to be whole; rejects with why they are not. */
  readonly checked: Promise<void>;
}

/**
 * One SQLite file, open in one program at a time. All calls block; `append` returns after the rows are on disk. A file
 * that is damaged, of another program or of a newer one is refused as it is.
 */
export class SqliteLog {
  readonly #path: string;
  readonly #lock: StoreLock;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #isChecked: boolean;
  #compactTo = 0;

  constructor(path: string, options: SqliteLogOptions) {
    this.#path = path;
    this.#lock = new StoreLock(path);
    let database: DatabaseSync | undefined;
    try {
      ensureFile(path, createSchema);
      const opened = explainDamage(path, () => openDatabase(path, options));
      database = opened.database;
      this.#database = database;
      this.#isChecked = opened.isChecked;
      this.#insert = database.prepare(
        "INSERT INTO log(rev, res, ns, name, type, create_rev, prev_rev, uid, value, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      this.#select = database.prepare("SELECT value, sum FROM log WHERE rev = ?");
      this.#select.setReturnArrays(true);
    } catch (error) {
      database?.close();
      this.#lock.release();
      throw writeRefusal(path, error) ?? error;
    }
  }

  /**
   * Reads the last state of every object. `newUid` names the store when the file is new. A file that cannot be loaded is
   * closed, and free for whoever mends it.
   */
  load(newUid: string): LoadedState {
    try {
      return explainDamage(this.#path, () => this.#load(newUid));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #load(newUid: string): LoadedState {
    const uid = this.#meta("uid");
    if (uid === undefined) this.#setMeta("uid", newUid);
    const last = this.#database.prepare("SELECT max(rev) AS rev FROM log").get();
    const floor = Number(this.#meta("floor") ?? 0);
    return {
      uid: String(uid ?? newUid),
      revision: Math.max(Number(last?.["rev"] ?? 0), floor),
      objects: this.#presentObjects(),
      checked: this.#isChecked ? Promise.resolve() : this.#checkAside(),
    };
  }

  #checkAside(): Promise<void> {
    return checkPagesAside(this.#path, () => checkPages(this.#database, this.#path));
  }

  *#presentObjects(): Iterable<StoredObject> {
    const statement = this.#database.prepare(
      `SELECT log.rev, res, ns, name, uid, value, sum FROM log
       JOIN (SELECT max(rev) AS rev FROM log GROUP BY res, ns, name) newest ON log.rev = newest.rev WHERE type = 1`,
    );
    statement.setReturnArrays(true);
    // The statement above has these columns.
    const rows = explainDamage(this.#path, () => statement.iterate()) as unknown as Iterator<StoredRow>;
    // Thousands of objects have these in common; each row brings texts of its own.
    const texts = new Map<string, string>();
    const shared = (text: string): string => {
      const known = texts.get(text);
      if (known === undefined) texts.set(text, text);
      return known ?? text;
    };
    for (;;) {
      const next = explainDamage(this.#path, () => rows.next());
      if (next.done === true) return;
      const [revision, resource, namespace, name, uid, value, sum] = next.value;
      const key = { resource: shared(resource), namespace: shared(namespace), name };
      yield new StoredObject(key, uid, revision, this.#checked(key, revision, value, sum));
    }
  }

  /** The bytes that an object's revision was written with; they must not have been compacted away. */
  read(object: StoredObject): Buffer {
    const row = explainDamage(this.#path, () => this.#select.get(object.revision));
    // The statement has these columns.
    const [value, sum] = (row ?? []) as unknown as readonly unknown[];
    return this.#checked(object, object.revision, value, sum);
  }

  #checked(key: ObjectKey, revision: number, value: unknown, sum: unknown): Buffer {
    if (!(value instanceof Uint8Array) || checksum(value) !== sum) {
      const where = key.namespace === "" ? key.name : `${key.namespace}/${key.name}`;
      throw damaged(this.#path, `${key.resource} ${where} is not what was written (revision ${revision})`);
    }
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
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
          type === "DELETED" ? null : checksum(object.bytes),
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
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // What could not be moved into the file stays beside it, and is read from there at the next start.
    }
    this.#database.close();
    this.#lock.release();
  }

  /** Writes a little, to see whether writing is possible; throws what SQLite says. */
  probe(): void {
    this.#setMeta("probe", Number(this.#meta("probe") ?? 0) + 1);
  }

  /** Bytes of the file, without what is still beside it. */
  size(): number {
    return numberOf(this.#database, "page_count") * numberOf(this.#database, "page_size");
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

interface OpenedDatabase {
  readonly database: DatabaseSync;
  readonly isChecked: boolean;
}

function openDatabase(path: string, options: SqliteLogOptions): OpenedDatabase {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      `PRAGMA busy_timeout=30000; PRAGMA journal_mode=WAL; PRAGMA synchronous=${options.synchronous}; PRAGMA temp_store=MEMORY;`,
    );
    const pageSize = numberOf(database, "page_size");
    const isLarge = pageSize * numberOf(database, "page_count") > AT_ONCE_BYTES;
    const isAside = options.checksAside === true && isLarge && !isToBeWritten(database, path);
    if (!isAside) checkPages(database, path);
    migrate(database, path);
    if (options.maxBytes !== undefined)
      database.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(options.maxBytes / pageSize))}`);
    return { database, isChecked: !isAside };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whether opening the file writes to it, which only one that is whole may be. */
function isToBeWritten(database: DatabaseSync, path: string): boolean {
  if (schemaVersion(database, path) !== latestVersion()) return true;
  return database.prepare("SELECT 1 FROM meta WHERE k = 'uid'").get() === undefined;
}

function numberOf(database: DatabaseSync, pragma: "page_size" | "page_count"): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
}
