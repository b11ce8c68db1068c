// JSON text in which 64-bit integers keep all their digits: bigint in memory.
import { isObject } from "./object.ts";

// `rawJSON` is part of ES2026 and not yet of the compiler's library.
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

const LONG_NUMBER = /[0-9]{16}/;
const INTEGER = /^-?[0-9]+$/;

/** JSON text of `value`, indented by `indent` spaces; undefined gives `null`. */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent) ?? "null";
  } catch (error) {
    // Only a bigint makes JSON data fail. Such objects are rare, so the fast way is tried first.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? rawJson(item.toString()) : item), indent);
  }
}

/** Parses JSON; integers that a number cannot hold come as bigint. Throws `SyntaxError`. */
export function parseJson(text: string): unknown {
  // A reviver makes parsing several times slower, and few texts need one.
  return LONG_NUMBER.test(text) ? JSON.parse(text, reviveInteger) : JSON.parse(text);
}

function reviveInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return INTEGER.test(context.source) ? BigInt(context.source) : value;
}

/** JSON data with the keys of every map in order. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortKeys(value[key])]));
}
