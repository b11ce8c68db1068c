// JSON with 64-bit integers: bigint in memory, plain digits in the text.
import { hasEscapedKey, parseJson } from "../request/json-parser.ts";

// `rawJSON` is part of ES2026 and not yet of the compiler's library.
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** Compact JSON text. */
export function encodeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Only a bigint makes JSON data fail. Such objects are rare, so the fast way is tried first.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? rawJson(item.toString()) : item));
  }
}

const LONG_NUMBER = /[0-9]{16}/;
const INTEGER = /^-?[0-9]+$/;

/** Reads what `encodeJson` wrote. */
export function decodeJson(text: string): unknown {
  // A reviver makes parsing several times slower, and few objects need one; fewer still have keys with escapes.
  if (hasEscapedKey(text)) return parseJson(text, false).value;
  return LONG_NUMBER.test(text) ? JSON.parse(text, reviveBigIntegers) : JSON.parse(text);
}

function reviveBigIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return INTEGER.test(context.source) ? BigInt(context.source) : value;
}

/** JSON with two-space indentation. */
export function encodePrettyJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? rawJson(item.toString()) : item), 2);
}

/** Freezes JSON data to the leaves and returns it. What is frozen already is not visited again. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else for (const key in value) deepFreeze(value[key]);
  return value;
}
