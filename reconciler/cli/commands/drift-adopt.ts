import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import { adoptDrift, type DriftAdoption } from "../../pull-requests/drift-changes/adopt-drift.ts";
import type { DriftedObject } from "../../pull-requests/drift-changes/drifted-object.ts";
import { clusterList, count, objectName, value } from "../../reports/words.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { DRIFT_USAGE, driftedObject, driftOptions, syncOf, workingTree } from "../drifted-fields.ts";
import { print } from "../output.ts";

export const driftAdoptCommand: Command = {
  name: "drift adopt",
  summary: "write what was changed in the clusters into the files of the Git working tree",
  usage: DRIFT_USAGE,
  description:
    "Makes Git say what clusters have: finds the file, patch or entry of a kustomization that wrote each drifted field and changes it there, in its author's form. A change counts only when rendering shows that exactly that field becomes what was found. Nothing is committed. Values that a policy or an override gives, and Secrets, are refused with where they come from.",
  options: driftOptions("take what these clusters have"),
  examples: [
    ["drift adopt deployment/web -n shop", "everything that was changed on it"],
    ["drift adopt deployment/web -n shop --field spec.replicas --clusters edge-1", "one field, as one cluster has it"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => adopt(invocation, client)),
};

async function adopt(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const drifted = await driftedObject(invocation, client);
  const sync = await syncOf(client, drifted);
  const { root, describe, isDryRun: dryRun, write } = workingTree(invocation);
  const result = adoptDrift(new DirectoryTree(root), drifted, sync);
  const { refused } = result;
  write(result.files);
  const adopted = result.adopted.map(({ field, file, line }) => ({ path: field.path, found: field.found, file, line }));
  print(invocation, { object: drifted.object, adopted, refused, written: !dryRun }, () =>
    adoptionText(drifted, result, {
      dryRun,
      describe,
      sync: `${sync.metadata.namespace}/${sync.metadata.name}`,
    }),
  );
  return refused.length > 0 ? EXIT.failed : EXIT.ok;
}

function adoptionText(
  { object, fields, clusters }: DriftedObject,
  { adopted, refused }: DriftAdoption,
  words: { readonly dryRun: boolean; readonly describe: (file: string) => string; readonly sync: string },
): string {
  const lines: string[] = [];
  if (adopted.length > 0)
    lines.push(
      `${words.dryRun ? "Would adopt" : "Adopted"} ${count(adopted.length, "field")} of ${objectName(object)}:`,
    );
  for (const { field, file, line } of adopted) {
    const { values } = fields.find(({ path }) => path === field.path) ?? { values: [] };
    const from = values.flatMap((one) => one.clusters);
    const others = clusters.filter((cluster) => !from.includes(cluster));
    const spread = others.length === 0 ? "" : `; ${clusterList(others)} will get it, too`;
    lines.push(
      `  ${field.path}   ${value(values[0]?.wanted)} → ${value(field.found)}   ${words.describe(file)}:${line}   as in ${clusterList(from)}${spread}`,
    );
  }
  if (refused.length > 0) lines.push(`Not adopted of ${objectName(object)}:`);
  for (const { path, reason } of refused) lines.push(`  ${path}: ${reason}`);
  if (adopted.length > 0 && !words.dryRun)
    lines.push(`Commit and push it: the drift ends when Sync ${words.sync} has applied it.`);
  return lines.join("\n");
}
