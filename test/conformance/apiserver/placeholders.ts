// Values that a server makes differ from run to run: recordings hold placeholders in their place.

const KINDS: Readonly<Record<string, string>> = {
  uid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  rv: "[0-9]+",
  time: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z",
  age: "[0-9a-z]+",
  continue: ".+",
  suffix: "[a-z0-9]{5}",
  hash: "[0-9A-Za-z+/=_-]+",
  clusterIP: "[0-9.]+",
  nodePort: "[0-9]+",
  date: ".+",
  object: ".+",
  any: ".*",
};
const PLACEHOLDER = new RegExp(`<(${Object.keys(KINDS).join("|")})(?::[0-9]+)?>`, "g");

/**
 * Writes the recording's placeholders into an answer wherever its own values fit. A numbered placeholder stands for one
 * value throughout a case, and different numbers stand for different values; so equality of the result with the
 * recording says that values are equal where they should be.
 */
export class Placeholders {
  readonly #valueOf = new Map<string, string>();
  readonly #nameOf = new Map<string, string>();

  /** `actual` with placeholders, as far as it fits `expected`. */
  fill(expected: unknown, actual: unknown): unknown {
    if (typeof expected === "string") return this.#fillText(expected, actual);
    if (Array.isArray(expected)) {
      return Array.isArray(actual) ? actual.map((item, index) => this.fill(expected[index], item)) : actual;
    }
    if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null)
      return actual;
    if (Array.isArray(actual)) return actual;
    // Both are JSON objects.
    const wanted = expected as Record<string, unknown>;
    const found = actual as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(wanted)) {
      const own = key in found ? key : Object.keys(found).find((each) => this.#fillText(key, each) === key);
      if (own !== undefined) result[key] = this.fill(wanted[key], found[own]);
    }
    const used = new Set(Object.keys(wanted));
    for (const key of Object.keys(found)) {
      if (used.has(key) || [...used].some((name) => name !== key && this.#fillText(name, key) === name)) continue;
      result[key] = found[key];
    }
    return result;
  }

  #fillText(expected: string, actual: unknown): unknown {
    if (expected === "<binary>") return expected;
    if (!expected.includes("<")) return actual;
    const text = typeof actual === "number" ? String(actual) : actual;
    if (typeof text !== "string") return actual;
    const names: string[] = [];
    let pattern = "";
    let at = 0;
    for (const match of expected.matchAll(PLACEHOLDER)) {
      pattern += `${escapeText(expected.slice(at, match.index))}(${KINDS[match[1]!]})`;
      names.push(match[0]);
      at = match.index + match[0].length;
    }
    if (names.length === 0) return actual;
    const found = new RegExp(`^${pattern}${escapeText(expected.slice(at))}$`, "s").exec(text);
    if (found === null) return actual;
    return names.every((name, index) => this.#bind(name, found[index + 1]!)) ? expected : actual;
  }

  #bind(name: string, value: string): boolean {
    if (!name.includes(":")) return true;
    const kind = name.slice(0, name.indexOf(":"));
    const known = this.#valueOf.get(name);
    if (known !== undefined) return known === value;
    const other = this.#nameOf.get(`${kind} ${value}`);
    if (other !== undefined) return false;
    this.#valueOf.set(name, value);
    this.#nameOf.set(`${kind} ${value}`, name);
    return true;
  }
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
