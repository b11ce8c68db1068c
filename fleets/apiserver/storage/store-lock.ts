// One program at a time opens a store for writing.
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { storeInUse, unusable } from "./errors.ts";

/**
 * An exclusive lock beside a store's file. It is a transaction on a small SQLite file of its own: the system drops it
 * when the process ends, however it ends, and readers of the store are not in its way.
 */
export class StoreLock {
  readonly #database: DatabaseSync;

  /** Takes the lock of the store at `path`; throws `store-in-use` when another program, or this one, has it. */
  constructor(path: string) {
    const file = `${path}.lock`;
    try {
      closeSync(openSync(file, "a", 0o600));
      this.#database = new DatabaseSync(file);
    } catch (error) {
      throw unusable(file, error);
    }
    try {
      this.#database.exec("PRAGMA busy_timeout=0; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF");
      this.#sign();
      this.#database.exec("BEGIN IMMEDIATE");
    } catch {
      const owner = this.#owner();
      this.#database.close();
      throw storeInUse(path, owner);
    }
  }

  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #sign(): void {
    try {
      this.#database.exec("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS owner(one INTEGER PRIMARY KEY, text TEXT)");
      this.#database
        .prepare("INSERT OR REPLACE INTO owner VALUES (1, ?)")
        .run(`process ${process.pid} on ${hostname()}`);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      // On a full disk the lock holds without the name of its owner; a lock that is taken fails again right after.
      if (!(error instanceof Error && "errcode" in error && error.errcode === 13)) throw error;
    }
  }

  #owner(): string {
    try {
      return String(this.#database.prepare("SELECT text FROM owner").get()?.["text"] ?? "which one is not known");
    } catch {
      return "which one is not known";
    }
  }
}
