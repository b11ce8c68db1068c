import { valueAtFields } from "../../../fleets/field-values.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { equalJson } from "../../../kube/object.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import { type Adoption, adoptFields, type FieldToAdopt } from "../../plan/adopt-fields.ts";
import { clusterList, count, objectName, value } from "../../reports/words.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { withControlPlane } from "../connect.ts";
import {
  DRIFT_USAGE,
  type DriftedObject,
  type DriftedObjectField,
  driftedObject,
  driftOptions,
  syncOf,
  workingTree,
} from "../drifted-fields.ts";
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

interface Refusal {
  readonly path: string;
  readonly reason: string;
}

async function adopt(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const drifted = await driftedObject(invocation, client);
  const sync = await syncOf(client, drifted);
  const { root, describe, isDryRun: dryRun, write } = workingTree(invocation);
  const refused: Refusal[] = [];
  const wishes: FieldToAdopt[] = [];
  for (const field of drifted.fields) {
    const reason = whyNot(field, drifted);
    if (reason === undefined) wishes.push({ ...field, found: field.values[0]?.found });
    else refused.push({ path: field.path, reason });
  }
  const folder = (sync.spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const result = adoptFields(new DirectoryTree(root), folder, drifted.object, wishes, {
    renderer: sync.spec.renderer ?? "auto",
  });
  for (const { field, reason } of result.refused) refused.push({ path: field.path, reason });
  write(result.files);
  const adopted = result.adopted.map(({ field, file, line }) => ({ path: field.path, found: field.found, file, line }));
  print(invocation, { object: drifted.object, adopted, refused, written: !dryRun }, () =>
    adoptionText(drifted, result, refused, {
      dryRun,
      describe,
      sync: `${sync.metadata.namespace}/${sync.metadata.name}`,
    }),
  );
  return refused.length > 0 ? EXIT.failed : EXIT.ok;
}

/** Why a field cannot be written into Git; undefined when it can. */
function whyNot(field: DriftedObjectField, { object, template }: DriftedObject): string | undefined {
  if (object.kind === "Secret") return "values of Secrets are not written to files: change it where it is kept";
  const [first] = field.values;
  if (first === undefined || field.fieldPath.length === 0)
    return "the whole object is missing: delete it in Git, or let it be made anew";
  const found = new Set(field.values.map((one) => value(one.found)));
  if (found.size > 1) {
    const each = field.values.map((one) => `${value(one.found)} in ${clusterList(one.clusters)}`).join(", ");
    return `clusters differ (${each}): choose with --clusters`;
  }
  const own = valueAtFields(template, field.fieldPath);
  if (field.values.some(({ wanted }) => !equalJson(wanted, own)))
    return `the template says ${value(own)}, and a policy or an override makes it ${value(first.wanted)} (flaghoist explain): change that`;
  return undefined;
}

function adoptionText(
  { object, fields, clusters }: DriftedObject,
  { adopted }: Adoption,
  refused: readonly Refusal[],
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
