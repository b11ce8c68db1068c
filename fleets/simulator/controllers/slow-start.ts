// Doing many like things without asking a server that refuses them all more than a few times.
import type { Steps } from "../kernel/action.ts";

const FIRST_BATCH = 1;
const LARGEST_BATCH = 500;

/**
 * Does something for each item, in batches of 1, 2, 4 and so on; the batch in which something fails is the last. Throws the
 * first failure, after the batch.
 */
export function* slowStart<T>(
  items: readonly T[],
  run: (item: T) => Steps<unknown>,
  largestBatch: number = LARGEST_BATCH,
): Steps<void> {
  let size = Math.min(FIRST_BATCH, items.length);
  for (let done = 0; done < items.length; ) {
    const failures: unknown[] = [];
    for (const item of items.slice(done, done + size)) {
      try {
        yield* run(item);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    done += size;
    size = Math.min(2 * size, items.length - done, largestBatch);
  }
}
