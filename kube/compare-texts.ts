/** Orders texts by code points, as their UTF-8 bytes are ordered; JavaScript orders units of UTF-16. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    // Halves of pairs stand for characters above all others.
    const isPair = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;
    if (isPair(left) !== isPair(right)) return isPair(left) ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}
