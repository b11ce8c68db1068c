// What the server must know of every object at start, read from its bytes without parsing it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const METADATA = Buffer.from('"metadata":{');

/** Facts about an object's metadata. */
export interface MetadataFacts {
  /** JSON of the labels; undefined when there are none. */
  readonly labels: string | undefined;
  readonly hasOwners: boolean;
  readonly isDeleting: boolean;
}

/**
 * Scans compact JSON that `StoredObject` wrote: `apiVersion` and `kind` come first, both without quotes and commas
 * inside. Undefined when `metadata` does not follow them; then the object must be parsed.
 */
export function scanMetadata(bytes: Buffer): MetadataFacts | undefined {
  let at = bytes.indexOf(COMMA, bytes.indexOf(COMMA) + 1) + 1;
  if (at === 0 || at + METADATA.length > bytes.length) return undefined;
  if (bytes.compare(METADATA, 0, METADATA.length, at, at + METADATA.length) !== 0) return undefined;
  at += METADATA.length;
  let labels: string | undefined;
  let hasOwners = false;
  let isDeleting = false;
  while (bytes[at] === QUOTE) {
    const keyEnd = endOfString(bytes, at);
    const valueAt = keyEnd + 1;
    if (bytes[keyEnd] !== COLON) return undefined;
    const end = endOfValue(bytes, valueAt);
    // By length first: comparing texts would make a string of each key.
    const length = keyEnd - at - 2;
    if (length === 6 && bytes.toString("latin1", at + 1, keyEnd - 1) === "labels") {
      if (bytes[valueAt] === OPEN_BRACE && end > valueAt + 2) labels = bytes.toString("utf8", valueAt, end);
    } else if (length === 15 && bytes.toString("latin1", at + 1, keyEnd - 1) === "ownerReferences") {
      hasOwners = bytes[valueAt] === OPEN_BRACKET && end > valueAt + 2;
    } else if (length === 17 && bytes.toString("latin1", at + 1, keyEnd - 1) === "deletionTimestamp") {
      isDeleting = bytes[valueAt] === QUOTE;
    }
    if (bytes[end] !== COMMA) return bytes[end] === CLOSE_BRACE ? { labels, hasOwners, isDeleting } : undefined;
    at = end + 1;
  }
  return bytes[at] === CLOSE_BRACE ? { labels, hasOwners, isDeleting } : undefined;
}

/** The place after the string that begins at `at`. */
function endOfString(bytes: Buffer, at: number): number {
  for (let end = bytes.indexOf(QUOTE, at + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (bytes[end - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return bytes.length;
}

/** The place after the value that begins at `at`. */
function endOfValue(bytes: Buffer, at: number): number {
  let depth = 0;
  for (let place = at; place < bytes.length; ) {
    const byte = bytes[place];
    if (byte === QUOTE) {
      place = endOfString(bytes, place);
      if (depth === 0) return place;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return place;
      depth -= 1;
      if (depth === 0) return place + 1;
    } else if (byte === COMMA && depth === 0) return place;
    place += 1;
  }
  return bytes.length;
}
