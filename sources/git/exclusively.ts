/** Work on one folder, one after the other, whoever asks. */
const queues = new Map<string, Promise<unknown>>();

/** Runs `work` when all earlier work on the folder has ended. An abort ends the wait at once, and then nothing runs. */
export async function exclusively<T>(directory: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const before = queues.get(directory) ?? Promise.resolve();
  const mine = before.then(() => {
    signal.throwIfAborted();
    return work();
  });
  const settled = mine.then(leave, leave);
  queues.set(directory, settled);
  function leave(): void {
    if (queues.get(directory) === settled) queues.delete(directory);
  }
  await untilAborted(before, signal);
  return mine;
}

async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  function onAbort(): void {
    reject(signal.reason);
  }
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
