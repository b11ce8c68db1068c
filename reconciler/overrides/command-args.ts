import type { CommandArgsOverrider } from "../../api/policy.ts";
import { isObject } from "../../kube/object.ts";
import { containersOf } from "./containers.ts";
import type { Draft } from "./draft.ts";
import { overrideImpossible } from "./errors.ts";

/** Appends words to the command or arguments of the named container, or takes them away. */
export function overrideWords(draft: Draft, field: "command" | "args", overrider: CommandArgsOverrider): void {
  for (const { path, fields } of containersOf(draft.object)) {
    if (fields["name"] !== overrider.containerName) continue;
    const current = fields[field] ?? [];
    if (!Array.isArray(current)) throw overrideImpossible(`/${path.join("/")}/${field}`, `${field} is not a list`);
    draft.set([...path, field], changedWords(current.map(goText), overrider));
  }
}

function changedWords(words: readonly string[], { operator, value = [] }: CommandArgsOverrider): readonly string[] {
  switch (operator) {
    case "add":
      return [...words, ...value];
    case "remove":
      return words.filter((word) => !value.includes(word));
    default:
      return words;
  }
}

/** A word that is no text, as Go prints it: API servers refuse such lists, custom resources may have them. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isObject(value)) return String(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`);
  return `map[${entries.join(" ")}]`;
}
