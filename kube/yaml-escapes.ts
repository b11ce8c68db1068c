import { Lexer } from "yaml";

// Not preceded by an odd number of backslashes.
const JSON_ESCAPE = /(?<=(?:^|[^\\])(?:\\\\)*)\\(?:\/|u[dD][89a-fA-F])/;
const SCALAR_MARK = "\u001f";

/** Whether a YAML text has, in a double-quoted scalar, an escape of JSON that Kubernetes' own parser refuses: `\/`, surrogates. */
export function hasJsonEscapes(text: string): boolean {
  if (!JSON_ESCAPE.test(text)) return false;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    // A scalar that follows its mark is not quoted.
    if (!isScalar && token.startsWith('"') && JSON_ESCAPE.test(token)) return true;
    isScalar = token === SCALAR_MARK;
  }
  return false;
}
