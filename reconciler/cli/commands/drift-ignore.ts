import { IGNORE_DIFFERENCES_ANNOTATION } from "../../../api/drift-rules.ts";
import { indexOfElement, valueOfElement } from "../../../fleets/field-values.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { FieldPath } from "../../../kube/fields/path.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { ignoreRule, withIgnoreRule } from "../../plan/ignore-fields.ts";
import { objectName } from "../../reports/words.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { DRIFT_USAGE, driftedObject, driftOptions, syncOf, workingTree } from "../drifted-fields.ts";
import { print } from "../output.ts";

export const driftIgnoreCommand: Command = {
  name: "drift ignore",
  summary: "write a rule by which drifted fields are ignored into the file of their Sync",
  usage: DRIFT_USAGE,
  description:
    "Adds the drifted fields of an object to spec.ignoreDifferences of the Sync that applies it, in the Git working tree. From then on clusters decide them: they are sent when an object is made, and neither compared nor sent back after that. Nothing is committed. For a template without a Sync, says which annotation to set.",
  options: driftOptions("only what differs in these clusters"),
  examples: [["drift ignore deployment/web -n shop --field spec.replicas", "let clusters decide the replicas"]],
  run: (invocation) => withControlPlane(invocation, ({ client }) => ignore(invocation, client)),
};

const MOST_FILES = 20_000;

async function ignore(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const drifted = await driftedObject(invocation, client);
  const { object, template, fields } = drifted;
  const pointers = fields
    .map(({ fieldPath }) => pointerIn(template, fieldPath))
    .filter((pointer) => pointer !== undefined);
  if (pointers.length === 0)
    throw new AppError("nothing-to-ignore", `of ${objectName(object)} only whole objects or list items differ`, {
      recovery: "stall",
    });
  const sync = await syncOf(client, drifted).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== "not-from-git") throw error;
    return undefined;
  });
  if (sync === undefined) {
    const text = JSON.stringify([{ jsonPointers: pointers }]);
    const namespace = object.namespace === undefined ? "" : ` -n ${object.namespace}`;
    throw new AppError(
      "not-from-git",
      `${objectName(object)} is of no Sync. To ignore the fields: kubectl annotate ${object.kind.toLowerCase()} ${object.name}${namespace} --overwrite ${IGNORE_DIFFERENCES_ANNOTATION}='${text}'`,
      { recovery: "stall" },
    );
  }
  const { root, describe, isDryRun: dryRun, write } = workingTree(invocation);
  const rule = ignoreRule(object, pointers);
  const name = { namespace: sync.metadata.namespace ?? "", name: sync.metadata.name ?? "" };
  const change = findChange(new DirectoryTree(root), (text) => withIgnoreRule(text, name, rule));
  if (change === undefined)
    throw new AppError(
      "sync-file-missing",
      `no file in ${root} holds Sync ${name.namespace}/${name.name} in a form that can be changed. Add to its spec:\nignoreDifferences:\n${stringifyYaml([rule])}`,
      { recovery: "stall" },
    );
  write(new Map([[change.file, change.text]]));
  print(invocation, { object, jsonPointers: pointers, file: change.file, written: !dryRun }, () =>
    [
      `${dryRun ? "Would write" : "Wrote"} to ${describe(change.file)}, spec.ignoreDifferences of Sync ${name.namespace}/${name.name}:`,
      ...pointers.map((pointer) => `  ${pointer} of ${objectName(object)}`),
      ...(dryRun ? [] : ["Commit and push it: clusters decide these fields once the Sync is applied."]),
    ].join("\n"),
  );
  return EXIT.ok;
}

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

/** The first YAML file, in order of paths, that can be changed. */
function findChange(
  tree: SourceTree,
  change: (text: string) => string | undefined,
): { readonly file: string; readonly text: string } | undefined {
  let left = MOST_FILES;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, type } of tree.list(folder) ?? []) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (type === "directory" && name !== ".git" && name !== "node_modules") folders.push(path);
      if (type !== "file" || !/\.ya?ml$/.test(name) || left-- <= 0) continue;
      const text = new TextDecoder().decode(tree.read(path));
      const changed = /\bSync\b/.test(text) ? change(text) : undefined;
      if (changed !== undefined) return { file: path, text: changed };
    }
  }
  return undefined;
}
