// The anticipated failures of a store's file: what happened, to which file, and what to do.
import { AppError, messageOf } from "../../../runtime/errors.ts";

const FULL = 13;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;
const NO_ACCESS = 23;
const IO_WRITE = 778;
const IO_SHARED_MEMORY_OPEN = 4618;
const IO_SHARED_MEMORY_SIZE = 4874;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** SQLite's extended result code; undefined for errors of anything else. */
function resultCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : undefined;
}

/**
 * The refusal of a write that left the file as it was: a full disk, a file system that turned read-only, a permission
 * that is gone. Undefined for errors after which nobody knows what the disk has (a failed fsync among them).
 */
export function writeRefusal(path: string, error: unknown): AppError | undefined {
  const code = resultCode(error);
  if (code === undefined) return undefined;
  const goesOn = "what is stored stays readable, and writing goes on by itself when it can";
  if (code === FULL) {
    const message = `the disk is full, so nothing can be written to ${path}: make room; ${goesOn}`;
    return new AppError("store-disk-full", message, { recovery: "retry", cause: error });
  }
  const isRefusal =
    [READ_ONLY, CANNOT_OPEN, NO_ACCESS].includes(code & 0xff) ||
    [IO_WRITE, IO_SHARED_MEMORY_OPEN, IO_SHARED_MEMORY_SIZE].includes(code);
  if (!isRefusal) return undefined;
  const message = `${path} cannot be written (${messageOf(error)}): check that its file system is mounted for writing and that the files belong to this user; ${goesOn}`;
  return new AppError("store-read-only", message, { recovery: "retry", cause: error });
}

/** True for what `writeRefusal` made. */
export function isWriteRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === "store-disk-full" || error.code === "store-read-only");
}

/** True when the error says that the content of a database file is damaged, or is none. */
export function isDamage(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "store-damaged";
  const code = resultCode(error);
  return code !== undefined && [CORRUPT, NOT_A_DATABASE].includes(code & 0xff);
}

export function damaged(path: string, what: string, cause?: unknown): AppError {
  return new AppError(
    "store-damaged",
    `database ${path} is damaged: ${what}. Nothing was changed. See what is wrong with 'flaghoist fsck', mend it with 'flaghoist fsck --repair' (which keeps a copy), or go back to a backup with 'flaghoist restore'`,
    { recovery: "stall", cause },
  );
}

export function notOurs(path: string, what: string): AppError {
  return new AppError(
    "store-foreign",
    `${path} is not a store of flaghoist: ${what}. Nothing was changed. Name another folder with --data, move the file away to start empty, or go back to a backup with 'flaghoist restore'`,
    { recovery: "stall" },
  );
}

export function schemaTooNew(path: string, found: number, known: number): AppError {
  return new AppError(
    "store-schema-too-new",
    `database ${path} has schema version ${found}, this program reads up to ${known}: use a newer program, or go back to a backup of the older one with 'flaghoist restore'`,
    { recovery: "stall" },
  );
}

export function migrationFailed(path: string, version: number, cause: unknown): AppError {
  return new AppError(
    "store-migration-failed",
    `database ${path} could not be brought to schema version ${version}: ${messageOf(cause)}. It is as it was; make room on the disk or mend what the message says, then start again`,
    { recovery: "stall", cause },
  );
}

export function storeInUse(path: string, owner: string): AppError {
  return new AppError(
    "store-in-use",
    `another program has the store ${path} open (${owner}): stop it first, or use another data folder`,
    { recovery: "stall" },
  );
}

export function unusable(path: string, cause: unknown): AppError {
  return new AppError(
    "store-unusable",
    `${path} cannot be opened (${messageOf(cause)}): check that its folder is there, belongs to this user and can be written`,
    { recovery: "stall", cause },
  );
}

export function noStore(path: string): AppError {
  return new AppError(
    "store-missing",
    `there is no store at ${path}: name the data folder of 'flaghoist up' with --data; a store in another API server ('up --store') is backed up there`,
    { recovery: "stall" },
  );
}
