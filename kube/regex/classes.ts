// Classes of characters in regular expressions.

/** Whether a code point belongs to a class. */
export type Test = (code: number) => boolean;

export function isWord(code: number): boolean {
  return isDigit(code) || isUpper(code) || isLower(code) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 12 || code === 13;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isLower(code: number): boolean {
  return code >= 97 && code <= 122;
}

/** `\d`, `\w` and `\s`: ASCII only. */
export const CLASSES: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["d", isDigit],
  ["w", isWord],
  ["s", isSpace],
]);

/** `[:alpha:]` and the like. */
export const NAMED_CLASSES: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["alnum", (code) => isUpper(code) || isLower(code) || isDigit(code)],
  ["alpha", (code) => isUpper(code) || isLower(code)],
  ["ascii", (code) => code < 128],
  ["blank", (code) => code === 9 || code === 32],
  ["cntrl", (code) => code < 32 || code === 127],
  ["digit", isDigit],
  ["graph", (code) => code > 32 && code < 127],
  ["lower", isLower],
  ["print", (code) => code >= 32 && code < 127],
  ["punct", (code) => code > 32 && code < 127 && !isUpper(code) && !isLower(code) && !isDigit(code)],
  ["space", (code) => isSpace(code) || code === 11],
  ["upper", isUpper],
  ["word", isWord],
  ["xdigit", (code) => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)],
]);

/** `\p{Greek}`, `\pL`: a general category or script; undefined when there is none of that name. */
export function propertyTest(name: string): Test | undefined {
  if (name === "Any") return () => true;
  for (const source of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    try {
      const pattern = new RegExp(source, "u");
      if (/^[A-Z][A-Za-z_]*$/.test(name)) return (code) => pattern.test(String.fromCodePoint(code));
    } catch {
      // No category of that name: perhaps a script.
    }
  }
  return undefined;
}

/** The class with the other cases of its letters. */
export function foldedTest(test: Test): Test {
  return (code) => {
    if (test(code)) return true;
    const char = String.fromCodePoint(code);
    const lower = char.toLowerCase();
    const upper = char.toUpperCase();
    // Letters whose other case is several characters have none here.
    return (
      (lower !== char && test(lower.codePointAt(0)!)) ||
      (upper !== char && upper.length <= 2 && test(upper.codePointAt(0)!))
    );
  };
}
