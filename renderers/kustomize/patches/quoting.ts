// Which words kustomize puts in quotes when it sets a field.

import { parseYamlNodes } from "../../../kube/yaml.ts";
import { looksLikeAnotherType, readTimestamp } from "../../../kube/yaml-scalars.ts";
import { AppError } from "../../../runtime/errors.ts";

const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const PERHAPS_STRUCTURE = /^[#[{?-]|:(?:\s|$)/;

/**
 * True for text of one line that YAML 1.1 would read as something else when it stands without quotes: `yes`, `5`, but
 * also `a: b` and `# note`. Dates and sexagesimal numbers count as text.
 */
export function isQuotedWhenSet(text: string): boolean {
  if (text === "" || text.includes("\n")) return false;
  if (looksLikeAnotherType(text)) return readTimestamp(text) === undefined && !SEXAGESIMAL.test(text);
  return PERHAPS_STRUCTURE.test(text) && isStructure(text);
}

function isStructure(text: string): boolean {
  try {
    return parseYamlNodes(text)[0]?.node.kind !== "scalar";
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
