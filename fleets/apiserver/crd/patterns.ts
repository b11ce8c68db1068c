// Patterns of schemas are RE2, which is JavaScript's syntax without look-around and backreferences, with a few spellings
// of its own.

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  "[:alpha:]": "a-zA-Z",
  "[:digit:]": "0-9",
  "[:alnum:]": "a-zA-Z0-9",
  "[:lower:]": "a-z",
  "[:upper:]": "A-Z",
  "[:space:]": "\\s",
  "[:word:]": "\\w",
  "[:xdigit:]": "0-9A-Fa-f",
};

/** RE2's own spellings in those of JavaScript. */
function translate(pattern: string): { source: string; flags: string } {
  let source = pattern;
  let flags = "";
  const leading = /^\(\?([ims]+)\)/.exec(source);
  if (leading !== null) {
    flags = leading[1]!;
    source = source.slice(leading[0].length);
  }
  for (const name in POSIX_CLASSES) source = source.replaceAll(name, POSIX_CLASSES[name]!);
  source = source.replaceAll("\\A", "^").replaceAll("\\z", "$").replaceAll("(?P<", "(?<");
  return { source, flags };
}

/** What RE2 refuses although JavaScript knows it. */
function unsupportedPart(pattern: string): string | undefined {
  const bare = pattern.replace(/\\\\/g, "__");
  return /\(\?(?:<[=!]|[=!])/.exec(bare)?.[0] ?? /\\[1-9]|\\k/.exec(bare)?.[0];
}

/** The pattern as a regular expression, or undefined when RE2 would refuse it. */
export function compilePattern(pattern: string): RegExp | undefined {
  if (unsupportedPart(pattern) !== undefined) return undefined;
  const { source, flags } = translate(pattern);
  // The second form is more lenient: needless escapes are errors under `u`.
  for (const mode of ["u", ""]) {
    try {
      return new RegExp(source, `${mode}${flags}`);
    } catch {
      // The next form, or none.
    }
  }
  return undefined;
}

/** Why a pattern is no regular expression, in the words of Go; undefined when it is one. */
export function patternError(pattern: string): string | undefined {
  const part = unsupportedPart(pattern);
  if (part !== undefined) {
    const isEscape = part.startsWith("\\");
    const what = isEscape ? "invalid escape sequence" : "invalid or unsupported Perl syntax";
    return `error parsing regexp: ${what}: \`${part}\``;
  }
  if (compilePattern(pattern) !== undefined) return undefined;
  return `error parsing regexp: ${syntaxProblem(pattern)}: \`${pattern}\``;
}

function syntaxProblem(pattern: string): string {
  const bare = pattern.replace(/\\./g, "").replace(/\[[^\]]*\]/g, "");
  if (bare.includes("[")) return "missing closing ]";
  const open = bare.split("(").length;
  const closed = bare.split(")").length;
  if (open > closed) return "missing closing )";
  if (open < closed) return "unexpected )";
  if (/(^|[(|])[*+?]/.test(bare)) return "missing argument to repetition operator";
  return "invalid syntax";
}
