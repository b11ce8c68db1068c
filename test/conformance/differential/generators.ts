// All generators of differential cases, by name.
import { applyFault, applySequence } from "./cases/apply.ts";
import { createMutated, readForms, updateMutated } from "./cases/builtin.ts";
import type { CaseGenerator } from "./differential-case.ts";

export const GENERATORS: Readonly<Record<string, CaseGenerator>> = {
  apply: applySequence,
  "apply-fault": applyFault,
  create: createMutated,
  forms: readForms,
  update: updateMutated,
};
