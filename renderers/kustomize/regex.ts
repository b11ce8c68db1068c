// Regular expressions from repositories, in the syntax of Go and in time linear in the text.
import { compileRegex } from "../../kube/regex/regex.ts";
import { RegexError } from "../../kube/regex/syntax.ts";
import { renderError } from "../errors.ts";

/** Says whether a text matches as a whole. */
export type Matcher = (text: string) => boolean;

/** The expression anchored at both ends. Throws `render-selector` when it is not valid. */
export function compileAnchored(pattern: string): Matcher {
  if (/^[A-Za-z0-9_\-/ ]*$/.test(pattern)) return (text) => text === pattern;
  const regex = compileRegex(pattern);
  if (regex instanceof RegexError) {
    const why = regex.message.replace("error parsing regexp: ", "");
    throw renderError("render-selector", `${JSON.stringify(pattern)} is no valid regular expression: ${why}`);
  }
  return (text) => regex.matchesWhole(text);
}
