// All generators of differential cases, by name.
import { applyFault, applySequence } from "./cases/apply.ts";
import { createMutated, readForms, updateMutated } from "./cases/builtin.ts";
import { customObjects, faultyDefinition } from "./cases/definitions.ts";
import { jsonPatches, mergePatches, otherStrategic, patchFaults, strategicPatches } from "./cases/patches.ts";
import { deletions, lists, selections, watches } from "./cases/reads.ts";
import type { CaseGenerator } from "./differential-case.ts";

export const GENERATORS: Readonly<Record<string, CaseGenerator>> = {
  apply: applySequence,
  "custom-objects": customObjects,
  definitions: faultyDefinition,
  "json-patch": jsonPatches,
  "merge-patch": mergePatches,
  "strategic-patch": strategicPatches,
  "strategic-other": otherStrategic,
  "patch-fault": patchFaults,
  selectors: selections,
  list: lists,
  watch: watches,
  delete: deletions,
  "apply-fault": applyFault,
  create: createMutated,
  forms: readForms,
  update: updateMutated,
};
