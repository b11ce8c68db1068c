// The classes of characters that YAML's grammar is made of, as go-yaml has them.

/** What `YamlCursor.peek` gives beyond the end of the text. */
export const END = -1;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** A line break. The Unicode ones count too, which YAML 1.2 no longer has. */
export function isBreak(code: number): boolean {
  if (code > CARRIAGE_RETURN && code < 0x85) return false;
  return code === LINE_FEED || code === CARRIAGE_RETURN || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** A space or a tab. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** A space, a tab, a line break or the end. */
export function isBlankOrEnd(code: number): boolean {
  return code <= SPACE ? isBlank(code) || code === END || isBreak(code) : isBreak(code);
}

export function isBreakOrEnd(code: number): boolean {
  return code === END || isBreak(code);
}

/** What names of anchors and tag handles are made of. */
export function isWordCharacter(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f ||
    code === 0x2d
  );
}

/** A character that no YAML text may hold unescaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
export const FORBIDDEN_IN_YAML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;
