// Changes inside a JSON or YAML document that stands as text in a field, such as a file in a ConfigMap.

import type { FieldOverrider, JSONPatchOperation } from "../../api/policy.ts";
import { applyJsonPatch, valueAt } from "../../kube/json-patch.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { emitYamlDocument } from "../../kube/yaml-emit.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Draft } from "./draft.ts";
import { overrideImpossible } from "./errors.ts";
import { parseExactJson, stringifyExactJson } from "./exact-json.ts";
import { patchOperation } from "./plaintext.ts";

/** Patches the document at `fieldPath`. YAML wins over JSON; with neither, as Karmada, the text becomes empty. */
export function overrideField(draft: Draft, { fieldPath, json, yaml }: FieldOverrider): void {
  const text = valueAt(draft.object, fieldPath);
  if (typeof text !== "string") throw overrideImpossible(fieldPath, "the value at fieldPath is not a text");
  draft.patch({ op: "replace", path: fieldPath, value: changedDocument(text, fieldPath, json ?? [], yaml ?? []) });
}

// Differs from Karmada: a text of several YAML documents is an error. Karmada drops all but the first.
function changedDocument(
  text: string,
  fieldPath: string,
  json: readonly JSONPatchOperation[],
  yaml: readonly JSONPatchOperation[],
): string {
  if (yaml.length > 0) {
    const document = parsed("YAML", fieldPath, () => parseYaml(text, { duplicateKeys: "last-wins" }));
    return emitYamlDocument(patched(document, fieldPath, yaml), { sortKeys: true });
  }
  if (json.length === 0) return "";
  const document = parsed("JSON", fieldPath, () => parseExactJson(text));
  return stringifyExactJson(patched(document, fieldPath, json));
}

// What a parser says may quote the text, and the text may be a Secret's; so its error goes no further.
function parsed(format: "JSON" | "YAML", fieldPath: string, parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    throw overrideImpossible(fieldPath, `the text at fieldPath is not one document of ${format}`);
  }
}

function patched(document: unknown, fieldPath: string, operations: readonly JSONPatchOperation[]): unknown {
  if (typeof document !== "object" || document === null) {
    throw overrideImpossible(fieldPath, "the document is neither an object nor a list");
  }
  const patch = operations.map(({ operator, subPath, value }) => patchOperation(operator, subPath, value));
  try {
    return applyJsonPatch<unknown>(document, patch);
  } catch (error) {
    throw overrideImpossible(fieldPath, messageOf(error), error);
  }
}
