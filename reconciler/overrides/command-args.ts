import type { CommandArgsOverrider } from "../../api/policy.ts";
import { containersOf } from "./containers.ts";
import type { Draft } from "./draft.ts";
import { overrideImpossible } from "./errors.ts";
import { goWord } from "./go-word.ts";

/** Appends words to the command or arguments of the named container, or takes them away. */
export function overrideWords(draft: Draft, field: "command" | "args", overrider: CommandArgsOverrider): void {
  for (const { path, fields } of containersOf(draft.object, "malformed")) {
    if (fields["name"] !== overrider.containerName) continue;
    const current = fields[field] ?? [];
    if (!Array.isArray(current)) throw overrideImpossible(`/${path.join("/")}/${field}`, `${field} is not a list`);
    draft.set([...path, field], changedWords(current.map(goWord), overrider));
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
