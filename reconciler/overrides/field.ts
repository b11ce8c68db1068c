// Changes inside a JSON or YAML document that stands as text in a field, such as a file in a ConfigMap.

import type { FieldOverrider, JSONPatchOperation } from "../../api/policy.ts";
import { applyJsonPatch, type JsonPatchOperation, parsePointer } from "../../kube/json-patch.ts";
import { isObject } from "../../kube/object.ts";
import { parseYaml, type YamlOptions } from "../../kube/yaml.ts";
import { editYaml } from "../../kube/yaml-edit.ts";
import { emitYamlDocument } from "../../kube/yaml-emit.ts";
import { hasJsonEscapes } from "../../kube/yaml-escapes.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Draft } from "./draft.ts";
import { overrideImpossible } from "./errors.ts";
import { patchJsonText } from "./json-text.ts";
import { patchOperation } from "./plaintext.ts";

/** Patches the document at `fieldPath`. YAML wins over JSON; with neither, as Karmada, the text becomes empty. */
export function overrideField(draft: Draft, overrider: FieldOverrider, options: FieldOptions): void {
  const { text, path } = textAt(draft.object, overrider.fieldPath);
  draft.set(path, remembered(text, overrider, options));
}

export interface FieldOptions {
  /** Beyond Karmada: what is not changed keeps the form that its author gave it. */
  readonly keepLayout: boolean;
}

// The same text goes to many clusters.
const LAST = new WeakMap<
  FieldOverrider,
  { readonly text: string; readonly keepLayout: boolean; readonly result: string }
>();

function remembered(text: string, overrider: FieldOverrider, { keepLayout }: FieldOptions): string {
  const last = LAST.get(overrider);
  if (last !== undefined && last.text === text && last.keepLayout === keepLayout) return last.result;
  const { fieldPath, json, yaml } = overrider;
  const result = changedDocument(text, fieldPath, { json: json ?? [], yaml: yaml ?? [], keepLayout });
  LAST.set(overrider, { text, keepLayout, result });
  return result;
}

/** The text at a pointer, which, other than in patches, names nothing from the end of a list. */
function textAt(object: unknown, fieldPath: string): { readonly text: string; readonly path: string[] } {
  const missing = (): never => {
    throw overrideImpossible(fieldPath, "there is nothing at fieldPath");
  };
  if (!fieldPath.startsWith("/")) throw overrideImpossible(fieldPath, "fieldPath does not begin with a slash");
  const path = parsePointer(fieldPath);
  let current: unknown = object;
  for (const [depth, key] of path.entries()) {
    if (Array.isArray(current)) {
      if (!/^[+-]?[0-9]+$/.test(key) || !(Number(key) >= 0 && Number(key) < current.length)) missing();
      path[depth] = String(Number(key) + 0);
      current = current[Number(key)];
    } else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else missing();
  }
  if (typeof current !== "string") throw overrideImpossible(fieldPath, "the value at fieldPath is not a text");
  return { text: current, path };
}

interface Changes extends FieldOptions {
  readonly json: readonly JSONPatchOperation[];
  readonly yaml: readonly JSONPatchOperation[];
}

// Differs from Karmada: a text of several YAML documents is an error. Karmada drops all but the first.
function changedDocument(text: string, fieldPath: string, { json, yaml, keepLayout }: Changes): string {
  if (yaml.length === 0)
    return json.length === 0 ? "" : patchJsonText(text, operationsOf(json), fieldPath, { keepLayout });
  const operations = operationsOf(yaml);
  const document = patched(parsedYaml(fieldPath, text), fieldPath, operations);
  const kept = keepLayout ? editYaml(text, operations, YAML_RULES) : undefined;
  return kept ?? emitYamlDocument(document, { sortKeys: true });
}

function operationsOf(operations: readonly JSONPatchOperation[]): JsonPatchOperation[] {
  return operations.map(({ operator, subPath, value }) => patchOperation(operator, subPath, value));
}

const YAML_RULES: YamlOptions = { duplicateKeys: "last-wins", nullKeys: "refuse" };

function parsedYaml(fieldPath: string, text: string): unknown {
  try {
    if (!hasJsonEscapes(text)) return parseYaml(text, YAML_RULES);
  } catch {
    // What the parser says may quote the text, and the text may be a Secret's; so its error goes no further.
  }
  throw overrideImpossible(fieldPath, "the text at fieldPath is not one document of YAML");
}

function patched(document: unknown, fieldPath: string, operations: readonly JsonPatchOperation[]): unknown {
  if (typeof document !== "object" || document === null) {
    throw overrideImpossible(fieldPath, "the document is neither an object nor a list");
  }
  try {
    return applyJsonPatch<unknown>(document, operations);
  } catch (error) {
    throw overrideImpossible(fieldPath, messageOf(error), error);
  }
}
