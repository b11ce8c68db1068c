// Store files on disk: making one, looking at one before SQLite opens it, copying one.
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { damaged, isDamage, noStore, unusable } from "./errors.ts";

/** The files that SQLite keeps beside a database in WAL mode. */
export const SIDE_FILES = ["-wal", "-shm"] as const;

/**
 * Refuses a file that SQLite would take for a new, empty database although it once had content. A file that is not
 * there is made by `fill`, at once or not at all.
 */
export function ensureFile(path: string, fill: (database: DatabaseSync) => void): void {
  if (existsSync(path)) {
    if (statSync(path).size === 0) throw damaged(path, "the file is empty, so its content was lost");
    return;
  }
  if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0)
    throw damaged(path, `the file is missing, though its ${path}-wal is there`);
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  // Secrets will be inside: SQLite gives its side files the mode of this one.
  try {
    closeSync(openSync(fresh, "wx", 0o600));
  } catch (error) {
    throw unusable(fresh, error);
  }
  const database = new DatabaseSync(fresh);
  try {
    fill(database);
  } finally {
    database.close();
  }
  moveIntoPlace(fresh, path);
}

/** Renames, and makes sure that the name survives a power cut. */
export function moveIntoPlace(from: string, to: string): void {
  syncPath(from);
  renameSync(from, to);
  syncPath(dirname(to));
}

function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Opens a store's file for reading, beside a program that may be writing it. */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw noStore(path);
  if (statSync(path).size === 0) throw damaged(path, "the file is empty, so its content was lost");
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec("PRAGMA busy_timeout=30000");
  return database;
}

/** Writes a consistent copy of an open database to `target`, private to its owner; `target` must not exist. */
export function copyDatabase(database: DatabaseSync, target: string): void {
  // SQLite accepts an empty file as the target, and leaves its mode.
  closeSync(openSync(target, "wx", 0o600));
  try {
    database.prepare("VACUUM INTO ?").run(target);
    chmodSync(target, 0o600);
    syncPath(target);
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

/** Runs `read`, with errors that tell of a damaged file as the sentence for it. */
export function explainDamage<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isDamage(error) || (error instanceof Error && error.name === "AppError")) throw error;
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  }
}
