import type { LabelAnnotationOverrider } from "../../api/policy.ts";
import { isObject } from "../../kube/object.ts";
import type { Draft } from "./draft.ts";

/** Adds, replaces or removes labels or annotations of the object itself, not of its pods. */
export function overrideLabels(
  draft: Draft,
  field: "labels" | "annotations",
  { operator, value }: LabelAnnotationOverrider,
): void {
  const current = textsOf(draft.object.metadata[field]);
  if (operator === "add" && current === undefined) draft.set(["metadata", field], {});
  for (const key of Object.keys(value ?? {}).sort()) {
    const exists = current !== undefined && Object.hasOwn(current, key);
    if (operator === "add" || (operator === "replace" && exists)) draft.set(["metadata", field, key], value[key]);
    // The listed value does not matter.
    else if (operator === "remove" && exists) draft.set(["metadata", field, key], undefined);
  }
}

// A map with anything but texts in it counts as none, as it does for programs that decode it.
function textsOf(map: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(map) && Object.values(map).every((value) => typeof value === "string") ? map : undefined;
}
