// Field selectors such as `metadata.name=a,status.phase!=Running`.
import { selectorInvalid } from "./selectors.ts";

/** One term of a field selector: `metadata.name=a`, `spec.nodeName!=`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** Reads `metadata.name=a,status.phase!=Running`; a backslash escapes `,`, `=` and itself. Throws `selector-invalid`. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === "") continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw selectorInvalid(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", operator, value = ""] = match;
    // As the reference: a term that says nothing selects everything.
    if (field === "" && value === "" && operator !== "!=") continue;
    requirements.push({ field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) });
  }
  return requirements;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "\\") index++;
    else if (character === ",") {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = "";
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === "\\") {
      const escaped = text.charAt(++index);
      if (escaped !== "\\" && escaped !== "," && escaped !== "=") {
        throw selectorInvalid(`invalid field selector: invalid escape sequence: \\${escaped}`);
      }
      value += escaped;
    } else if (character === "," || character === "=") {
      // The server prints the character's number.
      throw selectorInvalid(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    } else value += character;
  }
  return value;
}

/** Whether an object satisfies the selector; `fieldText` answers a field's text, empty when absent. */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  fieldText: (field: string) => string,
): boolean {
  for (const { field, operator, value } of requirements) {
    if ((fieldText(field) === value) !== (operator === "=")) return false;
  }
  return true;
}

/** The value that `field` must have, when the selector pins it with `=`: lets a list look up one name directly. */
export function requiredFieldValue(requirements: readonly FieldRequirement[], field: string): string | undefined {
  return requirements.find((requirement) => requirement.field === field && requirement.operator === "=")?.value;
}
