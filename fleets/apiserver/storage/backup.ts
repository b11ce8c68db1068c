// A backup: the store's file in one piece, with the certificates that clients trust inside it.
import { createHash, type Hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { rfc3339 } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { certificatesIn, databaseIn } from "./data-folder.ts";
import { copyDatabase, explainDamage, moveIntoPlace, openForReading } from "./database-file.ts";
import { checkStore } from "./fsck.ts";
import { schemaVersion } from "./schema.ts";

export interface BackupSummary {
  readonly file: string;
  /** When it was taken; undefined for a bare copy of a store's file. */
  readonly taken: string | undefined;
  readonly schema: number;
  readonly revision: number;
  readonly objects: number;
  readonly bytes: number;
  /** Names of the certificate and key files inside. */
  readonly certificates: readonly string[];
  /** Of the whole content; undefined for a bare copy of a store's file. */
  readonly sha256: string | undefined;
}

function badBackup(file: string, what: string, cause?: unknown): AppError {
  return new AppError("backup-damaged", `backup ${file} cannot be used: ${what}. Take another one`, {
    recovery: "stall",
    cause,
  });
}

/**
 * Writes a backup of a data folder to `target`, while a server may be writing the store, and reads it back. Refuses to
 * replace a file unless `force`; a failed attempt leaves what was there.
 */
export function writeBackup(
  dataFolder: string,
  target: string,
  options: { readonly force: boolean; readonly nowMs: number },
): BackupSummary {
  if (existsSync(target) && !options.force)
    throw new AppError("backup-exists", `${target} exists: choose another name, or replace it with --force`, {
      recovery: "stall",
    });
  const path = databaseIn(dataFolder);
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  try {
    copyStore(path, partial);
    addFiles(partial, certificatesIn(dataFolder), options.nowMs);
    const summary = verifyBackup(partial);
    moveIntoPlace(partial, target);
    return { ...summary, file: target };
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

function copyStore(path: string, target: string): void {
  const database = openForReading(path);
  try {
    explainDamage(path, () => {
      schemaVersion(database, path);
      copyDatabase(database, target);
    });
  } finally {
    database.close();
  }
}

function addFiles(file: string, folder: string, nowMs: number): void {
  const database = new DatabaseSync(file);
  try {
    // No side files, so that the backup is this one file.
    database.exec(`PRAGMA journal_mode=MEMORY; BEGIN;
      CREATE TABLE backup_file(name TEXT PRIMARY KEY, content BLOB NOT NULL);
      CREATE TABLE backup(k TEXT PRIMARY KEY, v) WITHOUT ROWID;`);
    const insertFile = database.prepare("INSERT INTO backup_file VALUES (?, ?)");
    const names = existsSync(folder) ? readdirSync(folder).sort() : [];
    for (const name of names) {
      const path = join(folder, name);
      if (statSync(path).isFile()) insertFile.run(name, readFileSync(path));
    }
    const insert = database.prepare("INSERT INTO backup VALUES (?, ?)");
    insert.run("taken", rfc3339(nowMs));
    insert.run("sha256", digest(database));
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}

/** Reads a whole backup, and answers what is in it; throws when anything is not as it was written. */
export function verifyBackup(file: string): BackupSummary {
  const report = checkStore(file);
  const error = report.findings.find((finding) => finding.severity === "error");
  if (error !== undefined) throw badBackup(file, `${error.object ?? "the file"}: ${error.message}`);
  const database = openForReading(file);
  try {
    const isBackup = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'backup'").get() !== undefined;
    const value = (key: string): string | undefined => {
      const found = isBackup ? database.prepare("SELECT v FROM backup WHERE k = ?").get(key)?.["v"] : undefined;
      return found === undefined ? undefined : String(found);
    };
    const sha256 = value("sha256");
    if (isBackup && digest(database) !== sha256) throw badBackup(file, "its content is not what was written");
    const { schema, revision, objects } = report;
    return {
      file,
      taken: value("taken"),
      schema,
      revision,
      objects,
      bytes: statSync(file).size,
      certificates: isBackup ? backupFiles(database).map(({ name }) => name) : [],
      sha256,
    };
  } finally {
    database.close();
  }
}

/** The certificate files in a backup. */
export function backupFiles(database: DatabaseSync): { readonly name: string; readonly content: Uint8Array }[] {
  return database
    .prepare("SELECT name, content FROM backup_file ORDER BY name")
    .all()
    .map((row) => ({ name: String(row["name"]), content: row["content"] as Uint8Array }));
}

/** SHA-256 of all tables but `backup`, independent of how SQLite lays them out. */
function digest(database: DatabaseSync): string {
  const hash = createHash("sha256");
  for (const sql of [
    "SELECT * FROM meta ORDER BY k",
    "SELECT * FROM log NOT INDEXED ORDER BY rev",
    "SELECT * FROM backup_file ORDER BY name",
  ]) {
    for (const row of database.prepare(sql).iterate()) for (const cell of Object.values(row)) hashCell(hash, cell);
    hash.update("\n");
  }
  return hash.digest("hex");
}

function hashCell(hash: Hash, cell: unknown): void {
  const bytes = cell instanceof Uint8Array ? cell : Buffer.from(String(cell));
  // The length keeps neighbours apart.
  hash.update(`${cell instanceof Uint8Array ? "b" : typeof cell} ${bytes.byteLength} `);
  hash.update(bytes);
}
