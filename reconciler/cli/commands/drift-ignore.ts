import { IGNORE_DIFFERENCES_ANNOTATION } from "../../../api/drift-rules.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import { ignorablePointers, ignoreDrift } from "../../pull-requests/drift-changes/ignore-drift.ts";
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

async function ignore(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const drifted = await driftedObject(invocation, client);
  const { object } = drifted;
  const pointers = ignorablePointers(drifted);
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
  const name = { namespace: sync.metadata.namespace ?? "", name: sync.metadata.name ?? "" };
  const change = ignoreDrift(new DirectoryTree(root), { drifted, pointers, sync: name, where: root });
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
