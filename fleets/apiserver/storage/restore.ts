// Puts a backup into a data folder.
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AppError } from "../../../runtime/errors.ts";
import { type BackupSummary, backupFiles, verifyBackup } from "./backup.ts";
import { certificatesIn, databaseIn } from "./data-folder.ts";
import { moveIntoPlace, SIDE_FILES } from "./database-file.ts";
import { noStore } from "./errors.ts";
import { migrate } from "./schema.ts";
import { StoreLock } from "./store-lock.ts";

/** As etcd's guide for restores: more than any server writes between a backup and its restore. */
export const DEFAULT_REVISION_BUMP = 1_000_000_000;

export interface RestoreResult {
  readonly backup: BackupSummary;
  readonly dataFolder: string;
  /** The revision that the restored server starts from. */
  readonly revision: number;
  /** Where the old store is kept; undefined when there was none. */
  readonly keptIn: string | undefined;
}

/**
 * Makes `dataFolder` what the backup was taken of, for a server that starts afterwards. The revision counter goes up by
 * `bumpRevision`: clients that saw revisions from after the backup are told that these have expired, and list again.
 */
export function restoreBackup(
  file: string,
  dataFolder: string,
  options: { readonly force: boolean; readonly bumpRevision: number; readonly nowMs: number },
): RestoreResult {
  if (!existsSync(file)) throw noStore(file);
  const backup = verifyBackup(file);
  const revision = backup.revision + options.bumpRevision;
  if (!Number.isSafeInteger(revision))
    throw new AppError(
      "restore-revision",
      `revision ${revision} is more than clients can count to: lower --bump-revision`,
      {
        recovery: "stall",
      },
    );
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const path = databaseIn(dataFolder);
  const lock = new StoreLock(path);
  try {
    const present = presentFiles(dataFolder);
    if (present.length > 0 && !options.force)
      throw new AppError(
        "restore-not-empty",
        `${dataFolder} has a store already (${present.map((name) => basename(name)).join(", ")}): choose another folder, or put it aside with --force`,
        { recovery: "stall" },
      );
    const restored = `${path}.restored`;
    const files = prepare(file, restored, revision);
    const keptIn = present.length === 0 ? undefined : putAside(dataFolder, present, options.nowMs);
    writeCertificates(certificatesIn(dataFolder), files);
    moveIntoPlace(restored, path);
    return { backup, dataFolder, revision, keptIn };
  } finally {
    lock.release();
  }
}

function presentFiles(dataFolder: string): string[] {
  const path = databaseIn(dataFolder);
  const names = [path, ...SIDE_FILES.map((side) => path + side), certificatesIn(dataFolder)];
  return names.filter((name) => existsSync(name));
}

function putAside(dataFolder: string, present: readonly string[], nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(":", "");
  let folder = join(dataFolder, `before-restore-${stamp}`);
  for (let number = 2; existsSync(folder); number++) folder = join(dataFolder, `before-restore-${stamp}.${number}`);
  mkdirSync(folder, { mode: 0o700 });
  for (const name of present) renameSync(name, join(folder, basename(name)));
  return folder;
}

/** Makes the store's file from the backup; answers the certificate files. */
function prepare(file: string, restored: string, revision: number): ReturnType<typeof backupFiles> {
  for (const side of ["", ...SIDE_FILES]) rmSync(restored + side, { force: true });
  copyFileSync(file, restored);
  // A copy has the mode of its source, which somebody may have carried about.
  chmodSync(restored, 0o600);
  const database = new DatabaseSync(restored);
  try {
    // Keys leave the file with their table.
    database.exec("PRAGMA journal_mode=MEMORY; PRAGMA secure_delete=ON");
    const isBackup = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'backup'").get() !== undefined;
    const files = isBackup ? backupFiles(database) : [];
    // The backup is the copy that a migration would keep.
    migrate(database, restored, undefined, "no-copy");
    database.exec("BEGIN; DROP TABLE IF EXISTS backup; DROP TABLE IF EXISTS backup_file");
    database
      .prepare("INSERT INTO meta(k, v) VALUES ('floor', ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v")
      .run(revision);
    database.exec("COMMIT");
    return files;
  } finally {
    database.close();
  }
}

function writeCertificates(folder: string, files: ReturnType<typeof backupFiles>): void {
  if (files.length === 0) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Names come from a file that somebody may have made: they stay in the folder.
  for (const { name, content } of files) writeFileSync(join(folder, basename(name)), content, { mode: 0o600 });
}
