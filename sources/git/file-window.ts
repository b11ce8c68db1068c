import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Reads parts of a file by position, through one block that is kept: neighbouring reads cost no system call. */
export class FileWindow {
  readonly size: number;
  readonly #file: number;
  readonly #block: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #open = true;

  constructor(path: string, block: number) {
    this.#file = openSync(path, "r");
    this.size = fstatSync(this.#file).size;
    this.#block = block;
  }

  /** `length` bytes from `offset`, fewer at the end of the file. Valid for ever: the bytes are never overwritten. */
  read(offset: number, length: number): Buffer {
    const at = offset - this.#start;
    if (at >= 0 && at + length <= this.#bytes.length) return this.#bytes.subarray(at, at + length);
    const wanted = Math.max(0, Math.min(Math.max(length, this.#block), this.size - offset));
    const bytes = Buffer.allocUnsafeSlow(wanted);
    let have = 0;
    while (have < wanted) {
      const read = readSync(this.#file, bytes, have, wanted - have, offset + have);
      if (read === 0) break;
      have += read;
    }
    this.#bytes = bytes.subarray(0, have);
    this.#start = offset;
    return this.#bytes.subarray(0, Math.min(length, have));
  }

  close(): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }
}
