// Work that seldom waits. A step-wise function is written once, as a generator; when nothing in it waited, its result is
// there at once, and no other code ran in between.

/** Work that yields the promises it must wait for, and returns its result. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Waits for a value within `Steps`; one that is no promise is answered without leaving. Use with `yield*`. */
export function* waitFor<T>(value: T | Promise<T>): Steps<T> {
  if (!(value instanceof Promise)) return value;
  // The driver sends back what the promise became.
  return (yield value) as T;
}

/** Does the work: at once when nothing in it waits, else its promise. */
export function runSteps<T>(steps: Steps<T>): T | Promise<T> {
  const first = steps.next();
  return first.done === true ? first.value : goOn(steps, first.value);
}

async function goOn<T>(steps: Steps<T>, awaited: Promise<unknown>): Promise<T> {
  let pending = awaited;
  for (;;) {
    let next: IteratorResult<Promise<unknown>, T>;
    try {
      const value = await pending;
      next = steps.next(value);
    } catch (error) {
      // A throw of `next` above ended the generator: it throws the same error again here.
      next = steps.throw(error);
    }
    if (next.done === true) return next.value;
    pending = next.value;
  }
}

/** Does work that cannot wait. A step that waits nevertheless is a bug, and thrown. */
export function completeSteps<T>(steps: Steps<T>): T {
  const first = steps.next();
  if (first.done === true) return first.value;
  // Nobody awaits it any more.
  first.value.catch(() => {});
  steps.return(undefined as T);
  throw new Error("work that must not wait waited");
}
