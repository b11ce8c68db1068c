// Checks of a pack before and after isomorphic-git makes its index. The library inflates what it is given without a
// bound, follows a delta that leans on itself for ever, compares no checksum and leaves out what it cannot read.

import { hash } from "node:crypto";
import { yieldToLoop } from "../../runtime/parallel.ts";
import { gitCorrupt, gitTooLarge } from "../errors.ts";
import { formatBytes, type GitLimits, MAX_DELTA_DEPTH } from "./limits.ts";
import { compressedBound, deltaResultSize, inflateEntry, MAX_HEADER_BYTES, readEntryHeader } from "./pack-entry.ts";
import { PackIndex } from "./pack-index.ts";

const SLICE_MS = 12;

/**
 * Throws `git-corrupt` unless the bytes are a whole pack of version 2 whose entries all inflate to what they claim and
 * whose deltas lean on earlier entries; `git-too-large` when a limit is exceeded. Gives the event loop a turn every few
 * milliseconds.
 */
export async function checkPack(
  pack: Buffer,
  limits: Pick<GitLimits, "maxObjects" | "maxObjectBytes" | "maxInflatedBytes">,
  signal: AbortSignal,
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
    offset = start + used;
  }
  if (offset !== end) throw gitCorrupt("the pack holds more than it claims");
}

/** Throws `git-corrupt` when the index lacks an object of the pack, as when a delta does not fit its base. */
export function checkIndex(pack: Buffer, index: Buffer): void {
  if (new PackIndex(index).count !== pack.readUInt32BE(8)) {
    throw gitCorrupt("the pack holds a delta whose base is nowhere");
  }
}
