// The audit log's file: lines are written in the background, and the file is rotated by its size.
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Clock } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import type { AuditSink } from "./auditor.ts";

export interface AuditLogOptions {
  readonly path: string;
  /** Bytes after which the file is put aside; 0 never. */
  readonly maxBytes: number;
  /** Files put aside that are kept; 0 keeps all. */
  readonly maxBackups: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Lines that wait to be written hold at most this much; further ones are refused. */
const MOST_WAITING_BYTES = 67_108_864;
const WRITE_BYTES = 1_048_576;

export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions;
  #file: FileHandle;
  #size: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #closed = false;
  #isFailing = false;
  #tellLost: ((lines: number) => void) | undefined;

  private constructor(options: AuditLogOptions, file: FileHandle, size: number) {
    this.#options = options;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the file, readable to its owner only; rejects when that is not possible. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const file = await open(options.path, "a", 0o600);
    return new AuditLog(options, file, (await file.stat()).size);
  }

  write(line: string): boolean {
    if (this.#closed || this.#waitingBytes + line.length > MOST_WAITING_BYTES) return false;
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writing ??= this.#writeAll();
    return true;
  }

  onLost(listener: (lines: number) => void): void {
    this.#tellLost = listener;
  }

  /** Resolves when everything taken so far was written, or lost. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    await this.#file.close();
  }

  async #writeAll(): Promise<void> {
    // What else this turn of the event loop brings goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#writeSome(this.#take());
    this.#writing = undefined;
  }

  #take(): string[] {
    let count = 0;
    for (let size = 0; count < this.#waiting.length && size < WRITE_BYTES; count++)
      size += this.#waiting[count]!.length;
    return this.#waiting.splice(0, count);
  }

  async #writeSome(lines: readonly string[]): Promise<void> {
    const text = lines.join("");
    try {
      if (this.#options.maxBytes > 0 && this.#size > 0 && this.#size + text.length > this.#options.maxBytes)
        await this.#rotate();
      const { bytesWritten } = await this.#file.write(text);
      this.#size += bytesWritten;
      this.#isFailing = false;
    } catch (error) {
      this.#tellLost?.(lines.length);
      // Once, not with every request.
      if (!this.#isFailing)
        this.#options.logger.error("failed to write the audit log", {
          file: this.#options.path,
          error: messageOf(error),
        });
      this.#isFailing = true;
    } finally {
      this.#waitingBytes -= text.length;
    }
  }

  /** As the reference names them: audit.log becomes audit-2026-01-02T03-04-05.006.log. */
  async #rotate(): Promise<void> {
    const { path, clock, maxBackups } = this.#options;
    const extension = extname(path);
    const stem = basename(path, extension);
    const stamp = new Date(clock.now()).toISOString().slice(0, 23).replaceAll(":", "-");
    const folder = dirname(path);
    await this.#file.close();
    await rename(path, join(folder, `${stem}-${stamp}${extension}`));
    this.#file = await open(path, "a", 0o600);
    this.#size = 0;
    if (maxBackups <= 0) return;
    const old = (await readdir(folder))
      .filter((name) => name.startsWith(`${stem}-`) && name.endsWith(extension) && /\d{4}-\d\d-\d\dT/.test(name))
      .sort();
    for (const name of old.slice(0, Math.max(0, old.length - maxBackups))) await unlink(join(folder, name));
  }
}
