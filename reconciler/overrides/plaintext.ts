import type { OverriderOperator, PlaintextOverrider } from "../../api/policy.ts";
import type { JsonPatchOperation } from "../../kube/json-patch.ts";
import type { Draft } from "./draft.ts";

/** Changes any field by its path. An absent value is null, as Karmada sends it. */
export function overridePlaintext(draft: Draft, { path, operator, value }: PlaintextOverrider): void {
  draft.patch(patchOperation(operator, path, value));
}

export function patchOperation(operator: OverriderOperator, path: string, value: unknown): JsonPatchOperation {
  return operator === "remove" ? { op: "remove", path } : { op: operator, path, value: value ?? null };
}
