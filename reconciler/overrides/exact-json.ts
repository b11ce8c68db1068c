// JSON text whose numbers survive reading and writing exactly as they were spelled (`1.0`, 64-bit integers).

/** The part of ECMAScript's JSON that the compiler's library does not know yet. */
interface ExactJson {
  rawJSON(text: string): object;
}

// Node has had it since version 21.
const EXACT_JSON = JSON as unknown as ExactJson;

/** Reads JSON; numbers that JavaScript would spell differently become opaque values for `stringifyExactJson`. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && context?.source !== undefined && context.source !== String(value)
      ? EXACT_JSON.rawJSON(context.source)
      : value,
  );
}

const UNSAFE_IN_HTML = /[<>&\u2028\u2029]/g;

/** Compact JSON as Go writes it: what could end a script in a web page is escaped. */
export function stringifyExactJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE_IN_HTML,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
