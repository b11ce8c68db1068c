// What of an object differs in the clusters at present, by field and value, for whoever does something about it.
import { fieldPathText } from "../../../fleets/drift.ts";
import type { FieldPath } from "../../../kube/fields/path.ts";
import { equalJson, type KubeObject, type ObjectRef } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { CopyState } from "../../plan/live-drift.ts";
import { objectName } from "../../reports/words.ts";

/** One value found in place of the wanted one, and where. */
export interface FoundValue {
  readonly wanted: unknown;
  readonly found: unknown;
  readonly clusters: readonly string[];
}

export interface DriftedObjectField {
  readonly path: string;
  readonly fieldPath: FieldPath;
  readonly values: readonly FoundValue[];
}

export interface DriftedObject {
  readonly object: ObjectRef;
  readonly template: KubeObject;
  readonly fields: readonly DriftedObjectField[];
  /** Every cluster that has a copy. */
  readonly clusters: readonly string[];
}

/** The drift of the copies of one object, in the field of that path alone if there is one. Throws `no-drift`. */
export function driftedObjectOf(
  object: ObjectRef,
  template: KubeObject,
  copies: readonly CopyState[],
  only: string | undefined,
): DriftedObject {
  const fields = new Map<string, DriftedObjectField>();
  for (const { cluster, fields: differing } of copies)
    for (const { path, fieldPath, wanted, found } of differing) {
      const known = fields.get(path) ?? { path, fieldPath: fieldPath ?? [], values: [] };
      const same = known.values.find((value) => equalJson([value.wanted, value.found], [wanted, found]));
      const others = known.values.filter((value) => value !== same);
      const value = { wanted, found, clusters: [...(same?.clusters ?? []), cluster].sort() };
      fields.set(path, { ...known, values: [...others, value] });
    }
  // Events and conditions write paths in another way than reports do.
  const isMeant = ({ fieldPath, path }: DriftedObjectField): boolean =>
    only === undefined || path === only || fieldPathText(fieldPath) === only;
  const chosen = [...fields.values()].filter(isMeant);
  if (chosen.length === 0)
    throw new AppError(
      "no-drift",
      `${only === undefined ? "no field" : only} of ${objectName(object)} differs from what is wanted`,
      { recovery: "stall" },
    );
  return { object, template, fields: chosen, clusters: copies.map(({ cluster }) => cluster) };
}
