/**
 * Runs `fn` over `items` with at most `limit` at a time; results in the order of `items`. The first failure rejects once
 * what was begun has ended; nothing new is begun after it.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  fn: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { readonly reason: unknown } | undefined;
  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++;
      try {
        // The index is below the length, so the item is there.
        results[index] = await fn(items[index] as T, index);
      } catch (error) {
        failure ??= { reason: error };
        next = items.length;
      }
    }
  }
  const workers = Math.min(Math.max(1, limit), items.length);
  await Promise.all(Array.from({ length: workers }, worker));
  if (failure !== undefined) throw failure.reason;
  return results;
}

/** Lets timers, sockets and other callbacks run before going on. */
export function yieldToLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
