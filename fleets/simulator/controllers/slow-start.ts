// Doing many like things without asking a server that refuses them all more than a few times.
import type { Steps } from "../kernel/action.ts";

const LARGEST_BATCH = 500;

/** Batches of 1, 2, 4 and so on of the items; whoever sees one fail asks for no more. */
export function* growingBatches<T>(items: readonly T[], largest = LARGEST_BATCH): Generator<T[], void> {
  for (let done = 0, size = 1; done < items.length; done += size, size = Math.min(2 * size, largest))
    yield items.slice(done, done + size);
}

/**
 * Does something for each item, in growing batches; the batch in which something fails is the last. Throws the first
 * failure, after the batch.
 */
export function* slowStart<T>(
  items: readonly T[],
  run: (item: T) => Steps<unknown>,
  largestBatch: number = LARGEST_BATCH,
): Steps<void> {
  for (const batch of growingBatches(items, largestBatch)) {
    const failures: unknown[] = [];
    for (const item of batch) {
      try {
        yield* run(item);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
