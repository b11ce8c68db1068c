// Makes the files of a Sync say what clusters have. Pure: answers texts.
import type { Sync } from "../../../api/gitops.ts";
import { valueAtFields } from "../../../fleets/field-values.ts";
import { equalJson } from "../../../kube/object.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { type Adoption, adoptFields, type FieldToAdopt } from "../../plan/adopt-fields.ts";
import { clusterList, value } from "../../reports/words.ts";
import type { DriftedObject, DriftedObjectField } from "./drifted-object.ts";

export interface Refusal {
  readonly path: string;
  readonly reason: string;
}

export interface DriftAdoption {
  readonly files: ReadonlyMap<string, string>;
  readonly adopted: Adoption["adopted"];
  readonly refused: readonly Refusal[];
}

/** Renders the Sync's folder again and again, which takes its time. Throws what the renderer throws of the files as they are. */
export function adoptDrift(tree: SourceTree, drifted: DriftedObject, { spec }: Pick<Sync, "spec">): DriftAdoption {
  const refused: Refusal[] = [];
  const wishes: FieldToAdopt[] = [];
  for (const field of drifted.fields) {
    const reason = whyNotAdopted(field, drifted);
    if (reason === undefined) wishes.push({ ...field, found: field.values[0]?.found });
    else refused.push({ path: field.path, reason });
  }
  const folder = (spec.path ?? "").replace(/^\.?\/+|\/+$/g, "").replace(/^\.$/, "");
  const {
    files,
    adopted,
    refused: unwritten,
  } = adoptFields(tree, folder, drifted.object, wishes, {
    renderer: spec.renderer ?? "auto",
  });
  for (const { field, reason } of unwritten) refused.push({ path: field.path, reason });
  return { files, adopted, refused };
}

/** Why a field cannot be written into Git; undefined when it can. */
function whyNotAdopted(field: DriftedObjectField, { object, template }: DriftedObject): string | undefined {
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
