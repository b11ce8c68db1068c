// What quoted text and numbers of an expression mean.

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const ESCAPE = /\\(?:([xX])([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g;

interface Quoted {
  readonly body: string;
  readonly raw: boolean;
}

function unquote(text: string): Quoted {
  const normal = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  const raw = normal.startsWith("r") || normal.startsWith("R");
  const quoted = raw ? normal.slice(1) : normal;
  const triple = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"));
  const width = triple ? 3 : 1;
  return { body: quoted.slice(width, -width), raw };
}

/** The text of a string literal, or undefined when an escape names no character. */
export function stringLiteral(text: string): string | undefined {
  const { body, raw } = unquote(text);
  if (raw || !body.includes("\\")) return body;
  let valid = true;
  const value = body.replace(ESCAPE, (_all, _x, hex, short, long, octal, other) => {
    if (other !== undefined) return SIMPLE_ESCAPES[other] ?? other;
    const code = octal === undefined ? Number.parseInt(hex ?? short ?? long, 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      valid = false;
      return "";
    }
    return String.fromCodePoint(code);
  });
  return valid ? value : undefined;
}

/** The bytes of a bytes literal; undefined when it has an escape that means a character rather than a byte. */
export function bytesLiteral(text: string): Uint8Array | undefined {
  const { body, raw } = unquote(text.slice(1));
  if (raw || !body.includes("\\")) return Buffer.from(body);
  const parts: Buffer[] = [];
  let last = 0;
  for (const match of body.matchAll(ESCAPE)) {
    const [all, , hex, short, long, octal, other] = match;
    if (short !== undefined || long !== undefined) return undefined;
    parts.push(Buffer.from(body.slice(last, match.index)));
    last = match.index + all.length;
    if (other !== undefined) parts.push(Buffer.from(SIMPLE_ESCAPES[other] ?? other));
    else parts.push(Buffer.from([hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16)]));
  }
  parts.push(Buffer.from(body.slice(last)));
  return Buffer.concat(parts);
}

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** A signed number, or undefined when it does not fit 64 bits. */
export function intLiteral(text: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(text) : BigInt(text);
  return value < MIN_INT || value > MAX_INT ? undefined : value;
}

/** An unsigned number with its suffix. */
export function uintLiteral(text: string): bigint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value > MAX_UINT ? undefined : value;
}
