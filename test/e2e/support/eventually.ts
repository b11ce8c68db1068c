// Waiting for the state of the world: asked again and again until it is as wished, or the time is up.

const ASK_AGAIN_MS = 15;
const TIME_LIMIT_MS = 12_000;

/**
 * Runs `check` until it neither throws nor answers false, and hands back its answer. When the time is up, the last
 * failure is thrown, so that the test says what was not as wished.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { readonly withinMs?: number; readonly what?: string } = {},
): Promise<T> {
  const { withinMs = TIME_LIMIT_MS, what = "what was waited for" } = options;
  const deadline = Date.now() + withinMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await check();
      if (answer !== false) return answer;
      failure = new Error(`${what} did not come about within ${withinMs} ms`);
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw failure;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

/**
 * Checks that a fact holds all the while: asked until `forMs` have gone by. For "nothing
 * happens", which no event announces.
 */
export async function consistently(
  check: () => void | Promise<void>,
  options: { readonly forMs: number },
): Promise<void> {
  const end = Date.now() + options.forMs;
  for (;;) {
    await check();
    if (Date.now() > end) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}
