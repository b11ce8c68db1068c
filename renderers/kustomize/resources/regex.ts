// Regular expressions from repositories, in the syntax of Go and in time linear in the text.
import { compileRegex } from "../../../kube/regex/regex.ts";
import { RegexError } from "../../../kube/regex/syntax.ts";
import { renderError } from "../../errors.ts";

/** Says whether a text matches. */
export type Matcher = (text: string) => boolean;

/** The expression anchored at both ends. Throws `render-selector` when it is not valid. */
export function compileAnchored(pattern: string): Matcher {
  if (isLiteral(pattern)) return (text) => text === pattern;
  return compile(`^(?:${pattern})$`, pattern);
}

/** The expression as it is: it may match anywhere in a text. Throws `render-selector` when it is not valid. */
export function compilePattern(pattern: string): Matcher {
  return isLiteral(pattern) ? (text) => text.includes(pattern) : compile(pattern, pattern);
}

/** Whether an expression matches just its own text. */
export function isLiteral(pattern: string): boolean {
  return /^[A-Za-z0-9_\-/ ]*$/.test(pattern);
}

function compile(pattern: string, written: string): Matcher {
  const regex = compileRegex(pattern);
  if (regex instanceof RegexError) {
    const why = regex.message.replace("error parsing regexp: ", "");
    const what = `${JSON.stringify(written)} is no valid regular expression: ${why}`;
    throw renderError("render-selector", what, { field: written });
  }
  return (text) => regex.test(text);
}
