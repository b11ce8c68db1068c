// Has the Sync of an object ignore fields of it, in the file that defines the Sync. Pure: answers texts.
import { indexOfElement, valueOfElement } from "../../../fleets/field-values.ts";
import type { FieldPath } from "../../../kube/fields/path.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { ignoreRule, withIgnoreRule } from "../../plan/ignore-fields.ts";
import { objectName } from "../../reports/words.ts";
import type { DriftedObject } from "./drifted-object.ts";

/** The fields that can be ignored, as JSON pointers. Throws `nothing-to-ignore` when none can. */
export function ignorablePointers({ object, template, fields }: DriftedObject): readonly string[] {
  const pointers = fields
    .map(({ fieldPath }) => pointerIn(template, fieldPath))
    .filter((pointer) => pointer !== undefined);
  if (pointers.length > 0) return pointers;
  throw new AppError("nothing-to-ignore", `of ${objectName(object)} only whole objects or list items differ`, {
    recovery: "stall",
  });
}

export interface IgnoreRequest {
  readonly drifted: DriftedObject;
  readonly pointers: readonly string[];
  readonly sync: { readonly namespace: string; readonly name: string };
  /** What the tree is called, for messages. */
  readonly where: string;
}

/** The text of the file that defines the Sync, with the rule. Throws `sync-file-missing`. */
export function ignoreDrift(
  tree: SourceTree,
  { drifted, pointers, sync, where }: IgnoreRequest,
): { readonly file: string; readonly text: string; readonly isNew: boolean } {
  const rule = ignoreRule(drifted.object, pointers);
  const change = findChange(tree, (text) => withIgnoreRule(text, sync, rule));
  if (change !== undefined) return change;
  throw new AppError(
    "sync-file-missing",
    `no file in ${where} holds Sync ${sync.namespace}/${sync.name} in a form that can be changed. Add to its spec:\nignoreDifferences:\n${stringifyYaml([rule])}`,
    { recovery: "stall" },
  );
}

const MOST_FILES = 20_000;

/** The JSON pointer of a field in the template; undefined for an item that it does not have. */
function pointerIn(template: KubeObject, path: FieldPath): string | undefined {
  let node: unknown = template;
  let pointer = "";
  for (const element of path) {
    const at = element.startsWith("f:") ? element.slice(2) : indexOfElement(node, element);
    if (at === -1) return undefined;
    pointer += `/${String(at).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    node = valueOfElement(node, element);
  }
  return pointer === "" ? undefined : pointer;
}

/** The first YAML file, in order of paths, that can be changed; not new where it says so already. */
function findChange(
  tree: SourceTree,
  change: (text: string) => string | undefined,
): { readonly file: string; readonly text: string; readonly isNew: boolean } | undefined {
  let left = MOST_FILES;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, type } of tree.list(folder) ?? []) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (type === "directory" && name !== ".git" && name !== "node_modules") folders.push(path);
      if (type !== "file" || !/\.ya?ml$/.test(name) || left-- <= 0) continue;
      const text = new TextDecoder().decode(tree.read(path));
      const changed = /\bSync\b/.test(text) ? change(text) : undefined;
      if (changed !== undefined) return { file: path, text: changed, isNew: changed !== text };
    }
  }
  return undefined;
}
