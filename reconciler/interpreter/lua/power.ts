/** Beyond this the result of a power is surely 0 or infinite. */
const MAX_EXPONENT = 1e9;

/**
 * `base ^ exponent` as Go computes it: by squaring for whole exponents, which now and then ends in another last digit than
 * the nearest double.
 */
export function power(base: number, exponent: number): number {
  if (base === 1 || exponent === 0) return 1;
  if (base === -1 && !Number.isNaN(exponent) && !Number.isFinite(exponent)) return 1;
  if (exponent === 0.5 && base !== Number.NEGATIVE_INFINITY) return Math.sqrt(base) + 0;
  if (!Number.isInteger(exponent) || !Number.isFinite(base) || base === 0) return base ** exponent;
  const whole = Math.abs(exponent);
  if (whole > MAX_EXPONENT) return base ** exponent;
  let [mantissa, scale] = fractionAndExponent(base);
  let [result, resultScale] = [1, 0];
  for (let rest = whole; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      result *= mantissa;
      resultScale += scale;
    }
    mantissa *= mantissa;
    scale *= 2;
    // Squares of fractions from a half up may fall below it.
    if (mantissa < 0.5) {
      mantissa += mantissa;
      scale--;
    }
  }
  return exponent < 0 ? scaleByTwo(1 / result, -resultScale) : scaleByTwo(result, resultScale);
}

/** A fraction from a half to one, and the power of two it stands before: Go's and C's `frexp`. */
export function fractionAndExponent(number: number): readonly [number, number] {
  if (number === 0 || !Number.isFinite(number)) return [number, 0];
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(number))) + 1);
  let fraction = exponent > 1000 ? (number / 2 ** 100) * 2 ** (100 - exponent) : number * 2 ** -exponent;
  // The logarithm may be off by one, and the scale too small for the smallest numbers.
  while (Math.abs(fraction) < 0.5) {
    fraction *= 2;
    exponent--;
  }
  while (Math.abs(fraction) >= 1) {
    fraction /= 2;
    exponent++;
  }
  return [fraction, exponent];
}

/** `number * 2^exponent`: `ldexp`. */
export function scaleByTwo(number: number, exponent: number): number {
  // In steps, so that no factor leaves the range of a double before the product does.
  const bounded = Math.max(-2200, Math.min(2200, exponent));
  const half = Math.trunc(bounded / 2);
  const quarter = Math.trunc(half / 2);
  const last = bounded - half;
  const lastHalf = Math.trunc(last / 2);
  return number * 2 ** quarter * 2 ** (half - quarter) * 2 ** lastHalf * 2 ** (last - lastHalf);
}
