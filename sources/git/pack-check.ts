// Checks of a pack before anything else reads it: that it is whole, within bounds, and no delta leans on itself.

import { hash } from "node:crypto";
import { yieldToLoop } from "../../runtime/parallel.ts";
import { gitCorrupt, gitTooLarge } from "../errors.ts";
import { formatBytes, type GitLimits, MAX_DELTA_DEPTH } from "./limits.ts";
import {
  compressedBound,
  deltaResultSize,
  type EntryHeader,
  inflateEntry,
  MAX_HEADER_BYTES,
  readEntryHeader,
} from "./pack-entry.ts";

const SLICE_MS = 12;

export type PackLimits = Pick<GitLimits, "maxObjects" | "maxObjectBytes" | "maxInflatedBytes">;

export interface CheckedEntry {
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  readonly header: EntryHeader;
  /** Inflated: of a delta, the delta itself. */
  readonly content: Buffer;
}

/**
 * Throws `git-corrupt` unless the bytes are a whole pack of version 2 whose entries all inflate to what they claim and
 * whose deltas lean on earlier entries; `git-too-large` when a limit is exceeded. Gives the event loop a turn every few
 * milliseconds. `onEntry` gets each entry after its check.
 */
export async function checkPack(
  pack: Buffer,
  limits: PackLimits,
  signal: AbortSignal,
  onEntry?: (entry: CheckedEntry) => void,
): Promise<void> {
  const end = pack.length - 20;
  if (end < 12 || !hash("sha1", pack.subarray(0, end), "buffer").equals(pack.subarray(end))) {
    throw gitCorrupt("the pack was cut short or altered on the way");
  }
  if (pack.toString("latin1", 0, 4) !== "PACK") throw gitCorrupt("what came is no pack");
  if (pack.readUInt32BE(4) !== 2) throw gitCorrupt(`the pack has version ${pack.readUInt32BE(4)}, not 2`);
  const count = pack.readUInt32BE(8);
  if (count > limits.maxObjects) throw gitTooLarge(`a pack of ${count} objects`, `${limits.maxObjects} objects`);
  let inflated = 0;
  function account(bytes: number): void {
    if (bytes > limits.maxObjectBytes)
      throw gitTooLarge("an object of the repository", formatBytes(limits.maxObjectBytes));
    inflated += bytes;
    if (inflated > limits.maxInflatedBytes) {
      throw gitTooLarge("the content of a fetch", formatBytes(limits.maxInflatedBytes));
    }
  }
  /** Deltas up to a whole object, by where the entry begins. */
  const depths = new Map<number, number>();
  let sliceStart = performance.now();
  let offset = 12;
  for (let i = 0; i < count; i++) {
    if (performance.now() - sliceStart > SLICE_MS) {
      await yieldToLoop();
      signal.throwIfAborted();
      sliceStart = performance.now();
    }
    const header = readEntryHeader(pack.subarray(offset, Math.min(offset + MAX_HEADER_BYTES, end)));
    account(header.size);
    const start = offset + header.length;
    const { content, used } = inflateEntry(
      pack.subarray(start, Math.min(start + compressedBound(header.size), end)),
      header.size,
    );
    if (header.type === "ofs-delta" || header.type === "ref-delta") account(deltaResultSize(content));
    const base = header.type === "ofs-delta" ? depths.get(offset - header.distance) : -1;
    if (base === undefined) throw gitCorrupt("the pack holds a delta whose base is nowhere");
    if (base >= MAX_DELTA_DEPTH) throw gitCorrupt("a chain of deltas is longer than Git makes them");
    depths.set(offset, base + 1);
    onEntry?.({ offset, end: start + used, header, content });
    offset = start + used;
  }
  if (offset !== end) throw gitCorrupt("the pack holds more than it claims");
}
