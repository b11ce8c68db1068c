// Strings of Lua are bytes. In memory each byte is one character of a JavaScript string (code 0 to 255), so that length,
// positions, comparison and patterns count bytes; text that is all ASCII, which nearly all is, looks the same both ways.

const NOT_ASCII = /[^\0-\x7f]/;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The UTF-8 bytes of `text`. A lone surrogate becomes U+FFFD, as in JSON. */
export function bytesOfText(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  return binaryOf(encoder.encode(text));
}

/** The text whose UTF-8 bytes these are. Each byte that belongs to no character becomes U+FFFD, as Go's encoder does. */
export function textOfBytes(bytes: string): string {
  if (!NOT_ASCII.test(bytes)) return bytes;
  const buffer = new Uint8Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) buffer[index] = bytes.charCodeAt(index);
  const text = decoder.decode(buffer);
  return text.includes("\ufffd") ? eachBrokenByte(buffer) : text;
}

/** Whether there is a byte above 127. */
export function hasHighBytes(bytes: string): boolean {
  return NOT_ASCII.test(bytes);
}

/** The bytes of each letter; one that belongs to no letter stands alone. */
export function lettersOf(bytes: string): readonly string[] {
  if (!NOT_ASCII.test(bytes)) return bytes.split("");
  const buffer = Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
  const letters: string[] = [];
  for (let index = 0; index < bytes.length; ) {
    const length = Math.max(sequenceLength(buffer, index), 1);
    letters.push(bytes.slice(index, index + length));
    index += length;
  }
  return letters;
}

function binaryOf(buffer: Uint8Array): string {
  // Arguments of one call are limited, so that long text goes in pieces.
  let text = "";
  for (let from = 0; from < buffer.length; from += 8192) {
    text += String.fromCharCode(...buffer.subarray(from, from + 8192));
  }
  return text;
}

// The platform's decoder makes one U+FFFD of a broken sequence of several bytes; Go makes one of each byte.
function eachBrokenByte(buffer: Uint8Array): string {
  const parts: string[] = [];
  let index = 0;
  while (index < buffer.length) {
    const length = sequenceLength(buffer, index);
    parts.push(length === 0 ? "\ufffd" : decoder.decode(buffer.subarray(index, index + length)));
    index += length === 0 ? 1 : length;
  }
  return parts.join("");
}

// Bytes of the character that starts here; 0 when none does.
function sequenceLength(buffer: Uint8Array, index: number): number {
  const first = buffer[index] ?? 0;
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) === 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || index + length > buffer.length) return 0;
  for (let at = 1; at < length; at++) if (((buffer[index + at] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = buffer[index + 1] ?? 0;
  if (first === 0xe0 && second < 0xa0) return 0; // longer than needed
  if (first === 0xed && second > 0x9f) return 0; // a surrogate
  if (first === 0xf0 && second < 0x90) return 0; // longer than needed
  if (first === 0xf4 && second > 0x8f) return 0; // beyond Unicode
  return length;
}
