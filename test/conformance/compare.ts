/** Where two JSON values differ, one line a difference, at most `limit`; empty when equal. Absent equals undefined. */
export function differences(expected: unknown, actual: unknown, limit = 12): string[] {
  const found: string[] = [];
  function show(value: unknown): string {
    const text = JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
    return text === undefined ? "absent" : text.length > 300 ? `${text.slice(0, 300)}…` : text;
  }
  function walk(path: string, want: unknown, got: unknown): void {
    if (found.length >= limit || want === got) return;
    if (Array.isArray(want) && Array.isArray(got)) {
      for (let i = 0; i < Math.max(want.length, got.length); i++) walk(`${path}[${i}]`, want[i], got[i]);
      return;
    }
    const bothObjects =
      typeof want === "object" &&
      typeof got === "object" &&
      want !== null &&
      got !== null &&
      Array.isArray(want) === Array.isArray(got);
    if (bothObjects) {
      const left = want as Record<string, unknown>;
      const right = got as Record<string, unknown>;
      for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
        walk(path === "" ? key : `${path}.${key}`, left[key], right[key]);
      }
      return;
    }
    if (typeof want === "number" && typeof got === "bigint" && BigInt(want) === got) return;
    found.push(`${path === "" ? "(whole)" : path}: expected ${show(want)}, got ${show(got)}`);
  }
  walk("", expected, actual);
  return found;
}
