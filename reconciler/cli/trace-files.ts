// Trace files on disk; compressed when their name ends in .gz.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { parseTrace, type TraceFile } from "../scheduler/explanation/trace-file.ts";

/** A fleet of ten thousand clusters with all their APIs stays well below. */
const MAX_BYTES = 512 * 1024 * 1024;

/** Throws `trace-broken` when there is no such file, or it is none that can be replayed. */
export async function readTraceFile(folder: string, path: string): Promise<TraceFile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(folder, path));
  } catch (error) {
    throw broken(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const text = isCompressed ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
    return parseTrace(text.toString("utf8"), path);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw broken(`${path} cannot be replayed: it is not compressed as gzip does it, or was cut off`, error);
  }
}

/** Writes the text of a trace. */
export async function writeTraceFile(folder: string, path: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(folder, path), path.endsWith(".gz") ? gzipSync(text) : text, { mode: 0o644 });
  } catch (error) {
    throw new AppError("trace-not-written", `${path} cannot be written: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
}

function broken(message: string, cause: unknown): AppError {
  return new AppError("trace-broken", message, { recovery: "stall", cause });
}
