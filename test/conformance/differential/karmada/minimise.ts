// Making a question that is answered differently as small as it can be while it still is.

/** Values one step smaller than `value`, largest steps first. */
function* smaller(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (let length = Math.ceil(value.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
      for (let at = 0; at < value.length; at += length) yield value.toSpliced(at, length);
    }
    for (const [at, item] of value.entries()) for (const less of smaller(item)) yield value.with(at, less);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    for (const [key] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== key));
    for (const [key, item] of entries) for (const less of smaller(item)) yield { ...value, [key]: less };
  } else if (typeof value === "number" && Number.isInteger(value) && value > 1) {
    yield 1;
    yield Math.floor(value / 2);
  }
}

/**
 * A smaller `value` for which `stillDiffers` holds, as it does for the one given. Asks at most `tries` times; a try may be
 * any JSON value of the same outer shape, so `stillDiffers` answers false for what makes no sense.
 */
export async function minimise<T>(
  value: T,
  stillDiffers: (candidate: T) => Promise<boolean>,
  tries: number,
): Promise<T> {
  let least = value;
  let left = tries;
  for (let shrank = true; shrank && left > 0; ) {
    shrank = false;
    for (const candidate of smaller(least)) {
      if (left-- <= 0) break;
      // Same outer shape: parts were only left out or lowered.
      if (!(await stillDiffers(candidate as T))) continue;
      least = candidate as T;
      shrank = true;
      break;
    }
  }
  return least;
}
