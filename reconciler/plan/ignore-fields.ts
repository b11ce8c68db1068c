// Writes a rule that ignores fields into the file of a Sync, in its author's form.
import type { IgnoreDifference } from "../../api/drift-rules.ts";
import { equalJson, isObject, type ObjectRef, parseApiVersion } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { editYaml } from "../../kube/yaml-edit.ts";

/** The rule for fields of one object. */
export function ignoreRule(
  { apiVersion, kind, namespace, name }: ObjectRef,
  jsonPointers: readonly string[],
): IgnoreDifference {
  const { group } = parseApiVersion(apiVersion);
  return {
    ...(group === "" ? {} : { group }),
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    jsonPointers: [...jsonPointers],
  };
}

/**
 * The text of a file with the rule in the Sync of that name; pointers are added to a rule about the same object. Undefined
 * when the file does not hold the Sync, or cannot be changed in its form; the text itself when it says so already.
 */
export function withIgnoreRule(
  text: string,
  sync: { readonly namespace: string; readonly name: string },
  rule: IgnoreDifference,
): string | undefined {
  const documents = text.split(/^(?=---(?:\s|$))/m);
  for (const [index, document] of documents.entries()) {
    const value = attempt(() => parseYaml(document));
    if (!isSync(value, sync)) continue;
    const spec = isObject(value["spec"]) ? value["spec"] : {};
    const list = Array.isArray(spec["ignoreDifferences"])
      ? (spec["ignoreDifferences"] as readonly unknown[])
      : undefined;
    const changed = attempt(() => editYaml(document, [operationFor(list, rule)], {}));
    return changed === undefined ? undefined : documents.with(index, changed).join("");
  }
  return undefined;
}

function operationFor(list: readonly unknown[] | undefined, rule: IgnoreDifference) {
  const path = "/spec/ignoreDifferences";
  if (list === undefined) return { op: "add", path, value: [rule] } as const;
  const { jsonPointers = [], ...about } = rule;
  const at = list.findIndex((other) => {
    if (!isObject(other)) return false;
    const { jsonPointers: _, managedFieldsManagers: _managers, ...itsAbout } = other;
    return equalJson(itsAbout, about);
  });
  const same = list[at];
  if (!isObject(same)) return { op: "add", path: `${path}/-`, value: rule } as const;
  const known = Array.isArray(same["jsonPointers"]) ? (same["jsonPointers"] as readonly unknown[]) : [];
  const all = [...known, ...jsonPointers.filter((pointer) => !known.includes(pointer))];
  return {
    op: same["jsonPointers"] === undefined ? "add" : "replace",
    path: `${path}/${at}/jsonPointers`,
    value: all,
  } as const;
}

function isSync(
  value: unknown,
  { namespace, name }: { namespace: string; name: string },
): value is Record<string, unknown> {
  if (!isObject(value) || value["kind"] !== "Sync" || !String(value["apiVersion"]).startsWith("gitops.flaghoist.io/"))
    return false;
  const metadata = value["metadata"];
  // A file may leave the namespace to whoever applies it.
  return isObject(metadata) && metadata["name"] === name && (metadata["namespace"] ?? namespace) === namespace;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // No YAML, or a form that cannot be changed.
    return undefined;
  }
}
